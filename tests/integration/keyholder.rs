//! Somebody who has the signing key changes what is sealed, and seals it again: timestamps of third parties and exports without
//! names. What only digests and signatures protect, such a person can change; the rest is found.

use std::{fs, path::Path};

use chrono::TimeDelta;
use rolecall::{
    evidence::{key::SigningKey, ledger, storage::folder::Folder},
    ledger::{
        Fact, Head, chain,
        fact::{Covers, Timestamped},
    },
};

use crate::{
    authority::Authority,
    evidence::judge,
    export::exported,
    sharing::{audited, export, unpacked},
    support::rolecall,
    timestamps::{seal, stamping, stamps},
};

/// What the entry of a timestamp is made to say.
type Restated = (&'static str, fn(&mut Timestamped));

/// Writes the last entry of a ledger anew, which is that of a timestamp, and signs it, as whoever has the key can.
fn restate(folder: &Path, key: &Path, change: impl FnOnce(&mut Timestamped)) {
    let path = folder.join("ledger.jsonl");
    let mut entries = chain::read(&fs::read_to_string(&path).unwrap()).entries;
    let (last, _) = entries.pop().unwrap();
    let before = Head { number: entries.last().unwrap().0.number, sha256: entries.last().unwrap().1.clone() };
    let Fact::Timestamped(mut timestamped) = last.fact else { panic!("{last:?} is not of a timestamp") };
    change(&mut timestamped);
    let line = before.link(last.at, Fact::Timestamped(timestamped)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let kept: String = text.split_inclusive('\n').take(entries.len()).collect();
    fs::write(&path, format!("{kept}{}\n", line.text)).unwrap();
    for checkpoint in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        if checkpoint.file_name().to_str().unwrap().starts_with("checkpoint-") {
            fs::remove_file(checkpoint.path()).unwrap();
        }
    }
    let storage = Folder::new(folder);
    let unlike = Head { number: line.head.number, sha256: "0".repeat(64) };
    ledger::checkpoint(&storage, &line.head, &unlike, Some(&SigningKey::read(key).unwrap())).unwrap();
}

#[test]
fn who_has_the_key_cannot_state_another_time_or_more_than_a_timestamp_covers() {
    let authority = Authority::start();
    let bench = stamping(&authority, "");
    bench.audit(&["--send"]);
    let token = stamps(&bench).pop().unwrap().1.token;
    let (_folder, inside) = exported(&bench, "all.zip");
    let trusted = inside.parent().unwrap().join("trusted");
    let changes: [Restated; 3] = [
        ("an earlier time", |stated| stated.time -= TimeDelta::hours(1)),
        ("another authority's certificate", |stated| stated.root = "0".repeat(64)),
        ("more entries", |stated| {
            let Covers::Ledger(head) = &mut stated.covers else { panic!("it is of a bag") };
            head.number += 1;
        }),
    ];
    for (what, change) in changes {
        let copy = tempfile::tempdir().unwrap();
        assert!(judge(copy.path(), "cp", &["-r", inside.to_str().unwrap(), "all"]).0);
        assert!(judge(copy.path(), "chmod", &["-R", "u+w", "all"]).0);
        let folder = copy.path().join("all");
        restate(&folder, &bench.path("key"), change);
        seal(&folder, &bench.path("key"));
        let (good, said) = judge(&folder, "sh", &["verify.sh", trusted.to_str().unwrap()]);
        let is_named = said.contains(&token) || said.contains("timestamps/checkpoint-");
        assert!(!good && is_named, "{what}: verify.sh says {said}");
        let mut verify = rolecall();
        verify.args(["evidence", "verify", folder.to_str().unwrap(), "--allowed-signers"]).arg(&trusted);
        let output = verify.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(&token), "{what}: {said}");
    }
}

/// Ways to change an export without names, sealed again by whoever has the key; what must be named.
type Change = (&'static str, fn(&Path) -> String);

const CHANGES: &[Change] = &[
    ("the list of the origin says something else", |folder| {
        let list = folder.join("origin-SHA256SUMS");
        let text = fs::read_to_string(&list).unwrap();
        fs::write(&list, text.split_once('\n').unwrap().1).unwrap();
        "origin-SHA256SUMS is not the list".to_owned()
    }),
    ("a bag is left out", |folder| {
        let bag = bag_in(folder);
        fs::remove_dir_all(folder.join(&bag)).unwrap();
        format!("{bag}/data/reports/access-matrix.csv is missing")
    }),
    ("a bag is added", |folder| {
        let bag = bag_in(folder);
        assert!(judge(folder, "cp", &["-r", &bag, "2026-01-05T070000Z_acme_x"]).0);
        "2026-01-05T070000Z_acme_x/data/reports/findings.csv is not of the origin".to_owned()
    }),
    ("findings are left out", |folder| {
        let findings = format!("{}/data/reports/findings.csv", bag_in(folder));
        fs::remove_file(folder.join(&findings)).unwrap();
        format!("{findings} is missing")
    }),
];

/// The name of a bag in an export.
fn bag_in(folder: &Path) -> String {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("20")).min().unwrap()
}

#[test]
fn who_has_the_key_cannot_take_from_an_export_without_names_or_add_to_it() {
    let bench = audited();
    export(&bench, "shared.zip", &["--pseudonymise"]);
    let (folder, inside) = unpacked(&bench.path("shared.zip"));
    let verify = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        let (code, printed, said) = bench.run(&["evidence", "verify", folder, "--allowed-signers", "allowed_signers"]);
        (code, printed + &said)
    };
    let (code, said) = verify(&inside);
    assert!(code == 0 && said.contains("every file that is kept of the origin, and no other"), "{said}");
    for (what, change) in CHANGES {
        let copy = folder.path().join("copy");
        assert!(judge(folder.path(), "cp", &["-r", inside.to_str().unwrap(), "copy"]).0);
        let named = change(&copy);
        seal(&copy, &bench.path("key"));
        let (code, said) = verify(&copy);
        assert!(code == 1 && said.contains(&named), "{what}: {said}; expected {named}");
        fs::remove_dir_all(&copy).unwrap();
    }
    // Somebody else seals what he changed.
    assert_eq!(bench.run(&["evidence", "init-key", "--out", "stranger"]).0, 0);
    seal(&inside, &bench.path("stranger"));
    let (code, said) = verify(&inside);
    assert!(code == 1 && said.contains("SHA256SUMS") && said.contains("not among the allowed"), "{said}");
}
