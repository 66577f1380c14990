CREATE TABLE audit (
    id             BLOB    NOT NULL PRIMARY KEY,
    job            TEXT,
    workspace      TEXT    NOT NULL,
    started_at     INTEGER NOT NULL,
    finished_at    INTEGER NOT NULL,
    complete       INTEGER NOT NULL CHECK (complete IN (0, 1)),
    users          INTEGER NOT NULL,
    administrators INTEGER NOT NULL,
    open_findings  INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_by_workspace ON audit (workspace, job, finished_at);

CREATE TABLE snapshot_part (
    audit    BLOB    NOT NULL REFERENCES audit (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (audit, sequence)
) STRICT, WITHOUT ROWID;
