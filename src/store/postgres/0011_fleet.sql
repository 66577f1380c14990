-- Since when a replica is there, how far its clock is ahead (in milliseconds), and the ids of the runs that it works on. A
-- replica of an older version, which names none of them, is there since it was inserted.
ALTER TABLE replica ADD COLUMN joined_at BIGINT NOT NULL DEFAULT ((extract(epoch FROM clock_timestamp()) * 1000)::bigint);
ALTER TABLE replica ADD COLUMN ahead BIGINT NOT NULL DEFAULT 0;
ALTER TABLE replica ADD COLUMN holds TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The access token of each client, encrypted, and which process is getting a new one until when.
CREATE TABLE access_token (
    name       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    sealed     BYTEA  NOT NULL DEFAULT '',
    kept_at    BIGINT NOT NULL DEFAULT 0,
    holder     BYTEA,
    held_until BIGINT NOT NULL DEFAULT 0
);
