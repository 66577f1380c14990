"""What must be there after `tests/soak`, worked out without rolecall: from the cron expressions, the bytes of the mails, the
rows of the store, the lines of its ledger and the files of the bags."""

import collections
import email
import hashlib
import json

import cron


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def runs(jobs, rows, window):
    """Each fire time of each job and workspace is one run. `rows`: job, workspace, seconds since 1970, state, id.

    What must be there begins when the first daemon was ready and ends when the schedules were changed; what may be there
    begins with the start of the first daemon and ends when all had the changed schedules."""
    launched, ready, changing, changed = window
    problems = []
    found = collections.Counter((job, workspace, at) for job, workspace, at, _, _ in rows)
    problems += [f"{count} runs for {key}" for key, count in found.items() if count > 1]
    for job, (expression, workspaces) in jobs.items():
        must = cron.times(expression, ready + 1, changing - 1)
        may = cron.times(expression, launched, changed)
        for workspace in workspaces:
            made = {at for name, of, at in found if (name, of) == (job, workspace)}
            problems += [f"no run: {job} {workspace} {at}" for at in sorted(must - made)]
            problems += [f"not a fire time: {job} {workspace} {at}" for at in sorted(made - may)]
    problems += [f"left as {state}: run {run}" for *_, state, run in rows if state not in ("closed", "failed")]
    return problems


def mails(rows, recipients, contents):
    """Each report as one message for each recipient, however often that message came."""
    problems, reports, copies = [], collections.defaultdict(set), collections.defaultdict(list)
    for content in contents:
        message = email.message_from_bytes(content)
        identity = message["Message-ID"].strip()
        copies[identity].append(sha256(content))
        for part in message.walk():
            if part.get_content_type() == "application/json":
                report = json.loads(part.get_payload(decode=True))
                reports[report["audit_id"], message["To"]].add(identity)
    problems += [f"different messages as {identity}" for identity, all_of in copies.items() if len(set(all_of)) > 1]
    for *_, state, run in rows:
        for recipient in recipients:
            count = len(reports.pop((run, recipient), ()))
            if count != (state == "closed"):
                problems.append(f"{count} reports to {recipient}: run {run}, {state}")
    problems += [f"a report of no run to {recipient}: {run}" for run, recipient in reports]
    again = sum(len(all_of) > 1 for all_of in copies.values())
    return problems, copies, again


def on_record(known, copies):
    """What the store says of messages agrees with what has arrived. `known`: what `rolecall runs` says."""
    problems, states = [], {}
    for run in known:
        for message in run["messages"]:
            states[message["message_id"]] = message["state"]
    problems += [f"accepted, but never arrived: {one}" for one, state in states.items() if state == "accepted" and one not in copies]
    problems += [f"still {state}: {one}" for one, state in states.items() if state not in ("accepted", "rejected")]
    problems += [f"arrived, but is not in the store: {one}" for one in copies if one not in states]
    return problems


def ledger(lines, kept):
    """The lines of the store are one chain, and the evidence has the same ones. Gives the entries, too."""
    problems, previous, entries = [], "0" * 64, []
    for number, line in enumerate(lines, 1):
        entry = json.loads(line)
        if entry["number"] != number or entry["previous"] != previous:
            problems.append(f"the chain is broken at entry {number}")
        previous = sha256(line.encode())
        entries.append(entry)
    if kept.splitlines() != lines:
        problems.append(f"the ledger has {len(lines)} entries in the store and {len(kept.splitlines())} in the evidence, or others")
    return problems, entries


def proof(rows, recipients, entries, bags):
    """Each closed run is in the ledger once, with its deliveries and a bag, and every bag is whole."""
    problems, recorded, delivered = [], collections.defaultdict(list), collections.Counter()
    for entry in entries:
        if entry["fact"] == "recorded":
            recorded[entry["run"]].append(entry)
        elif entry["fact"] == "delivery" and entry["accepted"] and entry["kind"] == "report":
            delivered[entry["run"], entry["recipient"]] += 1
    sealed = {}
    for name, files in bags:
        sealed[name] = sha256(files.get("tagmanifest-sha256.txt", b""))
        listed = set()
        for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            for line in files.get(manifest, b"").decode().splitlines():
                digest, path = line.split(maxsplit=1)
                listed.add(path)
                if sha256(files.get(path, b"")) != digest:
                    problems.append(f"the bag {name} is not whole: {path}")
        if "data/report.json" in files and "tagmanifest-sha256.txt.sig" not in files:
            problems.append(f"the bag {name} is not signed")
        unlisted = {path for path in set(files) - listed if not path.startswith("tagmanifest-")}
        problems += [f"the bag {name} has a file that was not sealed: {path}" for path in unlisted]
    for *_, state, run in rows:
        of_this = recorded.pop(run, [])
        if len(of_this) != (state == "closed"):
            problems.append(f"recorded {len(of_this)} times in the ledger: run {run}, {state}")
        for entry in of_this:
            bag = entry.get("bag") or {}
            if sealed.get(bag.get("folder")) != bag.get("sha256"):
                problems.append(f"no bag, or another than the ledger names: run {run}")
        if state == "closed":
            problems += [
                f"{delivered[run, recipient]} deliveries to {recipient} in the ledger: run {run}"
                for recipient in recipients
                if delivered[run, recipient] != 1
            ]
    problems += [f"the ledger has a run that the store does not have: {run}" for run in recorded]
    return problems, len(sealed)
