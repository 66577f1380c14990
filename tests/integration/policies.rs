//! Policies by name: which one judges, what is said of it, and what another one would have found.

use std::fs;

use serde_json::Value;

use crate::{evidence::bench, support::recompute};

const POLICIES: &str = "\n[policy.rules]\nunused-role = \"off\"\n[policy.off_reasons]\nunused-role = \"kept for partners\"\n\
                        [policies.strict]\nmax_administrators = 1\nframeworks = [\"iso27001\"]\n\
                        rules = { administrator = \"critical\", unused-role = \"low\" }\n";

#[test]
fn the_policy_of_a_job_judges_its_audit_and_stands_in_its_reports_and_its_evidence() {
    let bench = bench(30);
    let configuration = bench.read("rolecall.toml");
    let configuration = configuration.replace("[jobs.weekly]\n", "[jobs.weekly]\npolicy = \"strict\"\n") + POLICIES;
    fs::write(bench.path("rolecall.toml"), configuration).unwrap();

    let (code, shown, said) = bench.run(&["policy", "show", "strict", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let policy: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(policy["policy"]["max_administrators"], 1);
    assert_eq!(policy["policy"]["company_domains"][0], "example.com", "taken from [policy]");
    let (_, of_job, _) = bench.run(&["policy", "show", "--job", "weekly", "--format", "json"]);
    assert_eq!(of_job, shown);
    let (_, base, _) = bench.run(&["policy", "show"]);
    assert!(base.contains("[policy]") && base.contains("max_administrators = 5"), "{base}");
    assert!(base.contains("unused-role = \"kept for partners\""), "{base}");
    let (code, _, said) = bench.run(&["policy", "show", "strikt"]);
    assert!(code == 2 && said.contains("the configured policies are: base, strict"), "{said}");

    bench.audit(&["--out", "report"]);
    let report: serde_json::Value = serde_json::from_str(&bench.read("report/report.json")).unwrap();
    let digest = policy["sha256"].as_str().unwrap();
    assert_eq!((&report["policy"]["name"], &report["policy"]["sha256"]), (&policy["name"], &policy["sha256"]));
    let found = report["findings"].as_array().unwrap();
    assert!(found.iter().any(|one| one["rule"] == "too-many-administrators" && one["criterion"] == "A.5.18, A.8.2"));
    assert!(bench.read("report/report.html").contains(&format!("strict, SHA-256 {digest}")));
    assert!(bench.read("report/report.html").contains("A.8.3 of ISO/IEC 27001:2022"));

    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.filter(|path| path.join("bagit.txt").exists()).max().unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(bag.join("data/policy.json")).unwrap()).unwrap();
    assert_eq!(kept, policy);
    assert!(fs::read_to_string(bag.join("bag-info.txt")).unwrap().contains(digest));
    let (code, said) = recompute(&bag);
    assert_eq!(code, 0, "{said}");

    // What is judged again is another judgement, and says of which audit.
    assert_eq!(report.get("judged_again"), None);
    for (out, from) in [("again-1", "report/report.json"), ("again-2", bag.to_str().unwrap())] {
        let (code, _, said) = bench.run(&["audit", "--from", from, "--policy", "base", "--out", out]);
        assert_eq!(code, 0, "{said}");
        let again = json(&bench.read(&format!("{out}/report.json")));
        assert_eq!(again["judged_again"]["audit_id"], report["audit_id"]);
        assert_eq!((&again["judged_again"]["policy"], &again["policy"]["name"]), (&"strict".into(), &"base".into()));
        assert_ne!(again["audit_id"], report["audit_id"]);
        let page = bench.read(&format!("{out}/report.html"));
        let id = report["audit_id"].as_str().unwrap();
        assert!(page.contains("Judged again from audit") && page.contains(id), "{out}");
    }

    for from in ["report/report.json", bag.to_str().unwrap()] {
        let (code, same, said) = bench.run(&["audit", "--from", from]);
        assert!(code == 0 && same.contains("0 findings by this policy only (+)"), "{same}{said}");
        let (code, other, said) = bench.run(&["audit", "--from", from, "--policy", "base"]);
        assert_eq!(code, 0, "{said}");
        assert!(other.contains("- low  unused-role") && !other.contains("\n+ "), "{other}");
        assert!(other.contains("~ critical -> medium  administrator"), "{other}");
        assert!(other.contains("off: unused-role: kept for partners"), "{other}");
        let (code, _, said) = bench.run(&["audit", "--from", from, "--policy", "strict", "--fail-on", "critical"]);
        assert_eq!(code, 3, "{said}");
    }
}

const OWN: &str = r#"
[[policy.custom_rules]]
name = "own-ana"
title = "Administrator"
severity = "low"
when = 'user.administrator && user.active'
message = "{user.email} is an administrator."
fix = "Nothing."

[[policy.custom_rules]]
name = "own-young"
title = "Account of this year"
severity = "info"
when = 'now - user.created < days(36500) && user.administrator'
message = "{user.email} is new."
fix = "Nothing."
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The findings of one audit of a backtest by how they changed: rule, and subject's id.
fn by_change(audit: &Value, change: &str) -> Vec<(String, String)> {
    let all = audit["judged"]["findings"].as_array().unwrap().iter().filter(|finding| finding["change"] == change);
    all.map(|finding| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        (text("rule"), text("subject_id"))
    })
    .collect()
}

#[test]
fn a_policy_is_tried_on_the_audits_that_are_kept() {
    let bench = bench(40);
    let plain = bench.read("rolecall.toml");
    bench.audit(&["--out", "first"]);
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    let administrator = "5820190000000026011";
    let promoted = users.iter().find(|user| user["profile"]["id"] != administrator && user["status"] == "active");
    let promoted = promoted.unwrap()["id"].as_str().unwrap().to_owned();
    bench.simulator.world().edit(|world| world.set_profile(&promoted, administrator)).unwrap();
    bench.audit(&["--out", "second"]);
    let found = |folder: &str| {
        let report = json(&bench.read(&format!("{folder}/report.json")));
        report["findings"].as_array().unwrap().len()
    };
    let counts = [found("first"), found("second")];
    fs::write(bench.path("rolecall.toml"), plain + POLICIES + OWN).unwrap();
    let backtest = |more: &[&str]| {
        let (code, answer, said) = bench.run(&[&["policy", "backtest", "--since", "2026-01-01"], more].concat());
        assert_eq!(code, 0, "{said}");
        answer
    };
    let audits = |more: &[&str]| {
        let answer = json(&backtest(&[more, &["--format", "json"]].concat()));
        answer["audits"].as_array().unwrap().clone()
    };

    // From the bags: with everything, as it was.
    let both = audits(&[]);
    assert_eq!(both.len(), 2);
    for (audit, counted) in both.iter().zip(counts) {
        let judged = &audit["judged"];
        assert_eq!(
            (&judged["from"], &judged["policy"], &audit["job"]),
            (&"bag".into(), &"base".into(), &"weekly".into())
        );
        assert!(by_change(audit, "gone").iter().all(|(rule, _)| rule == "unused-role"), "{audit}");
        assert!(by_change(audit, "new").iter().all(|(rule, _)| rule.starts_with("own-")), "{audit}");
        assert_eq!(by_change(audit, "same").len() + by_change(audit, "gone").len(), counted);
        assert_eq!(by_change(audit, "unknown"), []);
    }
    let of_promoted = ("own-ana".to_owned(), promoted.clone());
    assert!(!by_change(&both[0], "new").contains(&of_promoted) && by_change(&both[1], "new").contains(&of_promoted));
    let text = backtest(&["own-ana"]);
    assert!(text.contains("(weekly), by the policy `base`, from its bag"), "{text}");
    assert!(text.contains("+ low  own-ana  ") && !text.contains("own-young"), "{text}");
    assert!(text.contains("own-ana finds something in 2, about "), "{text}");
    let strict = audits(&["--policy", "strict", "too-many-administrators"]);
    assert_eq!(strict[1]["judged"]["findings"].as_array().unwrap().len(), 1);
    assert_eq!(strict[1]["judged"]["policy"], "strict");

    // Without bags: what the store keeps of them. What it lacks is unknown, and neither gone nor new.
    fs::rename(bench.path("bags"), bench.path("elsewhere")).unwrap();
    let kept = audits(&[]);
    for (audit, from_bag) in kept.iter().zip(&both) {
        assert_eq!(audit["judged"]["from"], "snapshot");
        let gone = by_change(audit, "gone");
        assert!(gone.iter().all(|(rule, _)| rule == "unused-role"), "{gone:?}");
        let of = |audit: &Value| {
            let mut all = by_change(audit, "new");
            all.retain(|(rule, _)| rule != "own-young");
            all.sort();
            all
        };
        assert_eq!(of(audit), of(from_bag));
        let unevaluated: Vec<&Value> = audit["judged"]["not_evaluated"].as_array().unwrap().iter().collect();
        assert!(unevaluated.iter().any(|one| one["rule"] == "own-young"), "{unevaluated:?}");
    }
    assert!(audits(&["--until", "2026-01-02"]).is_empty());
    let (code, _, said) = bench.run(&["policy", "backtest", "own-anna", "--since", "2026-01-01"]);
    assert!(code == 2 && said.contains("the policy has no rule `own-anna`"), "{said}");
    let (code, _, said) = bench.run(&["policy", "backtest", "leaver-active", "--since", "2026-01-01"]);
    assert!(code == 2 && said.contains("such as a roster"), "{said}");

    // A bag that was changed is not judged, and said.
    fs::rename(bench.path("elsewhere"), bench.path("bags")).unwrap();
    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.filter(|path| path.join("bagit.txt").exists()).max().unwrap();
    fs::write(bag.join("data/policy.json"), "{}").unwrap();
    let (code, answer, said) = bench.run(&["policy", "backtest", "--since", "2026-01-01"]);
    assert!(code == 1 && said.contains("1 audit could not be judged"), "{said}");
    assert!(answer.contains("not judged: ") && answer.contains("is not as it was sealed"), "{answer}");
}

#[test]
fn what_another_policy_finds_is_written_as_reports_and_a_rule_is_tried_on_a_report() {
    let bench = bench(30);
    bench.audit(&["--out", "report"]);
    let configuration = bench.read("rolecall.toml") + POLICIES + OWN;
    fs::write(bench.path("rolecall.toml"), configuration).unwrap();
    let from = ["audit", "--from", "report/report.json", "--policy", "strict", "--out", "again"];
    let (code, shown, said) = bench.run(&[&from[..], &["--reports", "json,findings"]].concat());
    assert!(code == 0 && shown.contains("wrote again/findings.csv"), "{shown}{said}");
    let again = json(&bench.read("again/report.json"));
    assert_eq!(again["policy"]["name"], "strict");
    assert!(again["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "own-ana"));

    let (code, tried, said) =
        bench.run(&["policy", "try", "own-ana", "--report", "report/report.json", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let tried = json(&tried);
    assert!(!tried["found"].as_array().unwrap().is_empty());
    assert_eq!(tried["found"][0]["values"]["user.administrator"], "true");
}
