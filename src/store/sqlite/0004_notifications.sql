-- The outbox carries notifications of any subject over any channel: `run` is kept for joins, and is NULL for subjects
-- that are no run. Every message so far was an e-mail about a run.
CREATE TABLE notification (
    id           INTEGER PRIMARY KEY,
    subject_kind TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    run          BLOB    REFERENCES run (id) ON DELETE CASCADE,
    channel      TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    about        TEXT    NOT NULL DEFAULT '',
    address      TEXT    NOT NULL,
    sender       TEXT,
    message_id   TEXT,
    body         BLOB    NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'rejected')),
    attempt      INTEGER NOT NULL DEFAULT 0,
    fence        INTEGER NOT NULL DEFAULT 0,
    lease_until  INTEGER,
    not_before   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER,
    answer       TEXT,
    CHECK ((subject_kind = 'run') = (run IS NOT NULL)),
    UNIQUE (subject_kind, subject_id, channel, kind, about, address)
) STRICT;

INSERT INTO notification (id, subject_kind, subject_id, run, channel, kind, about, address, sender, message_id, body,
                          state, attempt, fence, lease_until, not_before, created_at, finished_at, answer)
SELECT id, 'run', lower(hex(run)), run, 'email', kind, about, recipient, sender, message_id, body,
       state, attempt, fence, lease_until, not_before, created_at, finished_at, answer
FROM message;

DROP TABLE message;

CREATE INDEX notification_waiting ON notification (not_before) WHERE state = 'waiting';
CREATE INDEX notification_rejected ON notification (run) WHERE state = 'rejected';
CREATE INDEX notification_by_run ON notification (run);
CREATE INDEX notification_finished ON notification (finished_at) WHERE run IS NULL;
