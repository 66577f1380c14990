-- Fire times whose runs are mailed as one message. `mailed_at` is NULL until it is in the outbox, or is known not to be sent.
CREATE TABLE combination (
    job       TEXT   COLLATE "C" NOT NULL,
    fire_at   BIGINT NOT NULL,
    terms     BYTEA  NOT NULL,
    since     BIGINT NOT NULL,
    mailed_at BIGINT,
    PRIMARY KEY (job, fire_at)
);

CREATE INDEX combination_open ON combination (fire_at, job) WHERE mailed_at IS NULL;
CREATE INDEX combination_mailed ON combination (fire_at) WHERE mailed_at IS NOT NULL;

-- What a run adds to that message, until it is written.
CREATE TABLE share (
    run  BYTEA NOT NULL PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    body BYTEA NOT NULL
);

-- The notification that delivers this one too; NULL for one that is delivered itself. One that is carried has no body, is
-- never taken out, and has the state of its carrier.
ALTER TABLE notification ADD COLUMN carried_by BIGINT REFERENCES notification (id) ON DELETE CASCADE;
CREATE INDEX notification_carried ON notification (carried_by) WHERE carried_by IS NOT NULL;
