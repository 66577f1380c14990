"""Judges the files for other people's tools: `exchange.py FOLDER` with any of assessment-results.json (compliance-trestle,
and what its models do not ask), findings.ocsf.jsonl (py-ocsf-models, and the lists of the schema, because those models accept
any key) and junit.xml (junitparser, and a parser that refuses what is not XML 1.0). Prints what was read as JSON."""

import json
import re
import sys
import tempfile
import xml.dom.minidom
from pathlib import Path

folder = Path(sys.argv[1])
read = {}


def wrong(what):
    sys.exit(f"{folder}: {what}")


# The attributes of OCSF 1.5.0: class compliance_finding with base_event and finding, and its objects.
OCSF = {
    "": "activity_id activity_name category_name category_uid class_name class_uid compliance end_time finding_info message "
    "metadata raw_data remediation resources severity severity_id start_time status status_code status_detail status_id time "
    "type_name type_uid unmapped vendor_attributes confidence confidence_id confidence_score count duration enrichments "
    "evidences device comment observables timezone_offset",
    "compliance": "assessments category checks compliance_references compliance_standards control control_parameters desc "
    "requirements standards status status_code status_detail status_details status_id",
    "finding_info": "analytic attack_graph attacks created_time data_sources desc first_seen_time kill_chain last_seen_time "
    "modified_time product product_uid related_analytics related_events related_events_count src_url tags title traits types "
    "uid uid_alt",
    "analytic": "algorithm category desc name related_analytics state state_id type type_id uid version",
    "metadata": "correlation_uid data_classification data_classifications debug event_code extension extensions "
    "is_truncated labels log_level log_name log_provider log_version logged_time loggers modified_time original_time "
    "processed_time product profiles sequence tags tenant_uid transmit_time uid untruncated_size version",
    "product": "cpe_name data_classification data_classifications feature lang name path tags uid url_string vendor_name version",
    "resource": "criticality data group hostname ip is_backed_up labels name namespace owner resource_relationship role role_id "
    "tags type uid uid_alt version",
}
REQUIRED = "activity_id category_uid class_uid compliance finding_info metadata severity_id time type_uid"
CAPTIONS = {
    "activity": {1: "Create", 2: "Update", 3: "Close"},
    "status": {1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"},
    "severity": {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"},
}


def ocsf(path):
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    events = [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]
    for event in events:
        ComplianceFinding(**event)
        objects = {
            "": event,
            "compliance": event["compliance"],
            "finding_info": event["finding_info"],
            "analytic": event["finding_info"]["analytic"],
            "metadata": event["metadata"],
            "product": event["metadata"]["product"],
        }
        objects = [*objects.items(), *(("resource", one) for one in event["resources"])]
        for name, value in objects:
            if unknown := set(value) - set(OCSF[name].split()):
                wrong(f"OCSF has no {unknown} in {name}")
            if blank := [key for key, one in value.items() if one is None or one == []]:
                wrong(f"{blank} is empty in {name}")
        if missing := set(REQUIRED.split()) - set(event):
            wrong(f"an event has no {missing}")
        if event["class_uid"] != 2003 or event["category_uid"] != 2:
            wrong("an event is of another class")
        if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
            wrong("type_uid is not class_uid * 100 + activity_id")
        times = [event[key] for key in ("time", "start_time", "end_time")]
        times += [value for key, value in event["finding_info"].items() if key.endswith("_time")]
        if any(type(time) is not int or not 10**12 < time < 10**13 for time in times):
            wrong("a time is not in milliseconds")
        names = {"activity": event["activity_name"], "status": event["status"], "severity": event["severity"]}
        for name, said in names.items():
            if CAPTIONS[name][event[f"{name}_id"]] != said:
                wrong(f"{name} is {said}")
        if event["type_name"] != f"Compliance Finding: {event['activity_name']}":
            wrong("type_name is another")
        if event["compliance"]["status_id"] not in (1, 2, 3, 99) or not event["compliance"]["standards"]:
            wrong("compliance says nothing")
        if not all(resource.get("uid") for resource in event["resources"]) or not event["finding_info"]["uid"]:
            wrong("something has no identifier")
    ids = [event["metadata"]["uid"] for event in events]
    if len(set(ids)) != len(ids):
        wrong("two events have one uid")
    return events


def oscal(path):
    from trestle.cli import Trestle

    def trestle(*arguments):
        sys.argv = ["trestle", *map(str, arguments)]
        said = Trestle().run()
        if said != 0:
            wrong(f"trestle {arguments[0]} ended with {said}")

    with tempfile.TemporaryDirectory() as workspace:
        out, sys.stdout = sys.stdout, sys.stderr
        trestle("init", "--trestle-root", workspace)
        trestle("import", "--trestle-root", workspace, "-f", path.resolve(), "-o", "judged")
        trestle("validate", "--trestle-root", workspace, "-t", "assessment-results", "-n", "judged")
        sys.stdout = out
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)["assessment-results"]
    uuids, named, blank = [], [], []

    def walk(value, place):
        if isinstance(value, list) and not value or value is None or isinstance(value, str) and not value.strip():
            blank.append(place)
        if isinstance(value, dict):
            for key, inside in value.items():
                if key == "uuid":
                    uuids.append(inside)
                if key in ("href", "observation-uuid", "risk-uuid"):
                    named.append(inside.removeprefix("#") if key == "href" and inside.startswith("#") else inside)
                walk(inside, f"{place}/{key}")
        if isinstance(value, list):
            for number, inside in enumerate(value):
                walk(inside, f"{place}/{number}")

    walk(document, "")
    if blank:
        wrong(f"{blank} are empty")
    if len(set(uuids)) != len(uuids):
        wrong("two things have one uuid")
    version_5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    if other := [uuid for uuid in uuids if not version_5.fullmatch(uuid)]:
        wrong(f"{other} are no UUIDs of version 5")
    if dangling := [name for name in named if version_5.fullmatch(name) and name not in uuids]:
        wrong(f"{dangling} lead nowhere")
    for result in document["results"]:
        selections = result["reviewed-controls"]
        objectives = [one["objective-id"] for all in selections["control-objective-selections"] for one in all["include-objectives"]]
        controls = [one["control-id"] for all in selections["control-selections"] for one in all["include-controls"]]
        for finding in result.get("findings", []):
            target = finding["target"]["target-id"]
            if target not in objectives or target.split("_obj.")[0] not in controls:
                wrong(f"{target} was not reviewed")
    return document


def junit(path):
    import junitparser

    xml.dom.minidom.parse(str(path))
    suites = junitparser.JUnitXml.fromfile(str(path))
    cases = []
    for suite in suites:
        found = {"tests": 0, "failures": 0, "skipped": 0, "errors": 0}
        for case in suite:
            results = [type(result).__name__ for result in case.result]
            if len(results) > 1:
                wrong("a case has two ends")
            found["tests"] += 1
            found["failures"] += "Failure" in results
            found["skipped"] += "Skipped" in results
            found["errors"] += "Error" in results
            said = [result.message for result in case.result]
            cases.append([case.classname, case.name, *(results or ["Passed"]), *said])
        stated = {key: getattr(suite, key) for key in found}
        if stated != found:
            wrong(f"the suite says {stated}, and has {found}")
    if (suites.tests, suites.failures) != (len(cases), sum(case[2] == "Failure" for case in cases)):
        wrong("the sums of the suites are others")
    return cases


for name, judge in (("assessment-results.json", oscal), ("findings.ocsf.jsonl", ocsf), ("junit.xml", junit)):
    if (folder / name).exists():
        read[name] = judge(folder / name)
json.dump(read, sys.stdout)
