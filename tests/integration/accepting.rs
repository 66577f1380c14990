//! From what is open to what is accepted: the lines that accept a finding, and a baseline, with the real binary.

use std::collections::BTreeMap;

use rolecall_simulator::Fault;
use serde_json::{Value, json};

use crate::support::{Bench, options};

fn findings(bench: &Bench) -> Vec<Value> {
    let (code, stdout, stderr) = bench.run(&["findings", "--accepted", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn text<'v>(finding: &'v Value, key: &str) -> &'v str {
    finding[key].as_str().unwrap_or_default()
}

fn filled_in(lines: &str) -> String {
    let lines = lines.replace("approved_by = \"\"", "approved_by = \"ana@example.com\"");
    lines.replace("reason = \"\"", "reason = \"known\"")
}

/// Findings of each status, by rule and subject.
fn of_status(findings: &[Value], status: &str) -> Vec<(String, String)> {
    let of = findings.iter().filter(|finding| finding["status"] == status);
    of.map(|finding| (text(finding, "rule").to_owned(), text(finding, "subject_id").to_owned())).collect()
}

#[test]
fn the_lines_of_a_finding_accept_it_and_no_other_once_they_are_filled_in() {
    let bench = Bench::new(options(40));
    let open = findings(&bench);
    // One finding of each rule.
    let by_rule: BTreeMap<&str, &Value> = open.iter().map(|finding| (text(finding, "rule"), finding)).collect();
    assert!(by_rule.len() > 8, "{by_rule:?}");
    let chosen: Vec<&&Value> = by_rule.values().take(4).chain(by_rule.values().rev().take(2)).collect();
    for finding in chosen {
        let lines = text(finding, "accept_with");
        bench.configure(lines);
        let (code, _, stderr) = bench.run(&["check"]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("`approved_by` must not be empty") && stderr.contains("`reason` must not be empty"));
        bench.configure(&filled_in(lines));
        let same = (text(finding, "rule").to_owned(), text(finding, "subject_id").to_owned());
        let accepted = of_status(&findings(&bench), "excepted");
        assert!(!accepted.is_empty() && accepted.iter().all(|one| *one == same), "{lines}: {accepted:?}");
    }

    // All of them together.
    bench.configure("");
    let (code, lines, stderr) = bench.run(&["findings", "--toml"]);
    assert_eq!(code, 0, "{stderr}");
    bench.configure(&filled_in(&lines));
    let (code, _, stderr) = bench.run(&["check"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let all = findings(&bench);
    assert_eq!(of_status(&all, "open"), []);
    assert_eq!(all.len(), open.len(), "no finding is hidden, and no exception is unmatched");
}

#[test]
fn a_baseline_accepts_what_is_open_and_a_new_finding_opens() {
    let bench = Bench::new(options(40));
    let before = findings(&bench);
    let (code, _, stderr) = bench.run(&["policy", "baseline"]);
    assert_eq!(code, 2, "an approver is required");
    assert!(stderr.contains("--approved-by"), "{stderr}");
    let (code, _, stderr) = bench.run(&["policy", "baseline", "--approved-by", "Ana"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("invalid address `Ana`"), "{stderr}");

    let (code, lines, stderr) = bench.run(&["policy", "baseline", "--approved-by", "ana@example.com"]);
    assert_eq!(code, 0, "{stderr}");
    bench.audit(&["--out", "out"]);
    let from = ["policy", "baseline", "--approved-by", "ana@example.com", "--from", "out/report.json"];
    assert_eq!(bench.run(&from).1, lines, "the report has what a read has");
    assert!(lines.contains("reason = \"accepted at adoption\""));
    let (code, _, stderr) = bench.run(&[&from[..], &["--out", "baseline.toml"]].concat());
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(bench.read("baseline.toml"), lines);
    assert_eq!(bench.run(&[&from[..], &["--out", "rolecall.toml"]].concat()).0, 1, "nothing is overwritten");

    bench.configure(&lines);
    assert_eq!(bench.run(&["check"]).0, 0);
    let after = findings(&bench);
    assert_eq!((of_status(&after, "open"), after.len()), (vec![], before.len()));
    let somebody = bench.simulator.world().read(|world| world.user_ids()[9].clone());
    bench
        .simulator
        .world()
        .edit(|world| world.patch_user(&somebody, &json!({"email": "new@elsewhere.example"})))
        .unwrap();
    assert_eq!(of_status(&findings(&bench), "open"), [("outside-domain".to_owned(), somebody)]);
}

#[test]
fn an_incomplete_read_is_accepted_only_if_the_policy_says_so_by_name() {
    let bench = Bench::new(options(450));
    let exception = "[[policy.exceptions]]\nrule = \"incomplete-read\"\nsubject = \"workspace\"\n\
                     approved_by = \"ana@example.com\"\nreason = \"known\"\nuntil = 2099-01-01\n";
    bench.configure(exception);
    let (code, _, stderr) = bench.run(&["check"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("must not accept findings of `incomplete-read`"), "{stderr}");
    assert!(stderr.contains("may_except"), "{stderr}");
    bench.reconfigure("[policy]\n", "[policy]\nmay_except = [\"incomplete-read\"]\n");
    assert_eq!(bench.run(&["check"]).0, 0);
    bench.configure("");
    bench.simulator.set_faults([Fault::ShortPageAlways]);
    let (_, lines, stderr) = bench.run(&["policy", "baseline", "--approved-by", "ana@example.com"]);
    assert!(!lines.contains("incomplete-read\""), "{lines}");
    assert!(lines.contains("stays open: a baseline does not accept findings of incomplete-read"), "{lines}");
    assert!(stderr.contains("the read was incomplete"), "{stderr}");
}
