-- Reviews by people: their job, until when the first decision has to be carried out that no audit has proven, and up to which
-- event everything is said by mail. `next_message` is when there may be more to say if nothing happens before.
ALTER TABLE review ADD COLUMN job TEXT NOT NULL DEFAULT '';
ALTER TABLE review ADD COLUMN work_due INTEGER;
ALTER TABLE review ADD COLUMN told_events INTEGER NOT NULL DEFAULT 0;
ALTER TABLE review ADD COLUMN next_message INTEGER;
UPDATE review SET job = COALESCE((
    SELECT json_extract(e.body, '$.job') FROM review_event AS e WHERE e.review = review.id AND e.number = 1
), '');
-- What has ended is not reported afterwards.
UPDATE review SET told_events = events WHERE state IN ('closed', 'cancelled') AND unproven = 0;

CREATE INDEX review_untold ON review (id) WHERE told_events < events;
CREATE INDEX review_next_message ON review (next_message) WHERE next_message IS NOT NULL;

-- Up to when the scheduled times of each review are decided, and the last one that is due and has no review yet, with the
-- reason why it could not be opened.
CREATE TABLE review_plan (
    name     TEXT    PRIMARY KEY,
    job      TEXT    NOT NULL,
    schedule TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    due_at   INTEGER,
    reason   TEXT
) STRICT, WITHOUT ROWID;
