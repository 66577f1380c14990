"""Writes every value of every table of an SQLite file into a folder, one file each."""

import pathlib
import sqlite3
import sys

store = sqlite3.connect(sys.argv[1])
folder = pathlib.Path(sys.argv[2])
folder.mkdir()
tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
for table in tables:
    for row, values in enumerate(store.execute(f'SELECT * FROM "{table}"')):
        for column, value in enumerate(values):
            data = value if isinstance(value, bytes) else str(value).encode()
            (folder / f"{table}-{row}-{column}").write_bytes(data)
