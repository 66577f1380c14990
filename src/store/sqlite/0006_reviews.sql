-- Reviews by people: what is reviewed never changes, and everything that happens is an event. The other columns repeat
-- what follows from the events, for lists.
CREATE TABLE review (
    id         BLOB    PRIMARY KEY,
    name       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('open', 'decided', 'closed', 'cancelled')),
    opened_at  INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    fire_at    INTEGER,
    items      INTEGER NOT NULL,
    undecided  INTEGER NOT NULL,
    unproven   INTEGER NOT NULL,
    events     INTEGER NOT NULL,
    population BLOB    NOT NULL
) STRICT;

CREATE TABLE review_event (
    review BLOB    NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (review, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX review_by_time ON review (opened_at, id);
CREATE INDEX review_closed ON review (name, opened_at) WHERE state = 'closed';
-- One review of a name at a time, and one for each scheduled time.
CREATE UNIQUE INDEX review_under_way ON review (name) WHERE state IN ('open', 'decided');
CREATE UNIQUE INDEX review_fire_time ON review (name, fire_at) WHERE fire_at IS NOT NULL;
CREATE INDEX review_unfinished ON review (opened_at) WHERE state IN ('open', 'decided') OR unproven > 0;
