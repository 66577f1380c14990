"""Follows every place that a sample names, as an auditor would: `trace.py SAMPLE EVIDENCE`. Bags, digests, JSON pointers, rows
and lines have to be what the sample says. Prints how many places of each kind were followed."""

import csv
import gzip
import hashlib
import io
import json
import re
import sys
from pathlib import Path

sample, evidence = Path(sys.argv[1]), Path(sys.argv[2])
document = json.loads((sample / "sample.json").read_text(encoding="utf-8"))
followed = {}


def wrong(what):
    sys.exit(f"{sample}: {what}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pointed(data, pointer):
    value = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def follow(item, step, place):
    folder = evidence
    if "bag" in place:
        folder = evidence / place["bag"]["folder"]
        if sha256((folder / "tagmanifest-sha256.txt").read_bytes()) != place["bag"]["sha256"]:
            wrong(f"{folder} is another bag")
    data = (folder / place["file"]).read_bytes()
    if "sha256" in place and sha256(data) != place["sha256"]:
        wrong(f"{place['file']} is another file")
    if "bag" not in place and place["file"] not in ("ledger.jsonl",) and "sha256" not in place:
        wrong(f"{place['file']} has no digest")
    where = place["place"]
    if match := re.fullmatch(r"JSON pointer (/.*)", where):
        value = pointed(data, match[1])
        if step["title"].startswith("Raw answer") and step["title"] != "Raw answers":
            quoted = json.loads(step["quote"])
            if str(value["id"]) != str(quoted["id"]) or str(value["id"]) not in json.dumps(item):
                wrong(f"{place} is another record")
        kind = "pointer"
    elif match := re.fullmatch(r"row (\d+), the header is row 1", where):
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
        row = dict(zip(rows[0], rows[int(match[1]) - 1], strict=True))
        said = {fact["name"]: fact["value"] for fact in step["facts"]}
        if step["title"].startswith("Row of the access matrix") or step["title"] == "Change":
            if {name: value for name, value in row.items() if value} != said:
                wrong(f"{where} of {place['file']} is {row}, and the sample says {said}")
        elif step["title"] == "Proof of carrying out":
            if row["user_id"] not in json.dumps(item):
                wrong(f"{where} of {place['file']} is of another user")
        elif not any(row["rule"] in name for name in said):
            wrong(f"{where} of {place['file']} is {row}, and the sample says {said}")
        kind = "row"
    elif match := re.fullmatch(r"line (\d+)", where):
        line = json.loads(data.decode().split("\n")[int(match[1]) - 1])
        if place["file"] == "ledger.jsonl" and line["number"] != int(match[1]):
            wrong(f"{where} of the ledger is entry {line['number']}")
        kind = "line"
    else:
        kind = "file"
    followed[kind] = followed.get(kind, 0) + 1


for item in document["items"]:
    for step in item["steps"]:
        for place in step["places"]:
            follow(item, step, place)
    if not (sample / item["page"]).read_text(encoding="utf-8").startswith("<!DOCTYPE html>"):
        wrong(f"{item['page']} is no page")
population = (sample / "population.txt").read_bytes()
if sha256(population) != document["population_sha256"] or population.count(b"\n") != document["population"]:
    wrong("population.txt is another one")
json.dump(followed, sys.stdout)
