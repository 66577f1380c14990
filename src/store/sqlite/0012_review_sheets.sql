-- The spreadsheets that people decided with, as they came, compressed by Zstandard: with the signature, if there was one, and the
-- line of the key that made it. The bag of the closed review has them too.
CREATE TABLE review_sheet (
    review    BLOB NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    sha256    TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    content   BLOB NOT NULL,
    signature TEXT NOT NULL,
    signer    TEXT NOT NULL,
    PRIMARY KEY (review, sha256, signed_by)
) STRICT;
