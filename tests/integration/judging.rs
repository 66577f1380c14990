//! What a report says first is true: full power however it is held, and a looser policy.

use serde_json::Value;

use crate::{
    support::{Bench, options},
    tools::{read_csv, read_mail},
};

/// Audits into a folder and gives its report and the subject of its mail.
fn audited(bench: &Bench, out: &str) -> (Value, String) {
    bench.audit(&["--out", out, "--send"]);
    let report = serde_json::from_str(&bench.read(&format!("{out}/report.json"))).unwrap();
    let mails = bench.mails();
    let mail = read_mail(mails.last().unwrap());
    let headers = mail["headers"].as_array().unwrap();
    let subject = headers.iter().find(|header| header[0] == "Subject").unwrap()[1].as_str().unwrap().to_owned();
    (report, subject)
}

/// Changes of `changes.csv`: kind, kind of subject, subject, field, before, after.
fn changes(bench: &Bench, out: &str) -> Vec<[String; 6]> {
    let rows = read_csv(&bench.path(&format!("{out}/changes.csv")));
    rows[1..].iter().map(|row| [1, 2, 4, 5, 6, 7].map(|at| row[at].clone())).collect()
}

/// Configures with more in the policy, and more at the end.
fn configure(bench: &Bench, policy: &str, more: &str) {
    bench.configure(more);
    let domains = "company_domains = [\"example.com\"]";
    bench.reconfigure(domains, &format!("{domains}\n{policy}"));
}

/// Active users of a profile, by name.
fn holders(bench: &Bench, profile: &str) -> Vec<Value> {
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    users.into_iter().filter(|user| user["status"] == "active" && user["profile"]["name"] == profile).collect()
}

#[test]
fn a_promotion_through_a_clone_is_said_first_and_stays_high_until_it_is_approved() {
    let bench = Bench::new(options(48));
    let (first, _) = audited(&bench, "1");
    let clones = holders(&bench, "Operations Lead").len();
    let administrators = holders(&bench, "Administrator").len();
    assert!(clones > 0, "the simulated workspace has a clone of Administrator");
    assert_eq!(first["summary"]["administrators"], clones + administrators);
    let verdict = first["summary"]["verdict"].as_str().unwrap();
    let ways = format!("({administrators} by an administrator profile, {clones} by an equivalent profile)");
    assert!(verdict.contains(&ways), "{verdict}");

    let promoted = holders(&bench, "Standard").swap_remove(0);
    let (id, name) = (promoted["id"].as_str().unwrap(), promoted["full_name"].as_str().unwrap());
    let email = promoted["email"].as_str().unwrap();
    bench.simulator.world().edit(|world| {
        let profile =
            world.profiles().iter().find(|profile| profile["name"] == "Operations Lead").unwrap()["id"].clone();
        world.set_profile(id, profile.as_str().unwrap()).unwrap();
    });
    let (second, subject) = audited(&bench, "2");
    assert!(subject.starts_with(&format!("[rolecall] acme: +1 administrator ({name}), ")), "{subject}");
    let verdict = second["summary"]["verdict"].as_str().unwrap();
    let said = format!("“{name}” got full power through profile Operations Lead since the previous audit. ");
    assert!(verdict.starts_with(&said), "{verdict}");
    let expected = ["full-power-granted", "user", name, "profile", "Standard", "Operations Lead"].map(str::to_owned);
    assert_eq!(changes(&bench, "2")[0], expected);
    let of = |out: &str, rule: &str| {
        let rows = read_csv(&bench.path(&format!("{out}/findings.csv")));
        let found = rows.into_iter().find(|row| row[2] == rule && row[4] == id);
        found.map(|row| [row[1].clone(), row[7].clone(), row[8].clone()])
    };
    assert_eq!(of("2", "administrator-clone").unwrap(), ["high", "open", "new"]);
    assert_eq!(of("2", "new-full-power").unwrap(), ["high", "open", "new"]);
    let matrix = read_csv(&bench.path("2/access-matrix.csv"));
    let row = matrix.iter().find(|row| row[1] == id).unwrap();
    assert_eq!((&*matrix[0][12], &*row[10], &*row[12]), ("power", "false", "equivalent"));
    let (code, listed, _) = bench.run(&["users", "--administrators", "--status", "active", "--format", "csv"]);
    assert!(code == 0 && listed.lines().count() == 1 + clones + administrators + 1 && listed.contains(id), "{listed}");

    // Next week nothing changes, and it is not approved.
    let (third, _) = audited(&bench, "3");
    assert_eq!(of("3", "new-full-power").unwrap(), ["high", "open", "continuing"]);
    let verdict = third["summary"]["verdict"].as_str().unwrap();
    assert!(
        verdict.starts_with(&format!("Full power that was new at an earlier audit has not been approved: “{name}”.")),
        "{verdict}"
    );

    // A rule that was off for a week has forgotten nothing.
    configure(&bench, "rules = { new-full-power = \"off\" }", "");
    audited(&bench, "4");
    assert_eq!(of("4", "new-full-power"), None);
    bench.configure("");
    audited(&bench, "5");
    assert_eq!(of("5", "new-full-power").unwrap()[..2], ["high", "open"]);

    configure(&bench, &format!("approved_administrators = [\"{email}\"]"), "");
    let (approved, _) = audited(&bench, "6");
    assert_eq!(of("6", "new-full-power"), None);
    assert!(!approved["summary"]["verdict"].as_str().unwrap().contains("Nobody has decided"));
}

#[test]
fn a_policy_with_twelve_rules_off_is_said_and_is_not_green() {
    let bench = Bench::new(options(20));
    let (before, _) = audited(&bench, "1");
    let open: Vec<String> = before["findings"].as_array().unwrap().iter().map(|one| one["rule"].to_string()).collect();
    assert!(!open.is_empty());
    let rules = before["rules"].as_array().unwrap();
    let found = rules.iter().filter(|rule| rule["result"] == "failed" || rule["result"] == "not-evaluated");
    let mut off: Vec<&str> = found.map(|rule| rule["rule"].as_str().unwrap()).collect();
    off.extend(rules.iter().filter(|rule| rule["result"] == "passed").map(|rule| rule["rule"].as_str().unwrap()));
    let number = off.len() - 1;
    let lines: Vec<String> = off[..number].iter().map(|rule| format!("{rule} = \"off\"")).collect();
    configure(&bench, &format!("max_administrators = 50\nrules = {{ {} }}", lines.join(", ")), "");
    let (after, subject) = audited(&bench, "2");
    let verdict = after["summary"]["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("The policy is looser than at the previous audit: "), "{verdict}");
    assert!(verdict.contains(&format!("{number} rules switched off (")), "{verdict}");
    assert!(verdict.contains("max_administrators is 50 (was 5)"), "{verdict}");
    assert!(
        verdict.contains(&format!("{number} of {} rules are switched off by the policy.", rules.len())),
        "{verdict}"
    );
    assert!(verdict.contains("no longer counted because the policy changed"), "{verdict}");
    assert!(!verdict.contains("resolved since"), "{verdict}");
    assert!(subject.starts_with("[rolecall] acme: policy is looser, "), "{subject}");
    assert!(subject.contains(&format!("{number} rules off, 1 setting looser than default")), "{subject}");
    assert_eq!(after["summary"]["state"], "clear");
    let html = bench.read("2/report.html");
    assert!(html.contains("class=\"answer neutral\""), "it is not green");
    let changes = changes(&bench, "2");
    assert!(changes.iter().all(|change| change[0] != "finding-resolved"), "{changes:?}");
    let limit = ["policy-changed", "policy", "max_administrators (looser)", "max_administrators", "5", "50"];
    assert!(changes.contains(&limit.map(str::to_owned)), "{changes:?}");
    let switched = changes.iter().filter(|change| change[3] == "rules" && change[5] == "off").count();
    assert_eq!(switched, number);
}

#[test]
fn a_loosened_policy_resolves_nothing_and_is_in_the_ledger() {
    let bench = Bench::new(options(48));
    let evidence = "[evidence]\ndirectory = \"bags\"\n";
    let approved: Vec<String> = holders(&bench, "Administrator")
        .iter()
        .map(|user| format!("\"{}\"", user["email"].as_str().unwrap()))
        .collect();
    configure(&bench, &format!("approved_administrators = [{}]", approved[0]), evidence);
    audited(&bench, "1");
    let loose = format!(
        "approved_administrators = [{}]\nmax_administrators = 50\nmax_administrator_percent = 100.0\n\
         rules = {{ administrator-clone = \"off\" }}\n\
         [[policy.exceptions]]\nrule = \"dangerous-profile\"\nsubject = \"Data Steward\"\napproved_by = \"x@example.com\"\n\
         reason = \"known\"\nuntil = 2099-01-01",
        approved.join(", ")
    );
    configure(&bench, &loose, evidence);
    let (after, _) = audited(&bench, "2");
    let verdict = after["summary"]["verdict"].as_str().unwrap();
    assert!(verdict.contains("The policy is looser than at the previous audit: "), "{verdict}");
    assert!(verdict.contains("administrators approved ("), "{verdict}");
    let changes = changes(&bench, "2");
    let kinds = |kind: &str| changes.iter().filter(|change| change[0] == kind).count();
    assert_eq!(kinds("finding-resolved"), 0, "{changes:?}");
    assert!(kinds("finding-not-counted") >= approved.len(), "{changes:?}");
    assert_eq!(kinds("finding-accepted"), 1, "{changes:?}");
    let findings = read_csv(&bench.path("2/findings.csv"));
    assert!(findings.iter().any(|row| row[2] == "long-exception"), "an exception until 2099 is a finding");
    let (_, printed, warned) = bench.run(&["check"]);
    assert!(format!("{printed}{warned}").contains("lasts longer than 366 days"), "{printed}{warned}");
    let ledger = bench.read("bags/ledger.jsonl");
    let last = ledger.lines().rev().find(|line| line.contains("\"fact\":\"recorded\"")).unwrap();
    assert!(last.contains("max_administrators: 5 → 50"), "{last}");
    assert!(last.contains("rules.administrator-clone: high → off"), "{last}");
    let bags = std::fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.filter(|path| path.join("bagit.txt").exists()).max().unwrap();
    let (code, said) = crate::support::recompute(&bag);
    assert!(code == 0 && !said.contains("DIFFERS"), "the previous policy is in the bag: {said}");

    // A third audit with the same policy has nothing more to say of it.
    audited(&bench, "3");
    let third = read_csv(&bench.path("3/changes.csv"));
    assert_eq!(third.len(), 1, "{third:?}");
}
