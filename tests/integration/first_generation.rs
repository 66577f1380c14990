//! Evidence that the first released generation wrote: today's binary and others' tools still accept it.
//!
//! `tests/data/first-generation/evidence.tar.zst` holds what that binary left behind: four bags (a review on demand that
//! was mailed, a scheduled one, a failed run, an agent's review), mails, the ledger with a plan to remove a user, the
//! checkpoint, the store, and an export, unpacked.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    evidence::judge,
    support::{Bench, options, rolecall},
    tools::tool,
};

const PERIOD: [&str; 4] = ["--from", "2026-11-26", "--to", "2026-11-26"];

/// What the first generation left behind, unpacked.
pub(crate) struct Left(TempDir);

impl Left {
    pub(crate) fn unpacked() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/first-generation/evidence.tar.zst");
        let mut archive = zstd::Decoder::new(File::open(packed).unwrap()).unwrap();
        archive.window_log_max(27).unwrap();
        let tar = folder.path().join("evidence.tar");
        std::io::copy(&mut archive, &mut File::create(&tar).unwrap()).unwrap();
        let unpacked = Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(folder.path()).status().unwrap();
        assert!(unpacked.success());
        fs::remove_file(tar).unwrap();
        Self(folder)
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    fn shown(&self, inside: &str) -> String {
        self.path(inside).to_str().unwrap().to_owned()
    }

    pub(crate) fn bags(&self, folder: &str) -> Vec<PathBuf> {
        let mut bags: Vec<_> = fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        bags.retain(|path| path.join("bagit.txt").exists());
        bags.sort();
        bags
    }
}

/// Runs today's binary; its exit code and what it printed.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = rolecall().args(arguments).output().unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), printed)
}

const EXPORT: &str = "evidence_2026-11-01_2026-11-30";

#[test]
fn its_evidence_and_its_export_are_verified() {
    let left = Left::unpacked();
    for folder in ["bags", EXPORT] {
        let signers = left.shown("allowed_signers");
        let (code, printed) = run(&["evidence", "verify", &left.shown(folder), "--allowed-signers", &signers]);
        assert_eq!(code, 0, "{printed}");
        assert_eq!(printed.matches("ok ").count(), if folder == "bags" { 5 } else { 7 }, "{printed}");
        if folder == EXPORT {
            // Its facts follow from its ledger and bags; how it words them is its own.
            let said = "follows from the ledger and the bags; ";
            assert!(printed.contains(said) && printed.contains("an older rolecall"), "{printed}");
        }
        assert!(printed.contains("15 entries, signed up to entry 15 by SHA256:"), "{printed}");
    }
}

#[test]
fn its_bags_and_its_export_are_verified_by_other_tools() {
    let left = Left::unpacked();
    let signers = left.shown("allowed_signers");
    let bags = left.bags("bags");
    assert_eq!(bags.len(), 4);
    for bag in bags {
        let (content, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
        assert!(content, "{said}");
        let (content, said) = judge(&bag, "sh", &["verify.sh", &signers]);
        assert!(content && said.contains("Verified: "), "{said}");
    }
    let (content, said) = judge(&left.path(EXPORT), "sh", &["verify.sh", &signers]);
    assert!(content && said.contains("Verified: every file of this export"), "{said}");
}

#[test]
fn its_coverage_is_what_it_was() {
    let left = Left::unpacked();
    let (bags, signers, out) = (left.shown("bags"), left.shown("allowed_signers"), left.shown("out"));
    let question =
        [&["evidence", "coverage", &bags, "--allowed-signers", &signers, "--out", &out], &PERIOD[..]].concat();
    let (code, printed) = run(&question);
    assert_eq!(code, 0, "{printed}");
    let states = |path: PathBuf| {
        let mut table = csv::Reader::from_path(path).unwrap();
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        rows.iter().map(|row| row.iter().take(7).map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    let today = states(left.path("out/coverage.csv"));
    assert_eq!(today, states(left.path(EXPORT).join("coverage.csv")));
    assert_eq!(today.iter().filter(|row| row[5] == "on time").count(), 1, "{today:?}");
}

#[test]
fn its_reviews_are_recomputed() {
    let left = Left::unpacked();
    let mut recomputed = 0;
    for bag in left.bags("bags") {
        let (code, printed) = run(&["evidence", "recompute", bag.to_str().unwrap()]);
        if bag.join("data/failure.json").exists() {
            assert!(code == 1 && printed.contains("the run of this bag failed"), "{printed}");
            continue;
        }
        // Rules and wording may have changed since; what was read is the same in any version.
        for file in ["organization.json", "current-user.json", "roles.json", "profiles.json", "users.jsonl.gz"] {
            assert!(printed.contains(&format!("same    data/directory/{file}")), "{printed}");
        }
        assert!(printed.contains("same    data/answers.jsonl"), "{printed}");
        recomputed += 1;
    }
    assert_eq!(recomputed, 3);
}

#[test]
fn its_store_and_its_ledger_are_continued_by_a_new_audit() {
    let left = Left::unpacked();
    let bench = Bench::new(options(10));
    for name in ["bags", "rolecall.db"] {
        fs::rename(left.path(name), bench.path(name)).unwrap();
    }
    bench.configure("\n[evidence]\ndirectory = \"bags\"\nsigning_key = { file = \"key\" }\n");
    assert_eq!(bench.run(&["evidence", "init-key", "--out", "key"]).0, 0);
    bench.audit(&["--job", "weekly", "--send"]);
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert_eq!(printed.matches("ok ").count(), 6, "{printed}");
    let ledger = bench.read("bags/ledger.jsonl");
    assert!(ledger.lines().count() > 17, "the new entries follow the old ones: {ledger}");
    // Nothing of what was there changed.
    assert_eq!(
        ledger.lines().next(),
        fs::read_to_string(left.path(EXPORT).join("ledger.jsonl")).unwrap().lines().next()
    );
    // The period ends today, when the new audit was made.
    let today = chrono::Utc::now().date_naive().to_string();
    let (code, printed, said) =
        bench.run(&["evidence", "export", "--out", "all.zip", "--from", PERIOD[1], "--to", &today]);
    assert!(code == 0 && printed.contains("5 bags"), "{printed}{said}");
}
