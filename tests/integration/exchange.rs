//! The files for other people's tools, judged by tools of those who use them: compliance-trestle, py-ocsf-models, junitparser.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::{
    evidence::{self, judge},
    export::days,
    hostile,
    support::Bench,
    tools::{read_csv, run_script},
};

const KINDS: [&str; 2] = ["--reports", "oscal,ocsf,junit,findings"];
const OCSF: &str = "findings.ocsf.jsonl";
const OSCAL: &str = "assessment-results.json";

/// What the judges read in a folder.
fn judged(folder: &Path) -> Value {
    serde_json::from_slice(&run_script("exchange.py", &[folder])).unwrap()
}

fn audited(bench: &Bench, out: &str) -> Value {
    bench.audit(&[&["--out", out][..], &KINDS[..]].concat());
    judged(&bench.path(out))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The last activity and status of each finding of OCSF, as a monitoring system would have them after these events.
fn follow(known: &mut BTreeMap<String, (u64, u64)>, events: &[Value]) {
    for event in events {
        let uid = event["finding_info"]["uid"].as_str().unwrap().to_owned();
        let number = |key: &str| event[key].as_u64().unwrap();
        known.insert(uid, (number("activity_id"), number("status_id")));
    }
}

#[test]
fn names_that_attack_reach_the_tools_as_text() {
    let (bench, names) = hostile::audited();
    let read = audited(&bench, "others");
    let cases = serde_json::to_string(&read["junit.xml"]).unwrap();
    let events = serde_json::to_string(&read[OCSF]).unwrap();
    for name in ["<script>alert(1)</script>", "{{7*7}} {% include \\\"x\\\" %} &lt;b&gt; &amp;"] {
        assert!(names.iter().any(|one| one.contains(&name.replace("\\\"", "\""))), "{name}");
        assert!(cases.contains(name) && events.contains(name), "{name}");
    }
    let oscal = serde_json::to_string(&read[OSCAL]).unwrap();
    assert!(oscal.contains("\\\\<script\\\\>alert(1)\\\\</script\\\\>"), "markup is not escaped");
    let findings = read_csv(&bench.path("others/findings.csv"));
    let result = &read[OSCAL]["results"][0];
    assert_eq!(list(&result["risks"]).len(), findings.len() - 1);
}

#[test]
fn the_default_reports_are_as_before() {
    let bench = evidence::bench(12);
    bench.audit(&["--out", "out"]);
    let mut names: Vec<String> = fs::read_dir(bench.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let six = ["access-matrix.csv", "changes.csv", "findings.csv", "report.html", "report.json", "report.xlsx"];
    assert_eq!(names, six);
}

#[test]
fn a_finding_that_is_gone_is_closed_and_a_period_gives_what_its_audits_gave() {
    let bench = evidence::bench(40);
    let mut known = BTreeMap::new();
    let mut one_by_one = String::new();
    for (number, out) in ["1", "2", "3"].into_iter().enumerate() {
        if number == 1 {
            bench
                .simulator
                .world()
                .edit(|world| {
                    let user = world.user_ids()[30].clone();
                    world.promote(&user)
                })
                .unwrap();
        }
        if number == 2 {
            bench.simulator.world().edit(|world| {
                let user = world.user_ids()[30].clone();
                world.set_profile(&user, "5820190000000026014").unwrap();
            });
        }
        let read = audited(&bench, out);
        let events = list(&read[OCSF]);
        follow(&mut known, events);
        one_by_one += &bench.read(&format!("{out}/{OCSF}"));
        // What is open there is what is open here.
        let rows = read_csv(&bench.path(&format!("{out}/findings.csv")));
        let mut open: Vec<String> =
            rows[1..].iter().map(|row| format!("acme/{}/{}/{}", row[2], row[3], row[4])).collect();
        open.sort();
        open.dedup();
        let is_finding = |uid: &str| uid.matches('/').count() == 3;
        let followed = known.iter().filter(|(uid, (activity, _))| is_finding(uid) && *activity != 3);
        assert_eq!(followed.map(|(uid, _)| uid.clone()).collect::<Vec<_>>(), open, "audit {out}");
    }
    let resolved = known.iter().filter(|(uid, end)| uid.matches('/').count() == 3 && **end == (3, 4));
    assert!(resolved.count() > 0, "nothing was closed: {known:?}");

    let [from, to] = days();
    let period = ["evidence", "export", "--from", &from, "--to", &to, "--as"];
    let export = |format: &str, out: &str| bench.run(&[&period[..], &[format, "--out", out]].concat());
    fs::create_dir(bench.path("period")).unwrap();
    for (format, name) in [("oscal", OSCAL), ("ocsf", OCSF)] {
        let out = format!("period/{name}");
        let (code, printed, said) = export(format, &out);
        assert!(code == 0 && printed.contains("(3 audits)"), "{printed}{said}");
        let (code, _, said) = export(format, &out);
        assert!(code == 1 && said.contains("exists already"), "{said}");
        assert_eq!(export(format, "again").0, 0);
        assert_eq!(bench.read("again"), bench.read(&out), "{format} is not reproducible");
        fs::remove_file(bench.path("again")).unwrap();
    }
    let read = judged(&bench.path("period"));
    // Only the bag is said in addition: it was not sealed when the audit wrote its own.
    let without_bag = |text: &str| -> Vec<Value> {
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events
            .map(|mut event| {
                let unmapped = event["unmapped"].as_object_mut().unwrap();
                unmapped.remove("evidence_bag");
                unmapped.remove("evidence_sha256");
                event
            })
            .collect()
    };
    assert_eq!(without_bag(&bench.read(&format!("period/{OCSF}"))), without_bag(&one_by_one));
    assert_eq!(list(&read[OSCAL]["results"]).len(), 3);
    let resources = list(&read[OSCAL]["back-matter"]["resources"]);
    for resource in &resources[1..] {
        let link = &resource["rlinks"][0];
        let sum = format!("{}  {}\n", link["hashes"][0]["value"].as_str().unwrap(), link["href"].as_str().unwrap());
        fs::write(bench.path("sums"), sum).unwrap();
        let (same, said) = judge(&bench.path("bags"), "sha256sum", &["--check", "--strict", "../sums"]);
        assert!(same, "{said}");
    }
}

#[test]
fn an_accepted_finding_that_is_gone_is_closed() {
    let bench = evidence::bench(40);
    let world = bench.simulator.world();
    let user = world.read(|world| world.user_ids()[30].clone());
    world.edit(|world| world.promote(&user)).unwrap();
    let mut known = BTreeMap::new();
    follow(&mut known, list(&audited(&bench, "1")[OCSF]));
    let rows = read_csv(&bench.path("1/findings.csv"));
    let rules: Vec<&str> = rows.iter().filter(|row| row[4] == user).map(|row| row[2].as_str()).collect();
    assert!(!rules.is_empty(), "{rows:?}");

    let plain = bench.read("rolecall.toml");
    let exception = |rule: &&str| {
        format!(
            "\n[[policy.exceptions]]\nrule = \"{rule}\"\nsubject = \"{user}\"\napproved_by = \"bo@example.com\"\n\
             reason = \"handover\"\nuntil = 2099-12-31\n"
        )
    };
    fs::write(bench.path("rolecall.toml"), plain + &rules.iter().map(exception).collect::<String>()).unwrap();
    follow(&mut known, list(&audited(&bench, "2")[OCSF]));
    let told = |known: &BTreeMap<String, (u64, u64)>| -> Vec<(u64, u64)> {
        rules.iter().map(|rule| known[&format!("acme/{rule}/user/{user}")]).collect()
    };
    assert_eq!(told(&known), vec![(2, 3); rules.len()], "suppressed");
    world.edit(|world| world.set_profile(&user, "5820190000000026014")).unwrap();
    follow(&mut known, list(&audited(&bench, "3")[OCSF]));
    assert_eq!(told(&known), vec![(3, 4); rules.len()], "closed");
}

#[test]
fn an_audit_that_is_judged_again_is_written_for_other_tools_too() {
    let bench = evidence::bench(12);
    bench.audit(&["--out", "out"]);
    bench.audit(&[&["--from", "out/report.json", "--out", "again"][..], &KINDS[..]].concat());
    let read = judged(&bench.path("again"));
    assert!(!list(&read["junit.xml"]).is_empty());
    let states: Vec<&Value> =
        list(&read[OSCAL]["results"][0]["findings"]).iter().map(|one| &one["target"]["status"]["state"]).collect();
    assert!(states.iter().any(|state| *state == "satisfied") && states.iter().any(|state| *state == "not-satisfied"));
}
