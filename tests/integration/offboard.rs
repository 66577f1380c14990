//! Offboarding with the real binary: what is asked of the API, what is on record, how it ends.

use std::fs;

use rolecall_simulator::{ALL_SCOPES, Options};
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
    assert!(stderr.contains("expected Another. Nobody was removed"), "{stderr}");
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
fn what_cannot_be_written_beside_the_evidence_is_not_done() {
    let (bench, ids) = bench();
    let remove = ["offboard", "acme", ids[0].as_str(), "--confirm", "first@example.com"];
    fs::write(bench.path("evidence"), "a file in the place of the folder").unwrap();
    let (code, stdout, stderr) = bench.run(&remove);
    assert_eq!((code, deletions(&bench)), (1, 0), "{stdout}{stderr}");
    fs::remove_file(bench.path("evidence")).unwrap();
    assert_eq!(bench.run(&["offboard", "acme", ids[1].as_str(), "--confirm", "second@example.com"]).0, 0);

    let ledger = bench.read("evidence/ledger.jsonl");
    fs::write(
        bench.path("evidence/ledger.jsonl"),
        ledger.replace("\"outcome\":\"removed\"", "\"outcome\":\"unknown\""),
    )
    .unwrap();
    let (code, stdout, stderr) = bench.run(&remove);
    assert_eq!((code, deletions(&bench)), (1, 1), "{stdout}{stderr}");
    assert!(stdout.contains("not tried first@example.com: the ledger's file cannot be written"), "{stdout}");
    assert_eq!(status(&bench, &ids[0]), "active");
}

#[test]
fn a_process_that_was_killed_before_it_asked_leaves_nothing_open() {
    let (bench, ids) = bench();
    let remove = ["offboard", "acme", ids[0].as_str(), "--confirm", "first@example.com"];
    let killed = bench.rolecall(&remove).env("ROLECALL_CRASH_AT", "begin_offboarding.after").output().unwrap();
    assert!(killed.status.code().is_none(), "{killed:?}");
    assert_eq!(deletions(&bench), 0);
    // Somebody else waits until it is known how that ended.
    let (code, stdout, _) = bench.run(&["offboard", "acme", ids[1].as_str(), "--confirm", "second@example.com"]);
    assert_eq!((code, deletions(&bench)), (1, 0));
    assert!(stdout.contains("its outcome is not recorded"), "{stdout}");
    let (code, stdout, stderr) = bench.run(&remove);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (begun, ended) = (facts(&bench, "offboarding_begun"), facts(&bench, "offboarding_ended"));
    assert_eq!(begun.len(), 2);
    let outcomes: Vec<_> = ended.iter().map(|end| (&end["plan"], end["outcome"].as_str().unwrap())).collect();
    assert_eq!(outcomes, [(&begun[0]["plan"], "not_removed"), (&begun[1]["plan"], "removed")]);
    assert_eq!(bench.run(&["offboard", "acme", ids[1].as_str(), "--confirm", "second@example.com"]).0, 0);
}

#[test]
fn of_the_last_two_administrators_one_stays_although_both_are_removed_at_once() {
    let (bench, ids) = bench();
    bench.simulator.world().edit(|world| {
        for id in world.user_ids() {
            let administrator = id == ids[0] || id == ids[1];
            let profile = if administrator { "5820190000000026011" } else { "5820190000000412004" };
            world.set_profile(&id, profile).unwrap();
        }
    });
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let remove = |name: &'static str| {
            let bench = &bench;
            scope.spawn(move || bench.run(&["offboard", "acme", name, "--confirm", name]).0)
        };
        ["first@example.com", "second@example.com"].map(remove).map(|one| one.join().unwrap()).to_vec()
    });
    assert!(codes.contains(&1), "{codes:?}");
    assert_eq!([0, 1].into_iter().filter(|n| status(&bench, &ids[*n]) == "active").count(), 1);
}

#[test]
fn nobody_is_removed_by_an_empty_name_and_whoever_is_gone_needs_no_confirmation() {
    let (bench, ids) = bench();
    let nameless = bench.simulator.world().edit(|world| world.add_user(&json!({"email": ""})));
    for arguments in [["", "--confirm", ""], [" ", "--confirm", " "], [nameless.as_str(), "--confirm", ""]] {
        let (code, _, stderr) = bench.run(&[&["offboard", "acme"], &arguments[..]].concat());
        assert_ne!(code, 0, "{arguments:?}: {stderr}");
    }
    assert_eq!((deletions(&bench), status(&bench, &nameless)), (0, "active".to_owned()));
    bench.simulator.world().edit(|world| world.delete(&ids[0])).unwrap();
    let (code, stdout, stderr) = bench.run(&["offboard", "acme", "first@example.com"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("was gone  first@example.com"), "{stdout}");
}

#[test]
fn an_id_and_an_address_in_one_row_have_to_mean_the_same_user() {
    let (bench, ids) = bench();
    let from = ["offboard", "acme", "--from", "leavers.csv", "--confirm", "first@example.com"];
    for (address, code) in [("second@example.com", 2), ("nobody@example.com", 2), ("First@Example.com", 0)] {
        fs::write(bench.path("leavers.csv"), format!("email,user_id\n{address},{}\n", ids[0])).unwrap();
        let (found, stdout, stderr) = bench.run(&from);
        assert_eq!(found, code, "{address}: {stdout}{stderr}");
        assert!(code == 0 || stderr.contains("line 2: user "), "{stderr}");
    }
    assert_eq!([0, 1].map(|n| status(&bench, &ids[n])), ["deleted", "active"]);
}

#[test]
fn several_from_a_file_need_one_confirmation_and_one_bad_row_stops_all() {
    let (bench, ids) = bench();
    let file = bench.path("leavers.csv");
    for (text, said) in [
        ("user_id,Email\n1,first@example.com\n", "unknown column `Email`"),
        ("email,email\nfirst@example.com,first@example.com\n", "the column `email` appears twice"),
        ("email\nfirst@example.com\n\"second@exam", "is opened and never closed"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = bench.run(&["offboard", "acme", "--from", "leavers.csv", "--dry-run"]);
        assert!(code == 2 && stderr.contains(said) && stderr.contains("nobody was removed"), "{stderr}");
    }
    fs::write(&file, "\u{feff}email,full_name\nfirst@example.com,First\nnobody@example.com,\n").unwrap();
    let from = ["offboard", "acme", "--from", "leavers.csv"];
    let (code, _, stderr) = bench.run(&[&from[..], &["--dry-run"]].concat());
    assert_eq!(code, 1, "{stderr}");
    fs::write(&file, "email\nfirst@example.com\n\"\"\n").unwrap();
    let (code, _, stderr) = bench.run(&[&from[..], &["--dry-run"]].concat());
    assert_eq!(code, 2);
    assert!(stderr.contains("line 3 has neither a user id nor an address"), "{stderr}");
    fs::write(&file, format!("user_id\n{}\n{}\n", ids[0], ids[1])).unwrap();
    let company = bench.simulator.world().read(|world| world.org()["company_name"].as_str().unwrap().to_owned());
    // Without a terminal, the refusal shows the phrase, and its code is for these two only.
    let (code, _, stderr) = bench.run(&from);
    assert_eq!(code, 2, "{stderr}");
    let phrase = stderr.split('\'').nth(1).unwrap().to_owned();
    assert!(phrase.starts_with(&format!("remove 2 users of {company} (")), "{phrase}");
    fs::write(&file, format!("user_id\n{}\n{}\n", ids[0], ids[2])).unwrap();
    let (code, _, stderr) = bench.run(&[&from[..], &["--confirm", &phrase]].concat());
    assert!(code == 1 && stderr.contains("remove 2 users of"), "other users, the same number: {stderr}");
    fs::write(&file, format!("user_id\n{}\n{}\n", ids[0], ids[1])).unwrap();
    assert_eq!(bench.run(&[&from[..], &["--confirm", "first@example.com"]].concat()).0, 1);
    assert_eq!(deletions(&bench), 0);
    let (code, stdout, stderr) = bench.run(&[&from[..], &["--confirm", &phrase]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!([0, 1, 2].map(|n| status(&bench, &ids[n])), ["deleted", "deleted", "active"]);
}
