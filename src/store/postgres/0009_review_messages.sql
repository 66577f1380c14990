-- Reviews by people: their job, until when the first decision has to be carried out that no audit has proven, and up to which
-- event everything is said by mail. `next_message` is when there may be more to say if nothing happens before.
ALTER TABLE review ADD COLUMN job TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE review ADD COLUMN work_due BIGINT;
ALTER TABLE review ADD COLUMN told_events BIGINT NOT NULL DEFAULT 0;
ALTER TABLE review ADD COLUMN next_message BIGINT;

CREATE INDEX review_untold ON review (id) WHERE told_events < events;
CREATE INDEX review_next_message ON review (next_message) WHERE next_message IS NOT NULL;

-- Up to when the scheduled times of each review are decided, and the last one that is due and has no review yet, with the
-- reason why it could not be opened.
CREATE TABLE review_plan (
    name     TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    job      TEXT   COLLATE "C" NOT NULL,
    schedule TEXT   COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    due_at   BIGINT,
    reason   TEXT   COLLATE "C"
);
