-- How far the ledger's file beside the evidence in a place goes: one that ends earlier was removed or cut.
CREATE TABLE ledger_file (
    place  TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;
