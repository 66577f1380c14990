-- The spreadsheets that people decided with, as they came, compressed by Zstandard: with the signature, if there was one, and the
-- line of the key that made it. The bag of the closed review has them too.
CREATE TABLE review_sheet (
    review    BYTEA NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    sha256    TEXT  COLLATE "C" NOT NULL,
    signed_by TEXT  COLLATE "C" NOT NULL,
    content   BYTEA NOT NULL,
    signature TEXT  COLLATE "C" NOT NULL,
    signer    TEXT  COLLATE "C" NOT NULL,
    PRIMARY KEY (review, sha256, signed_by)
);
