//! What was decided is carried out: the work list, and removals by another person than who decided.

use std::fs;

use rolecall_simulator::{ALL_SCOPES, Options};
use serde_json::{Value, json};

use crate::{
    review::{CONFIGURATION, bench_with, decide, facts, item_of, opened_in, text},
    support::{Bench, options},
    tools::read_csv,
};

/// An open review with four eyes in a workspace that allows offboarding.
fn four_eyes() -> (Bench, String) {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let bench = bench_with(Options { scopes, ..options(12) });
    bench.configure(&CONFIGURATION.replace("due_days = 14", "due_days = 14\nfour_eyes = true"));
    bench.reconfigure("data_center = \"us\"", "data_center = \"us\"\nallow_offboarding = true");
    let id = opened_in(&bench);
    (bench, id)
}

#[test]
fn a_removal_is_carried_out_only_by_somebody_else_and_the_work_list_says_what_is_left() {
    let (bench, id) = four_eyes();
    let leaver = item_of(&bench, &id, "leaver@example.com");
    let (number, by) = (text(&leaver, "item"), text(&leaver, "reviewer"));
    let (code, stdout, _) = bench.run(&["review", "work", &id]);
    assert_eq!((code, stdout.trim()), (0, "Nothing is left to carry out."));
    assert_eq!(decide(&bench, &id, number, "remove", by, &["--reason", "left in May"]).0, 0);

    let (code, stdout, said) = bench.run(&["review", "work", &id, "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let work: Value = serde_json::from_str(&stdout).unwrap();
    let row = &work[0];
    let expected = json!(["remove", "leaver@example.com", "left in May", by, by, false]);
    assert_eq!(
        json!([row["decision"], row["email"], row["reason"], row["decided_by"], row["not_by"], row["overdue"]]),
        expected
    );
    assert_eq!(bench.run(&["review", "work", &id, "--out", "work.csv"]).0, 0);
    let rows = read_csv(&bench.path("work.csv"));
    assert_eq!(rows.len(), 2);
    assert!(rows[1].contains(&"left in May".to_owned()) && rows[1].contains(&by.to_owned()), "{rows:?}");
    // Accounts to be changed may be in it: it is not a list of users to remove.
    let (code, _, said) = bench.run(&["offboard", "acme", "--from", "work.csv", "--dry-run"]);
    assert!(code == 2 && said.contains("unknown column"), "{said}");

    let remove = |more: &[&str]| {
        let all = [&["offboard", "acme", "leaver@example.com", "--confirm", "leaver@example.com"], more].concat();
        bench.run(&all)
    };
    let (code, stdout, _) = bench.run(&["offboard", "acme", "leaver@example.com", "--dry-run"]);
    assert!(code == 0 && stdout.contains(&format!("by {by} on ")) && stdout.contains(&id), "{stdout}");
    let (code, _, said) = remove(&[]);
    assert!(code == 1 && said.contains("--as ADDRESS"), "{said}");
    let (code, _, said) = remove(&["--as", by]);
    assert!(code == 1 && said.contains("another person has to carry it out"), "{said}");
    let (code, _, said) = remove(&["--as", "cat@example.com", "--review", "00000000-0000-0000-0000-000000000000"]);
    assert!(code == 1 && said.contains("has no open decision to remove"), "{said}");
    assert_eq!(facts(&bench, "offboarding_begun").len(), 0);
    let (code, _, said) = remove(&["--as", "Cat@example.com", "--review", &id]);
    assert_eq!(code, 0, "{said}");
    let begun = facts(&bench, "offboarding_begun").remove(0);
    assert_eq!(begun["by"], "person cat@example.com");
    assert_eq!(begun["decisions"], json!([{"review": id, "item": number.parse::<u32>().unwrap(), "decided_by": by}]));
    // The next audit proves it, and nothing is left to do.
    bench.run(&["audit", "--job", "weekly"]);
    assert_eq!(item_of(&bench, &id, "leaver@example.com")["carried_out"], "proven");
    assert_eq!(bench.run(&["review", "work", &id, "--format", "json"]).1.trim(), "[]");
    fs::remove_file(bench.path("work.csv")).unwrap();
}
