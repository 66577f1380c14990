//! What an auditor receives, and does with it: without rolecall, with the tools that every Unix has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{Duration, Utc};

use crate::{
    evidence::{bench, judge},
    support::{Bench, rolecall},
    tools::{read_csv, tool},
};

/// Yesterday to tomorrow: whatever is made now is in it, also around midnight.
fn days() -> [String; 2] {
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string();
    [day(-1), day(1)]
}

/// Exports everything and unpacks it elsewhere.
fn exported(bench: &Bench, name: &str) -> (tempfile::TempDir, PathBuf) {
    let [from, to] = days();
    let (code, printed, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", name]);
    assert_eq!(code, 0, "{printed}{said}");
    let folder = tempfile::tempdir().unwrap();
    let unpacked =
        Command::new(tool("python")).args(["-m", "zipfile", "-e"]).arg(bench.path(name)).arg(folder.path()).status();
    assert!(unpacked.unwrap().success());
    let inside = folder.path().join(format!("evidence_{from}_{to}"));
    fs::copy(bench.path("allowed_signers"), folder.path().join("trusted")).unwrap();
    (folder, inside)
}

/// What the script in the export says; an auditor's machine has no rolecall.
fn verified(inside: &Path) -> (bool, String) {
    judge(inside.parent().unwrap(), "sh", &[inside.join("verify.sh").to_str().unwrap(), "trusted"])
}

fn reviewed() -> Bench {
    let bench = bench(15);
    bench.audit(&["--send"]);
    // Somebody runs one without mail; and the key is changed.
    bench.audit(&[]);
    bench.run(&["evidence", "init-key", "--out", "newer"]);
    bench.reconfigure("{ file = \"key\" }", "{ file = \"newer\" }");
    bench.audit(&["--send"]);
    let (_, _, _) = bench.run(&["runs"]);
    // Whom the company names now: the key that signs now. The older one the ledger names.
    let public = fs::read_to_string(bench.path("newer.pub")).unwrap();
    let signer = format!("rolecall namespaces=\"rolecall-evidence\" {public}");
    fs::write(bench.path("allowed_signers"), signer).unwrap();
    bench
}

#[test]
fn an_auditor_verifies_an_export_without_rolecall() {
    let bench = reviewed();
    let (folder, inside) = exported(&bench, "all.zip");
    let (good, said) = verified(&inside);
    assert!(good && said.contains("Verified: the ledger's") && said.matches("\nok 20").count() == 3, "{said}");
    for bag in
        fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.join("bagit.txt").exists())
    {
        let (valid, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
        assert!(valid, "{said}");
    }
    // rolecall says the same of it, and so does the coverage that is in it.
    let signers = folder.path().join("trusted");
    let arguments = ["evidence", "verify", inside.to_str().unwrap(), "--allowed-signers", signers.to_str().unwrap()];
    let output = rolecall().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let rows = read_csv(&inside.join("coverage.csv"));
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows[1..].iter().all(|row| row[5] == "by hand" && inside.join(&row[14]).is_dir()), "{rows:?}");
    let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
    assert!(readme.contains("checkpoint-0000") && readme.contains("3 bags"), "{readme}");
}

#[test]
fn the_same_evidence_is_exported_as_the_same_bytes() {
    let bench = reviewed();
    let export = |out: &str| {
        // A period that is over.
        let arguments = ["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-31", "--out", out];
        let (code, _, said) = bench.run(&arguments);
        assert_eq!(code, 0, "{said}");
        fs::read(bench.path(out)).unwrap()
    };
    let first = export("one.zip");
    assert_eq!(first, export("other.zip"));
    let (code, _, said) =
        bench.run(&["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-31", "--out", "one.zip"]);
    assert!(code == 1 && said.contains("there is such a file already"), "{said}");
    assert_eq!(fs::read(bench.path("one.zip")).unwrap(), first);
    let (code, _, said) = bench.run(&["evidence", "export", "--from", "2026-02-01", "--to", "2026-01-31"]);
    assert!(code == 2 && said.contains("--to is before --from"), "{said}");
}

#[test]
fn whoever_changes_an_export_is_found_out_by_its_script() {
    let bench = reviewed();
    let (folder, inside) = exported(&bench, "all.zip");
    let bag = fs::read_dir(&inside)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("bagit.txt").exists())
        .unwrap();
    let name = bag.file_name().unwrap().to_str().unwrap().to_owned();
    let ledger = fs::read_to_string(inside.join("ledger.jsonl")).unwrap();
    let changed = |change: &dyn Fn(), expected: &str| {
        change();
        let (good, said) = verified(&inside);
        assert!(!good && said.contains("NOT VERIFIED") && said.contains(expected), "{expected}: {said}");
    };
    let write = |text: String| fs::write(inside.join("ledger.jsonl"), text).unwrap();
    let lines: Vec<&str> = ledger.lines().collect();
    let reversed: Vec<&str> = lines.iter().rev().copied().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let forged = ledger.replacen("\"complete\":true", "\"complete\":false", 1);
    changed(&|| write(forged.clone()), "does not follow the one before");
    changed(&|| write(joined(&reversed)), "line 1 is not entry 1");
    changed(&|| write(joined(&lines[..lines.len() - 1])), "does not have the entry");
    write(ledger.clone());
    assert!(verified(&inside).0);

    let aside = folder.path().join("aside");
    changed(&|| fs::rename(&bag, &aside).unwrap(), &format!("the bag {name} is not there"));
    fs::rename(&aside, &bag).unwrap();
    assert!(Command::new("cp").arg("-r").arg(&bag).arg(inside.join("another")).status().unwrap().success());
    changed(&|| (), "no entry of the ledger names another");
    fs::remove_dir_all(inside.join("another")).unwrap();
    assert!(verified(&inside).0);
    let file = bag.join("data/reports/findings.csv");
    changed(&|| fs::write(&file, "nothing found").unwrap(), &name);
}

#[test]
fn evidence_that_is_not_as_it_was_written_is_not_exported() {
    let bench = reviewed();
    let ledger = fs::read_to_string(bench.path("bags/ledger.jsonl")).unwrap();
    fs::write(bench.path("bags/ledger.jsonl"), ledger.replacen("true", "false", 1)).unwrap();
    let [from, to] = days();
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "x.zip"]);
    assert!(code == 1 && said.contains("is not as it was written, and is not exported"), "{said}");
    assert!(!bench.path("x.zip").exists() && !bench.path("x.zip.part").exists());
    let (code, _, said) = bench.run(&["evidence", "coverage", "--from", &from, "--to", &to]);
    assert!(code == 1 && said.contains("ledger.jsonl: line "), "{said}");
    // The daemon and an audit do not go on with it either.
    let (code, _, said) = bench.run(&["audit"]);
    assert_eq!(code, 0, "the end of the ledger is as it was: {said}");
}

#[test]
fn what_a_daemon_was_due_to_do_is_covered_or_is_a_gap() {
    let bench = bench(5);
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    let daemon = crate::daemon::Daemon::start(&bench);
    crate::daemon::eventually("three reviews", || {
        crate::daemon::runs(&bench).iter().filter(|run| run["state"] == "closed").count() >= 3
    });
    daemon.stop();
    let [from, to] = days();
    let (code, printed, said) = bench.run(&["evidence", "coverage", "--from", &from, "--to", &to, "--out", "cover"]);
    // Seconds in which nobody ran are pending for a day.
    assert_eq!(code, 0, "{printed}{said}");
    let rows = read_csv(&bench.path("cover/coverage.csv"));
    let on_time: Vec<_> = rows.iter().filter(|row| row[5] == "on time" || row[5] == "late").collect();
    assert!(on_time.len() >= 3 && on_time.iter().all(|row| bench.path("bags").join(&row[14]).is_dir()), "{rows:?}");
    assert!(on_time.iter().all(|row| row[16] == "security@example.com;ciso@example.com" || row[16].contains('@')));
    let (code, printed, _) = bench.run(&["evidence", "coverage", "--from", &from, "--to", &to, "--job", "no-such-job"]);
    assert!(code == 0 && printed.contains("0 due"), "{printed}");
}
