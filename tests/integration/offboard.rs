//! Offboarding with the real binary: what is asked of the API, what is on record, how it ends.

use std::fs;

use rolecall::simulator::{ALL_SCOPES, Options};
use serde_json::{Value, json};

use crate::support::{Bench, options};

const EVIDENCE: &str = "[evidence]\ndirectory = \"evidence\"\nsigning_key = { file = \"key\" }\n";

/// A workspace that allows offboarding, with signed evidence and some users who may go.
fn bench() -> (Bench, Vec<String>) {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let bench = Bench::new(Options { scopes, ..options(20) });
    assert_eq!(bench.run(&["evidence", "init-key", "--out", "key"]).0, 0);
    bench.configure(EVIDENCE);
    bench.reconfigure("data_center = \"us\"", "data_center = \"us\"\nallow_offboarding = true");
    let leavers = ["first", "second", "third"];
    let add = |name: &str| {
        let user = json!({"email": format!("{name}@example.com")});
        bench.simulator.world().edit(|world| world.add_user(&user))
    };
    let ids = leavers.map(add).to_vec();
    (bench, ids)
}

fn deletions(bench: &Bench) -> usize {
    bench.simulator.journal().calls().iter().filter(|call| call.method == "DELETE").count()
}

fn status(bench: &Bench, id: &str) -> String {
    bench.simulator.world().read(|world| world.user(id).unwrap()["status"].as_str().unwrap().to_owned())
}

/// The facts of a kind in the ledger's file.
fn facts(bench: &Bench, kind: &str) -> Vec<Value> {
    let ledger = bench.read("evidence/ledger.jsonl");
    ledger
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|fact| fact["fact"] == kind)
        .collect()
}

#[test]
fn a_dry_run_shows_the_plan_and_the_exact_request_and_asks_for_nothing() {
    let (bench, ids) = bench();
    let (code, stdout, stderr) = bench.run(&["offboard", "acme", "first@example.com", "--dry-run"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("DELETE {}/bigin/v2/users/{}", bench.simulator.base_url(), ids[0])), "{stdout}");
    assert!(stdout.contains("Sales Rep") && stdout.contains("Standard"), "{stdout}");
    assert_eq!((deletions(&bench), status(&bench, &ids[0])), (0, "active".to_owned()));
}

#[test]
fn nothing_happens_without_the_right_confirmation_or_where_it_is_not_allowed() {
    let (bench, ids) = bench();
    let (code, _, stderr) = bench.run(&["offboard", "acme", &ids[0]]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--confirm 'first@example.com'"), "{stderr}");
    let (code, _, stderr) = bench.run(&["offboard", "acme", &ids[0], "--confirm", "second@example.com"]);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(bench.run(&["offboard", "acme", "nobody@example.com", "--confirm", "nobody@example.com"]).0, 1);
    let (code, _, stderr) =
        bench.run(&["offboard", "acme", &ids[0], "--confirm", "first@example.com", "--organization", "Another"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("and not to Another; nobody was removed"), "{stderr}");
    bench.reconfigure("allow_offboarding = true", "allow_offboarding = false");
    let (code, _, stderr) = bench.run(&["offboard", "acme", &ids[0], "--confirm", "first@example.com"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("allow_offboarding = true"), "{stderr}");
    assert_eq!((deletions(&bench), status(&bench, &ids[0])), (0, "active".to_owned()));
}

#[test]
fn a_removal_is_on_record_and_the_evidence_verifies() {
    let (bench, ids) = bench();
    let remove = ["offboard", "acme", ids[0].as_str(), "--confirm", "first@example.com"];
    let (code, stdout, stderr) = bench.run(&remove);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("removed   first@example.com"), "{stdout}");
    assert_eq!((deletions(&bench), status(&bench, &ids[0])), (1, "deleted".to_owned()));
    let (begun, ended) = (facts(&bench, "offboarding_begun"), facts(&bench, "offboarding_ended"));
    assert_eq!((begun.len(), ended.len()), (1, 1));
    assert_eq!(begun[0]["user"], ids[0].as_str());
    assert_eq!(ended[0]["outcome"], "removed");

    let (code, stdout, _) = bench.run(&remove);
    assert_eq!((code, deletions(&bench)), (0, 1));
    assert!(stdout.contains("was gone  first@example.com"), "{stdout}");
    bench.audit(&["--workspace", "acme"]);
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

#[test]
fn several_from_a_file_need_one_confirmation_and_one_bad_row_stops_all() {
    let (bench, ids) = bench();
    let file = bench.path("leavers.csv");
    fs::write(&file, "\u{feff}email,note\nfirst@example.com,left\nnobody@example.com,\n").unwrap();
    let from = ["offboard", "acme", "--from", "leavers.csv"];
    let (code, _, stderr) = bench.run(&[&from[..], &["--dry-run"]].concat());
    assert_eq!(code, 1, "{stderr}");
    fs::write(&file, "email\nfirst@example.com\n\"\"\n").unwrap();
    let (code, _, stderr) = bench.run(&[&from[..], &["--dry-run"]].concat());
    assert_eq!(code, 2);
    assert!(stderr.contains("row 3 names nobody"), "{stderr}");
    fs::write(&file, format!("user_id\n{}\n{}\n", ids[0], ids[1])).unwrap();
    let company = bench.simulator.world().read(|world| world.org()["company_name"].as_str().unwrap().to_owned());
    let phrase = format!("remove 2 users of {company}");
    assert_eq!(bench.run(&[&from[..], &["--confirm", "first@example.com"]].concat()).0, 1);
    assert_eq!(deletions(&bench), 0);
    let (code, stdout, stderr) = bench.run(&[&from[..], &["--confirm", &phrase]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!([0, 1, 2].map(|n| status(&bench, &ids[n])), ["deleted", "deleted", "active"]);
}
