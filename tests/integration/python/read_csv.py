"""Prints the records of a CSV file as JSON, and fails where it is not RFC 4180 to the letter."""

import csv
import io
import json
import re
import sys

with open(sys.argv[1], "rb") as file:
    text = file.read().decode("utf-8", "strict")

# Quoted fields may hold anything, with quotes doubled; others hold no quote, comma or line break. CRLF ends a record.
field = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
if not re.fullmatch(rf"(?:{field}(?:,{field})*\r\n)+", text):
    sys.exit(f"{sys.argv[1]} is not RFC 4180")
records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
if len({len(record) for record in records}) != 1:
    sys.exit(f"{sys.argv[1]} has records of different lengths")
json.dump(records, sys.stdout)
