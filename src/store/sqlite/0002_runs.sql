-- Up to where the fire times of a job are decided, by which schedule.
CREATE TABLE cursor (
    job      TEXT    NOT NULL PRIMARY KEY,
    schedule TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- Fire times that became no runs.
CREATE TABLE gap (
    id          INTEGER PRIMARY KEY,
    job         TEXT    NOT NULL,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    count       INTEGER NOT NULL CHECK (count > 0),
    reason      TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

-- One fire time of one job for one workspace is one run.
CREATE TABLE run (
    id          BLOB    NOT NULL PRIMARY KEY,
    job         TEXT    NOT NULL,
    workspace   TEXT    NOT NULL,
    fire_at     INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('due', 'claimed', 'read', 'judged', 'recorded', 'delivered', 'closed', 'failed')),
    attempt     INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    not_before  INTEGER,
    planned_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    error       TEXT,
    UNIQUE (job, workspace, fire_at)
) STRICT;

CREATE INDEX run_open ON run (fire_at) WHERE state IN ('due', 'claimed', 'read', 'judged', 'recorded', 'delivered');

CREATE INDEX run_busy ON run (workspace) WHERE state IN ('claimed', 'read', 'judged');
CREATE INDEX run_delivered ON run (id) WHERE state = 'delivered';
CREATE INDEX run_failed ON run (job, workspace) WHERE state = 'failed';

-- Each time that a run was taken up, by the fence of its claim.
CREATE TABLE attempt (
    run      BLOB    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    fence    INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    error    TEXT,
    PRIMARY KEY (run, fence)
) STRICT, WITHOUT ROWID;

-- The outbox: whole messages, as they are sent on every attempt; emptied when a server has accepted them.
-- `about` tells notices of one kind apart: which attempt failed, who did not get the report.
CREATE TABLE message (
    id          INTEGER PRIMARY KEY,
    run         BLOB    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    about       TEXT    NOT NULL DEFAULT '',
    recipient   TEXT    NOT NULL,
    sender      TEXT    NOT NULL,
    message_id  TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'rejected')),
    attempt     INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    not_before  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER,
    answer      TEXT,
    UNIQUE (run, kind, about, recipient)
) STRICT;

CREATE INDEX message_waiting ON message (not_before) WHERE state = 'waiting';
CREATE INDEX message_rejected ON message (run) WHERE state = 'rejected';

-- Open findings of each severity; unknown for audits that were kept before.
ALTER TABLE audit ADD COLUMN critical INTEGER;
ALTER TABLE audit ADD COLUMN high INTEGER;
ALTER TABLE audit ADD COLUMN medium INTEGER;
ALTER TABLE audit ADD COLUMN low INTEGER;
ALTER TABLE audit ADD COLUMN info INTEGER;

CREATE INDEX audit_incomplete ON audit (id) WHERE complete = 0;
CREATE INDEX audit_by_age ON audit (finished_at);
