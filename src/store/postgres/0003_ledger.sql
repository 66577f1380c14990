-- What happened, one fact after another; each line holds the digest of the one before.
CREATE TABLE ledger (
    number  BIGINT NOT NULL PRIMARY KEY,
    kind    TEXT   COLLATE "C" NOT NULL,
    subject TEXT   COLLATE "C" NOT NULL,
    sha256  TEXT   COLLATE "C" NOT NULL,
    line    TEXT   COLLATE "C" NOT NULL
);

CREATE INDEX ledger_by_subject ON ledger (kind, subject, number);

-- The last entry. Every write locks this row first, so that the chain has one order over all replicas, and writes that touch
-- several rows never wait for one another in a circle.
CREATE TABLE ledger_head (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    sha256 TEXT   COLLATE "C" NOT NULL
);
INSERT INTO ledger_head (id, number, sha256) VALUES (1, 0, '');

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END $$;

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE OR DELETE ON ledger
FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();

-- Triggers for rows do not see this.
CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON ledger
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

-- The bag of evidence that counts.
ALTER TABLE audit ADD COLUMN bag_folder TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN bag_sha256 TEXT COLLATE "C";
