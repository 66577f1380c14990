//! What is kept beside the bags of reviews: mails as the recipients got them, and what was answered before a run failed.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use chrono::{Duration, Utc};
use rolecall_simulator::{Fault, Options};

use crate::{
    evidence::{bench, bench_of, judge},
    support::{Bench, options, rolecall},
    tools::tool,
};

/// The mails that are kept.
fn kept(bench: &Bench) -> Vec<PathBuf> {
    fs::read_dir(bench.path("bags/mail")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_mail_is_kept_as_it_was_sent_and_exported() {
    let bench = bench(10);
    bench.audit(&["--send"]);
    let sent: BTreeSet<Vec<u8>> =
        bench.mails().iter().map(|path| fs::read(path).unwrap()).map(|mail| bare(&mail)).collect();
    let mails = kept(&bench);
    let found: BTreeSet<Vec<u8>> = mails.iter().map(|path| bare(&fs::read(path).unwrap())).collect();
    assert!(sent.len() == 2 && found == sent, "what the server got is what is kept");
    let ledger = bench.read("bags/ledger.jsonl");
    for mail in &mails {
        let name = mail.file_stem().unwrap().to_str().unwrap();
        let (_, said) = judge(&bench.path("bags/mail"), "sha256sum", &[&format!("{name}.eml")]);
        assert!(said.starts_with(name) && ledger.contains(&format!("\"sha256\":\"{name}\"")), "{said}");
    }
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (from, to) = (day(-1), day(1));
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "all.zip"]);
    assert_eq!(code, 0, "{said}");
    let listed = Command::new(tool("python")).args(["-m", "zipfile", "-l"]).arg(bench.path("all.zip")).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    assert_eq!(listed.matches("/mail/").count(), 2, "{listed}");
    // Of a period in which none was sent there is none.
    let old = ["evidence", "export", "--from", "2020-01-01", "--to", "2020-01-31", "--out", "old.zip"];
    assert_eq!(bench.run(&old).0, 0);
    let listed = Command::new(tool("python")).args(["-m", "zipfile", "-l"]).arg(bench.path("old.zip")).output();
    assert!(!String::from_utf8(listed.unwrap().stdout).unwrap().contains("/mail/"));
}

/// A mail without the difference between what is handed over and what a server writes down: the end of the last line.
fn bare(mail: &[u8]) -> Vec<u8> {
    mail.trim_ascii_end().to_vec()
}

#[test]
fn a_mail_that_was_changed_or_taken_away_is_found() {
    let bench = bench(10);
    bench.audit(&["--send"]);
    assert_eq!(bench.run(&["evidence", "verify"]).0, 0);
    let mail = kept(&bench).remove(0);
    let whole = fs::read(&mail).unwrap();
    fs::set_permissions(&mail, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&mail, [whole.as_slice(), b" "].concat()).unwrap();
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert!(code == 1 && printed.contains("does not have the digest in its name: it was changed"), "{printed}");
    fs::remove_file(&mail).unwrap();
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert!(code == 1 && printed.contains("is missing or was changed"), "{printed}");
}

#[test]
fn what_cannot_be_kept_is_not_sent_and_waits() {
    let bench = bench(10);
    bench.audit(&[]);
    fs::write(bench.path("bags/mail"), "in the way").unwrap();
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 1 && said.contains("because it cannot be kept as evidence"), "{said}");
    assert!(bench.simulator.inbox().messages().is_empty());
}

#[test]
fn a_run_that_fails_leaves_what_was_answered_as_evidence_for_the_gap() {
    let bench = bench(10);
    bench.audit(&["--send"]);
    bench.simulator.set_faults([Fault::MissingScopeUsers]);
    for arguments in [&["audit", "--send"][..], &["audit"]] {
        let (code, _, said) = bench.run(arguments);
        assert!(code == 1 && said.contains("lacks the scope"), "{said}");
    }
    bench.simulator.set_faults([]);
    let ledger = bench.read("bags/ledger.jsonl");
    let named = ledger.lines().filter(|line| line.contains("\"fact\":\"bag_of_failure\""));
    let folders: Vec<String> =
        named.map(|line| line.split("\"folder\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect();
    assert_eq!(folders.len(), 2, "{ledger}");
    let signers = bench.path("allowed_signers");
    for folder in &folders {
        let bag = bench.path("bags").join(folder);
        let (valid, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
        assert!(valid, "{said}");
        let (good, said) = judge(&bag, "sh", &["verify.sh", signers.to_str().unwrap()]);
        assert!(good, "{said}");
        let readme = fs::read_to_string(bag.join("README.txt")).unwrap();
        assert!(readme.starts_with("A REVIEW OF acme THAT FAILED") && readme.contains("lacks the scope"), "{readme}");
        let (_, answers) = judge(&bag, "sh", &["-c", "cat data/answers/*.json"]);
        assert!(answers.contains("OAUTH_SCOPE_MISMATCH"), "the refusal itself: {answers}");
        let said = rolecall().args(["evidence", "recompute"]).arg(&bag).output().unwrap();
        let said = String::from_utf8(said.stderr).unwrap();
        assert!(said.contains("the run of this bag failed"), "{said}");
    }
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert_eq!(printed.matches("not a review: the answers before its run failed (entry ").count(), 2, "{printed}");
    // They are in an export, and its script takes them for what they are.
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (from, to) = (day(-1), day(1));
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "all.zip"]);
    assert_eq!(code, 0, "{said}");
    let elsewhere = tempfile::tempdir().unwrap();
    let unpacked = Command::new(tool("python"))
        .args(["-m", "zipfile", "-e"])
        .arg(bench.path("all.zip"))
        .arg(elsewhere.path())
        .status();
    assert!(unpacked.unwrap().success());
    let inside = elsewhere.path().join(format!("evidence_{from}_{to}"));
    assert!(folders.iter().all(|folder| inside.join(folder).is_dir()));
    let (good, said) = judge(&inside, "sh", &["verify.sh", signers.to_str().unwrap()]);
    assert!(good, "{said}");
}

#[test]
fn a_small_mail_server_gets_the_report_without_what_does_not_fit() {
    let bench = bench_of(Options { max_message_size: 90_000, ..options(400) });
    let (code, printed, said) = bench.run(&["audit", "--job", "weekly", "--send"]);
    assert_eq!(code, 0, "{printed}{said}");
    let mails: Vec<_> = bench.mails().iter().map(|mail| fs::read_to_string(mail).unwrap()).collect();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert!(mail.contains("not-attached.txt") && !mail.contains("filename=\"access-matrix.csv\""), "{mail}");
    }
    // What is kept is what was sent, and nothing else.
    assert_eq!(kept(&bench).len(), 2);
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert!(bench.read("bags/ledger.jsonl").contains("attachments: too large"));
}

#[test]
fn a_report_that_is_too_large_alone_is_not_told_to_attach_less() {
    let bench = bench_of(Options { max_message_size: 1_000, ..options(12) });
    let (_, printed, said) = bench.run(&["audit", "--job", "weekly", "--send"]);
    let told = format!("{printed}{said}");
    assert!(told.contains("nothing more can be left out of the message") && !told.contains("attach less"), "{told}");
}
