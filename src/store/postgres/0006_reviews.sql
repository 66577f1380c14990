-- Reviews by people: what is reviewed never changes, and everything that happens is an event. The other columns repeat
-- what follows from the events, for lists.
CREATE TABLE review (
    id         BYTEA  NOT NULL PRIMARY KEY,
    name       TEXT   COLLATE "C" NOT NULL,
    state      TEXT   COLLATE "C" NOT NULL CHECK (state IN ('open', 'decided', 'closed', 'cancelled')),
    opened_at  BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    fire_at    BIGINT,
    items      BIGINT NOT NULL,
    undecided  BIGINT NOT NULL,
    unproven   BIGINT NOT NULL,
    events     BIGINT NOT NULL,
    population BYTEA  NOT NULL
);

CREATE TABLE review_event (
    review BYTEA  NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (review, number)
);

CREATE INDEX review_by_time ON review (opened_at, id);
CREATE INDEX review_closed ON review (name, opened_at) WHERE state = 'closed';
-- One review of a name at a time, and one for each scheduled time.
CREATE UNIQUE INDEX review_under_way ON review (name) WHERE state IN ('open', 'decided');
CREATE UNIQUE INDEX review_fire_time ON review (name, fire_at) WHERE fire_at IS NOT NULL;
CREATE INDEX review_unfinished ON review (opened_at) WHERE state IN ('open', 'decided') OR unproven > 0;
