//! Who had which access when: from the store, and from the evidence where the store has forgotten.

use std::process::Command;

use serde_json::Value;

use crate::{
    evidence::bench,
    support::Bench,
    tools::{read_csv, tool},
};

/// A bench that was audited, changed and audited again; the address of whoever was promoted.
fn changed() -> (Bench, String) {
    let bench = bench(20);
    bench.audit(&[]);
    let promoted = bench.simulator.world().edit(|world| {
        let users = world.users();
        let ordinary = |user: &&Value| {
            user["status"] == "active" && user["confirm"] == true && user["profile"]["name"] == "Standard"
        };
        let user = users.iter().find(ordinary).unwrap();
        world.promote(user["id"].as_str().unwrap()).unwrap();
        user["email"].as_str().unwrap().to_owned()
    });
    bench.audit(&[]);
    (bench, promoted)
}

fn json(bench: &Bench, arguments: &[&str]) -> Value {
    let (code, out, said) = bench.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(&out).unwrap()
}

/// Deletes the snapshots from the store, as retention does.
fn forget(bench: &Bench) {
    let script = "import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute('DELETE FROM snapshot_part')
store.execute('UPDATE audit SET has_snapshot = 0')
store.commit()";
    let done = Command::new(tool("python")).args(["-c", script]).arg(bench.path("rolecall.db")).status().unwrap();
    assert!(done.success());
}

/// What the three commands say, without what depends on the place it comes from.
fn answers(bench: &Bench, user: &str) -> [Value; 3] {
    let history = json(bench, &["history", user]);
    let audits = [&history[0]["first_seen"]["audit"], &history[1]["first_seen"]["audit"]];
    let [before, after] = audits.map(|audit| audit.as_str().unwrap().to_owned());
    let day = history[1]["first_seen"]["at"].as_str().unwrap().to_owned();
    let access = json(bench, &["access", "--as-of", &day, "--user", user]);
    let diff = json(bench, &["diff", &before, &after]);
    [history, access, diff]
}

#[test]
fn a_promotion_is_dated_between_two_audits_from_the_store_and_from_the_evidence() {
    let (bench, promoted) = changed();
    let [history, access, diff] = answers(&bench, &promoted);
    let periods = history.as_array().unwrap();
    assert_eq!(periods.len(), 2, "{history:#}");
    assert_eq!(periods[0]["access"]["profile_name"], "Standard");
    assert_eq!(periods[1]["access"]["profile_name"], "Administrator");
    assert_eq!(periods[1]["changed_after"], periods[0]["last_seen"]);
    let changes: Vec<&str> =
        periods[1]["changes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(changes.contains(&"profile: Administrator (was Standard)"), "{changes:?}");
    assert!(changes.iter().any(|change| change.starts_with("may now: ")), "{changes:?}");
    let bag = periods[1]["first_seen"]["bag"].as_str().unwrap();
    assert!(bench.path("bags").join(bag).is_dir(), "{bag}");

    let row = &access["workspaces"][0]["accounts"][0];
    assert_eq!((&row["profile_name"], &row["power"]), (&"Administrator".into(), &"administrator".into()));
    assert_eq!(row["changed_after"], periods[0]["last_seen"]);
    assert_eq!(row["changed_before"], Value::Null);

    let kinds: Vec<&Value> = diff["changes"].as_array().unwrap().iter().map(|change| &change["change"]).collect();
    assert_eq!(kinds, ["administrator-granted"], "{diff:#}");

    forget(&bench);
    assert_eq!(answers(&bench, &promoted), [history, access, diff], "the evidence says the same");
}

#[test]
fn a_day_before_the_first_read_is_not_answered_and_tables_name_their_sources() {
    let (bench, promoted) = changed();
    let (code, out, said) = bench.run(&["access", "--as-of", "2020-01-01"]);
    assert!(code == 1 && out.contains("was not read by then; the first kept audit is of 20"), "{code} {out} {said}");
    let (code, out, said) = bench.run(&["history", "nobody@example.com"]);
    assert!(code == 1 && out.is_empty() && said.contains("no kept audit listed the user nobody@example.com"), "{said}");
    for command in [&["access", "acmee", "--as-of", "2020-01-01"][..], &["history", "acmee", &promoted]] {
        let (code, out, said) = bench.run(command);
        assert!(code == 2 && out.is_empty() && said.contains("unknown workspace `acmee`; configured: "), "{said}");
    }
    let (code, _, said) = bench.run(&["access", "--as-of", "yesterday"]);
    assert!(code == 2 && said.contains("expected a day such as 2026-03-14"), "{said}");

    let (code, out, said) = bench.run(&["history", &promoted]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("\nbetween 20") && out.contains("  profile: Administrator (was Standard)\n"), "{out}");
    assert!(out.matches("audit 0").count() >= 2 && out.contains("evidence "), "{out}");

    let (code, out, said) = bench.run(&["access", "--as-of", "2999-01-01", "--format", "csv"]);
    assert_eq!(code, 0, "{said}");
    std::fs::write(bench.path("access.csv"), out).unwrap();
    let rows = read_csv(&bench.path("access.csv"));
    assert_eq!(rows[0][..3], ["workspace", "user_id", "full_name"]);
    let row = rows.iter().find(|row| row[3] == promoted).unwrap();
    assert_eq!((row[8].as_str(), row[9].as_str()), ("Administrator", "administrator"));
    let (code, out, _) = bench.run(&["diff", "2999-01-01", "2999-01-02"]);
    assert!(code == 0 && out.contains(": 0 changes\n"), "{out}");
}

#[test]
fn evidence_that_was_changed_is_not_believed() {
    let (bench, promoted) = changed();
    let history = json(&bench, &["history", &promoted]);
    let bag = history[1]["first_seen"]["bag"].as_str().unwrap();
    let report = bench.path("bags").join(bag).join("data/reports/report.json");
    forget(&bench);
    let text = std::fs::read_to_string(&report).unwrap();
    assert!(text.contains(&promoted));
    std::fs::write(&report, text.replace(&promoted, "somebody.else@example.com")).unwrap();
    let (code, out, said) = bench.run(&["history", &promoted]);
    assert!(code == 1 && out.is_empty(), "{out}{said}");
    assert!(said.contains("data/reports/report.json is not as it was sealed"), "{said}");
}
