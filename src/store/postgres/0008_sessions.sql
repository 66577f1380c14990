-- People who are signed in to the console, by the SHA-256 of what their cookie holds.
CREATE TABLE session (
    id       BYTEA  NOT NULL PRIMARY KEY,
    address  TEXT   COLLATE "C" NOT NULL,
    began_at BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    body     TEXT   COLLATE "C" NOT NULL
);

CREATE INDEX session_by_address ON session (address, began_at);
CREATE INDEX session_by_begin ON session (began_at);
CREATE INDEX session_by_use ON session (seen_at);

-- One-time links to sign in with, by the SHA-256 of what the link holds. A used one is kept until it would have expired.
CREATE TABLE sign_in_link (
    id          BYTEA  NOT NULL PRIMARY KEY,
    address     TEXT   COLLATE "C" NOT NULL,
    valid_until BIGINT NOT NULL,
    used_at     BIGINT,
    body        TEXT   COLLATE "C" NOT NULL
);

CREATE INDEX sign_in_link_by_address ON sign_in_link (address, valid_until);
CREATE INDEX sign_in_link_by_time ON sign_in_link (valid_until);
