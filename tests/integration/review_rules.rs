//! What was decided and not done, and what was done and not decided: found by the next audit, and by anybody who recomputes
//! it from its bag.

use std::fs;

use serde_json::json;

use crate::{
    review::{decide, item_of, items, keep_the_rest, opened, text},
    support::{Bench, recompute},
};

/// The findings of an audit by the rules about reviews: rule, subject's id and message.
fn found(bench: &Bench, folder: &str) -> Vec<(String, String, String)> {
    let mut reader = csv::Reader::from_path(bench.path(&format!("{folder}/findings.csv"))).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let [rule, subject, message] = ["rule", "subject_id", "message"].map(column);
    let rows = reader.records().map(Result::unwrap);
    let about = ["decision-not-carried-out", "changed-without-decision"];
    rows.filter(|row| about.contains(&&row[rule]))
        .map(|row| (row[rule].to_owned(), row[subject].to_owned(), row[message].to_owned()))
        .collect()
}

/// Audits, and says what was found about reviews. The bag has to give the same again.
fn audited(bench: &Bench, folder: &str) -> Vec<(String, String, String)> {
    let (_, _, said) = bench.run(&["audit", "--job", "weekly", "--out", folder]);
    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let mut bags: Vec<_> = bags.filter(|path| path.is_dir() && !path.to_string_lossy().contains("_review-")).collect();
    bags.sort();
    let bag = bags.last().unwrap_or_else(|| panic!("no bag: {said}"));
    let (code, again) = recompute(bag);
    assert_eq!(code, 0, "{again}");
    assert_eq!(again.contains("data/reviewed.json.gz"), bag.join("data/reviewed.json.gz").exists(), "{again}");
    found(bench, folder)
}

#[test]
fn an_account_that_is_changed_or_gone_while_people_decide_is_found_until_they_decide_so() {
    let (bench, id) = opened(12);
    assert_eq!(audited(&bench, "a"), []);
    let report = bench.read("a/report.json");
    assert!(report.contains("changed-without-decision"), "the rule stands in the report while there is a review");
    let leaver = item_of(&bench, &id, "leaver@example.com");
    bench.simulator.world().edit(|world| world.remove_user(text(&leaver, "user_id"))).unwrap();
    let gone = audited(&bench, "b");
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].0, "changed-without-decision");
    let by = text(&leaver, "reviewer");
    let reason = ["--reason", "left in May"];
    assert_eq!(decide(&bench, &id, text(&leaver, "item"), "remove", by, &reason).0, 0);
    assert_eq!(audited(&bench, "c"), []);
    assert!(bench.read("c/changes.csv").contains("finding-resolved"), "{}", bench.read("c/changes.csv"));
    assert_eq!(item_of(&bench, &id, "leaver@example.com")["carried_out"], "proven");
    // When nothing is left to look at, an audit has neither the rules nor the file.
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    assert_eq!(audited(&bench, "d"), []);
    assert!(!bench.read("d/report.json").contains("changed-without-decision"));
}

#[test]
fn a_removal_that_is_not_carried_out_in_time_is_found_also_after_the_close() {
    let (bench, id) = opened(12);
    let leaver = item_of(&bench, &id, "leaver@example.com");
    let by = text(&leaver, "reviewer");
    assert_eq!(decide(&bench, &id, text(&leaver, "item"), "remove", by, &["--reason", "left in May"]).0, 0);
    assert_eq!(audited(&bench, "a"), []);
    // Three weeks later, as far as the record knows.
    let store = bench.path("rolecall.db");
    let sql = "UPDATE review_event SET at = at - 1814400000";
    let output = std::process::Command::new("python3")
        .args(["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"])
        .args([store.as_os_str(), sql.as_ref()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(audited(&bench, "b").len(), 1, "also while the review is open");
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    let late = audited(&bench, "c");
    assert_eq!(late.len(), 1, "{late:?}");
    let (rule, subject, message) = &late[0];
    assert_eq!((rule.as_str(), subject.as_str()), ("decision-not-carried-out", text(&leaver, "user_id")));
    for expected in [by, "to remove it", "“quarterly”", &id, "is overdue for 7 days"] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let item = items(&bench, &id).into_iter().find(|item| item["email"] == "leaver@example.com").unwrap();
    assert_eq!((&item["carried_out"], &item["overdue"]), (&json!("open"), &json!(true)));
}
