-- What happened, one fact after another; each line holds the digest of the one before.
CREATE TABLE ledger (
    number  INTEGER NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    sha256  TEXT    NOT NULL,
    line    TEXT    NOT NULL
) STRICT;

CREATE INDEX ledger_by_subject ON ledger (kind, subject, number);

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER ledger_is_not_shortened BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- The bag of evidence that counts.
ALTER TABLE audit ADD COLUMN bag_folder TEXT;
ALTER TABLE audit ADD COLUMN bag_sha256 TEXT;
