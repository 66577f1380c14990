//! A key that comes later, is changed, or is taken out: what was kept before stays proven, and no time has to be waited for.

use std::{fs, path::Path};

use crate::{
    daemon::{Daemon, eventually},
    evidence::{bench, judge},
    export::{exported, verified},
    support::{Bench, rolecall},
};

const KEY: &str = "signing_key = { file = \"key\" }\n";

/// What `evidence verify` says of the configured directory, which has to be sound.
fn sound(bench: &Bench) -> String {
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{said}");
    printed
}

/// Exports, and lets both tools judge what came out.
fn export_holds(bench: &Bench, name: &str) -> String {
    let (folder, inside) = exported(bench, name);
    let (good, said) = verified(&inside);
    assert!(good && said.contains("Verified: every file of this export"), "{said}");
    let (inside, trusted) = (inside.to_str().unwrap().to_owned(), folder.path().join("trusted"));
    let arguments = ["evidence", "verify", &inside, "--allowed-signers", trusted.to_str().unwrap()];
    let output = rolecall().args(arguments).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

/// Trusts another key than before.
fn trust(bench: &Bench, key: &str) {
    let public = fs::read_to_string(bench.path(&format!("{key}.pub"))).unwrap();
    fs::write(bench.path("allowed_signers"), format!("rolecall {public}")).unwrap();
}

fn checkpoints(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("checkpoint-")).collect();
    names.sort();
    names
}

#[test]
fn a_key_that_comes_later_vouches_for_what_was_kept_without_one() {
    let bench = bench(12);
    bench.reconfigure(KEY, "");
    bench.audit(&["--send"]);
    assert!(sound(&bench).contains(", unsigned"));
    bench.reconfigure("directory = \"bags\"\n", &format!("directory = \"bags\"\n{KEY}"));
    bench.audit(&["--send"]);
    assert!(sound(&bench).contains("unsigned; no key was in use then; entry "));
    assert!(export_holds(&bench, "all.zip").contains("no key was in use then"));
    // Of the time with a key each bag has to be signed.
    let (folder, inside) = exported(&bench, "again.zip");
    let take_away = "set -e; cd export; rm SHA256SUMS SHA256SUMS.sig; rm */tagmanifest-sha256.txt.sig
        find . -type f ! -path ./SHA256SUMS | cut -c 3- | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
        ssh-keygen -q -Y sign -f ../key -n rolecall-evidence SHA256SUMS 2> /dev/null";
    fs::rename(&inside, folder.path().join("export")).unwrap();
    fs::copy(bench.path("key"), folder.path().join("key")).unwrap();
    let take_away = take_away.replace("../key", folder.path().join("key").to_str().unwrap());
    let (taken, said) = judge(folder.path(), "sh", &["-c", &take_away]);
    assert!(taken, "{said}");
    let (good, said) = verified(&folder.path().join("export"));
    assert!(!good && said.contains("is not signed, although a key was in use"), "{said}");
    assert_eq!(said.matches("\nok 20").count() + usize::from(said.starts_with("ok 20")), 1, "{said}");
}

#[test]
fn another_key_is_in_force_from_the_start_of_a_daemon_on_and_not_only_from_the_next_review() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    bench.run(&["evidence", "init-key", "--out", "newer"]);
    bench.reconfigure("{ file = \"key\" }", "{ file = \"newer\" }");
    let (code, _, said) = bench.run(&["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-02"]);
    assert!(code == 1 && said.contains("the next audit, or the daemon when it starts, signs with it"), "{said}");
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert!(code == 1 && printed.contains("has signed nothing here yet"), "{printed}");
    // Nothing is due.
    bench.reconfigure("0 8 * * MON", "0 8 29 2 MON");
    let daemon = Daemon::start(&bench);
    let is_signed = || bench.run(&["evidence", "verify"]).0 == 0;
    eventually("that the new key has signed", is_signed);
    // And when it is told to read its configuration anew.
    bench.run(&["evidence", "init-key", "--out", "newest"]);
    bench.reconfigure("{ file = \"newer\" }", "{ file = \"newest\" }");
    daemon.signal("-HUP");
    eventually("that the newest key has signed", is_signed);
    let (_, said) = daemon.stop();
    assert_eq!(said.matches("another key signs the evidence from now on").count(), 2, "{said}");
    trust(&bench, "newest");
    export_holds(&bench, "all.zip");
}

#[test]
fn a_key_that_is_taken_out_leaves_its_signature_and_can_come_back() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    let before = checkpoints(&bench.path("bags"));
    bench.reconfigure(KEY, "");
    bench.audit(&["--send"]);
    let after = checkpoints(&bench.path("bags"));
    assert!(before.iter().all(|name| after.contains(name)) && after.len() == 3, "{before:?} {after:?}");
    let printed = sound(&bench);
    assert!(printed.contains("a key that only the ledger itself names"), "{printed}");
    // Who trusts the key believes what it signed, and sees what it did not.
    let allowed = bench.path("allowed_signers");
    let bags = bench.path("bags");
    let trusting =
        || bench.run(&["evidence", "verify", bags.to_str().unwrap(), "--allowed-signers", allowed.to_str().unwrap()]);
    let (code, printed, _) = trusting();
    assert!(code == 1 && printed.contains("are not signed yet"), "{printed}");
    let (first, second) = printed.split_once("BROKEN").unwrap();
    assert!(first.starts_with("ok ") && second.contains("it was not signed"), "{printed}");

    // What nobody signs is exported as such, and every digest is checked all the same.
    let (_folder, inside) = exported(&bench, "unsigned.zip");
    let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
    assert!(readme.contains("THIS EXPORT IS NOT SIGNED") && !readme.contains("signed checkpoint"), "{readme}");
    assert!(readme.contains("the last entry of the ledger\n"), "{readme}");
    let (good, said) = verified(&inside);
    assert!(!good && said.contains("every digest matches, but the export is not signed"), "{said}");
    let bag = fs::read_dir(&inside)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("bagit.txt").exists())
        .unwrap();
    fs::write(bag.join("data/reports/findings.csv"), "nothing found").unwrap();
    let (good, said) = verified(&inside);
    assert!(!good && said.contains("findings.csv: FAILED"), "{said}");

    bench.reconfigure("directory = \"bags\"\n", &format!("directory = \"bags\"\n{KEY}"));
    bench.audit(&["--send"]);
    assert_eq!(checkpoints(&bench.path("bags")).len(), 2);
    assert!(sound(&bench).contains("unsigned; no key was in use then"));
    assert!(export_holds(&bench, "all.zip").contains("unsigned; no key was in use then"));
}

#[test]
fn what_is_broken_elsewhere_is_told_and_does_not_keep_a_period_from_its_auditor() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    let name = judge(
        &bench.path("bags"),
        "sh",
        &["-c", "for bag in 2*; do chmod -R u+w $bag; echo x > $bag/data/reports/findings.csv; echo $bag; done"],
    );
    let january = ["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-31", "--out", "january.zip"];
    let (code, printed, said) = bench.run(&january);
    assert!(code == 0 && said.contains(name.1.trim()) && said.contains("it is not of this period"), "{printed}{said}");
    let [from, to] = crate::export::days();
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "now.zip"]);
    assert!(code == 1 && said.contains(name.1.trim()) && said.contains("is not exported"), "{said}");
}
