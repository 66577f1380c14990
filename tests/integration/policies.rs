//! Policies by name: which one judges, what is said of it, and what another one would have found.

use std::fs;

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
