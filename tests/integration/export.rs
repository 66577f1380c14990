//! What an auditor receives, and does with it: without rolecall, with the tools that every Unix has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{Duration, Utc};

use rand::{SeedableRng as _, rngs::StdRng};
use rolecall_simulator::Fault;

use crate::{
    evidence::{bench, judge},
    support::{Bench, rolecall},
    tampering::tamper,
    tools::{read_csv, tool},
};

/// Yesterday to tomorrow: whatever is made now is in it, also around midnight.
pub(crate) fn days() -> [String; 2] {
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string();
    [day(-1), day(1)]
}

/// Exports everything and unpacks it elsewhere.
pub(crate) fn exported(bench: &Bench, name: &str) -> (tempfile::TempDir, PathBuf) {
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
pub(crate) fn verified(inside: &Path) -> (bool, String) {
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
    let bags = said.lines().filter(|line| line.starts_with("ok 20")).count();
    assert!(good && said.contains("Verified: every file of this export") && bags == 3, "{said}");
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
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("coverage.html and README.txt follow from the ledger and the bags"), "{said}");
    assert!(said.contains("read from http://127.0.0.1:"), "{said}");
    assert!(rows[1..].iter().all(|row| row[7].contains("which is not a host of the vendor")), "{rows:?}");
    let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
    assert!(readme.contains("NOT READ FROM THE VENDOR") && readme.contains("http://127.0.0.1:"), "{readme}");
    assert!(readme.contains("checkpoint-0000") && readme.contains("3 bags"), "{readme}");
    let year = Utc::now().format("%Y");
    assert!(readme.contains(&format!("\n  {year}-.../            one folder for each review")), "{readme}");
    // What the README says to do by hand first.
    let by_hand = "ssh-keygen -Y verify -f ../trusted -I rolecall -n rolecall-evidence -s SHA256SUMS.sig < SHA256SUMS";
    for command in [by_hand, "sha256sum --check --strict --quiet SHA256SUMS"] {
        assert!(readme.contains(&command.replace("../trusted", "FILE")), "{readme}");
        let (good, said) = judge(&inside, "sh", &["-c", command]);
        assert!(good, "{said}");
    }
}

#[test]
fn an_export_is_verified_as_the_zip_that_it_is() {
    let bench = reviewed();
    let [from, to] = days();
    assert_eq!(bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "all.zip"]).0, 0);
    let verified = |zip: &str| bench.run(&["evidence", "verify", zip, "--allowed-signers", "allowed_signers"]);
    let (code, printed, said) = verified("all.zip");
    assert!(
        code == 0 && printed.contains("all.zip/SHA256SUMS") && printed.contains("all.zip/ledger.jsonl"),
        "{printed}{said}"
    );
    // A name that leads out of it, and a file that is not a zip.
    let script = "import zipfile\nwith zipfile.ZipFile('bad.zip', 'w') as z: z.writestr('e/ledger.jsonl', ''), z.writestr('../out', 'x')";
    assert!(judge(bench.folder.path(), tool("python"), &["-c", script]).0);
    let (code, _, said) = verified("bad.zip");
    assert!(code == 2 && said.contains("is outside the one folder"), "{said}");
    let (code, _, said) = verified("rolecall.toml");
    assert!(code == 2 && said.contains("it is not a zip"), "{said}");
    // On an auditor's machine there is no configuration: what is missing is the keys.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut auditor = crate::support::rolecall();
    auditor.args(["evidence", "verify"]).arg(bench.path("all.zip")).current_dir(&elsewhere);
    let (_, said) = crate::support::printed(&auditor.output().unwrap());
    assert!(said.contains("--allowed-signers"), "{said}");
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
    assert!(code == 1 && said.contains("this file already exists"), "{said}");
    assert_eq!(fs::read(bench.path("one.zip")).unwrap(), first);
    let (code, _, said) = bench.run(&["evidence", "export", "--from", "2026-02-01", "--to", "2026-01-31"]);
    assert!(code == 2 && said.contains("--to is before --from"), "{said}");
}

/// What somebody does to an export, in its folder; `$BAG` is a bag. Then what has to be named.
const CHANGES: &[(&str, &str)] = &[
    // What the bags and the ledger do not cover.
    ("echo x >> coverage.csv", "coverage.csv"),
    ("sed -i s/missing/made/ coverage.html; echo >> coverage.html", "coverage.html"),
    ("echo x >> README.txt", "README.txt"),
    ("echo '# x' >> allowed_signers", "allowed_signers"),
    ("echo x > access-matrix.csv", "access-matrix.csv"),
    ("echo x > .hidden", ".hidden"),
    ("mkdir .empty", ".empty"),
    ("mkdir more; echo x > more/bagit.txt", "more/bagit.txt"),
    ("ln -s $BAG other", "other"),
    ("mkfifo pipe", "pipe"),
    ("rm coverage.csv; mkfifo coverage.csv", "coverage.csv"),
    // A review that is made to look as if it had not to be there.
    (
        "rm -rf $BAG; echo '{\"from\":\"1970-01-01T00:00:00Z\",\"to\":\"1970-01-02T00:00:00Z\"}' > period.json",
        "period.json",
    ),
    ("rm -rf $BAG", "$BAG"),
    (
        "add '\"bag\":{\"folder\":\"'$BAG'\",\"sha256\":\"'$(digest < $BAG/tagmanifest-sha256.txt)'\"},\"fact\":\"bag_removed\",\"keep_days\":800'
        rm -rf $BAG",
        "ledger.jsonl",
    ),
    // A bag that is made to answer for another review.
    (
        "cp -r $BAG ${BAG}_2; entry=$(grep $BAG ledger.jsonl | grep recorded | sed 's/.*\"bag\"/\"bag\"/;s/\"number\".*//')
        add \"$(echo \"$entry\" | sed s/$BAG/${BAG}_2/ | sed 's/,$//')\"",
        "ledger.jsonl",
    ),
    ("cp -r $BAG ${BAG}_2", "_2"),
    ("mv $BAG elsewhere; ln -s elsewhere $BAG", "$BAG"),
    // What makes a script look away.
    ("echo 'exit 0' > $BAG/verify.sh; echo x > $BAG/data/reports/report.html", "$BAG/data/reports/report.html"),
    ("rm $BAG/bagit.txt; echo x > $BAG/data/reports/report.html", "$BAG/data/reports/report.html"),
    (r"sed -i '1s/$/\r/' $BAG/tagmanifest-sha512.txt", "$BAG/tagmanifest-sha512.txt"),
    ("printf x >> $BAG/tagmanifest-sha256.txt.sig", "$BAG/tagmanifest-sha256.txt.sig"),
    ("rm $BAG/tagmanifest-sha256.txt.sig", "$BAG/tagmanifest-sha256.txt.sig"),
    // The seal itself.
    ("rm SHA256SUMS.sig", "SHA256SUMS.sig"),
    ("rm SHA256SUMS", "SHA256SUMS"),
    ("echo >> SHA256SUMS", "SHA256SUMS"),
    (r"sed -i 's/$/\r/' SHA256SUMS.sig", "sig"),
    ("echo junk >> SHA256SUMS.sig", "sig"),
    ("cp checkpoint-*.sig SHA256SUMS.sig", "sig"),
    ("rm checkpoint-*", "checkpoint"),
];

/// Adds a correctly chained entry to the ledger.
const ADD: &str = r#"digest() { sha256sum | cut -c 1-64; }
    add() {
      previous=$(tail -n 1 ledger.jsonl | tr -d '\n' | digest); number=$(($(wc -l < ledger.jsonl) + 1))
      printf '{"at":"2026-11-25T00:00:00Z",%s,"number":%s,"previous":"%s"}\n' "$1" $number $previous >> ledger.jsonl
    }
    "#;

/// Puts the digests and the signature right, as only somebody with the key can.
const SEAL: &str = "rm SHA256SUMS.sig; chmod 600 ../key
    find . -type f ! -path ./SHA256SUMS | cut -c 3- | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
    ssh-keygen -q -Y sign -f ../key -n rolecall-evidence SHA256SUMS 2> /dev/null";

/// Puts the digests and the signature of a bag right.
const SEAL_BAG: &str =
    "(cd $BAG; chmod 600 ../../key; tags=$(cut -c 67- tagmanifest-sha256.txt); rm tagmanifest-sha256.txt.sig
    for kind in 256 512; do find data -type f | LC_ALL=C sort | xargs sha${kind}sum > manifest-sha$kind.txt; done
    for kind in 256 512; do sha${kind}sum $tags > tagmanifest-sha$kind.txt; done
    ssh-keygen -q -Y sign -f ../../key -n rolecall-evidence tagmanifest-sha256.txt 2> /dev/null)";

/// Changes a copy of an export in both tools' sight.
fn found_out(bench: &Bench, inside: &Path, change: &str, named: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("export");
    assert!(Command::new("cp").arg("-r").args([inside, &copy]).status().unwrap().success());
    fs::copy(bench.path("allowed_signers"), folder.path().join("trusted")).unwrap();
    fs::copy(bench.path("newer"), folder.path().join("key")).unwrap();
    fs::copy(inside.join("verify.sh"), folder.path().join("script")).unwrap();
    let bags = fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.filter(|path| path.join("bagit.txt").exists()).max().unwrap();
    let bag = bag.file_name().unwrap().to_str().unwrap();
    let script = format!("set -e; chmod -R u+w .; BAG={bag}\n{ADD}{change}");
    let (changed, said) = judge(&copy, "sh", &["-c", &script]);
    assert!(changed, "{change}: {said}");
    let named: Vec<String> = named.iter().map(|named| named.replace("$BAG", bag)).collect();
    let script = copy.join("verify.sh");
    let (good, said) = judge(folder.path(), "timeout", &["30", "sh", script.to_str().unwrap(), "trusted"]);
    assert!(!good && said.contains("NOT VERIFIED") && said.contains(&named[0]), "verify.sh: {change}: {said}");
    let trusted = folder.path().join("trusted");
    let arguments = ["evidence", "verify", copy.to_str().unwrap(), "--allowed-signers", trusted.to_str().unwrap()];
    let output = rolecall().args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let named = named.last().unwrap();
    assert!(output.status.code() == Some(1) && said.contains(named), "rolecall: {change}: {said}");
}

/// Changes a copy of an export and seals it again, which only rolecall finds.
fn found_out_by_us(bench: &Bench, inside: &Path, change: &str, named: &str) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("export");
    assert!(Command::new("cp").arg("-r").args([inside, &copy]).status().unwrap().success());
    fs::copy(bench.path("newer"), folder.path().join("key")).unwrap();
    let (changed, said) = judge(&copy, "sh", &["-c", &format!("set -e; chmod -R u+w .; {change}")]);
    assert!(changed, "{change}: {said}");
    let trusted = bench.path("allowed_signers");
    let arguments = ["evidence", "verify", copy.to_str().unwrap(), "--allowed-signers", trusted.to_str().unwrap()];
    let output = rolecall().args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && said.contains(named), "rolecall: {change}: {said}");
}

#[test]
fn whoever_changes_an_export_without_a_key_is_found_out_by_its_script_and_by_us() {
    let bench = reviewed();
    let (_folder, inside) = exported(&bench, "all.zip");
    for (change, named) in CHANGES {
        found_out(&bench, &inside, change, &[named]);
    }
    // Without its seal it is taken for a directory that is in use, and then has what such a one has not.
    let unsealed = "rm -rf $BAG; rm SHA256SUMS SHA256SUMS.sig";
    found_out(&bench, &inside, unsealed, &["SHA256SUMS", "there is period.json without SHA256SUMS"]);
    found_out(
        &bench,
        &inside,
        &format!("{unsealed} period.json README.txt verify.sh; cp -r ../script verify.sh; rm coverage.*"),
        &["SHA256SUMS", "the bag $BAG is in the ledger but missing"],
    );
}

#[test]
fn every_change_to_an_export_that_a_seed_gives_is_found_by_its_script_and_by_us() {
    let bench = reviewed();
    let (_folder, inside) = exported(&bench, "all.zip");
    let mut random = StdRng::seed_from_u64(20_261_125);
    for number in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("export");
        assert!(Command::new("cp").arg("-r").args([&inside, &copy]).status().unwrap().success());
        let named = tamper(&copy, &mut random);
        let script = fs::read(copy.join("verify.sh")).ok();
        // A script that was changed may say anything: the README has its digest checked first, by hand.
        let is_its_own = script != fs::read(inside.join("verify.sh")).ok();
        fs::copy(bench.path("allowed_signers"), folder.path().join("trusted")).unwrap();
        let (good, said) = if is_its_own {
            judge(&copy, "sha256sum", &["--check", "--strict", "--quiet", "SHA256SUMS"])
        } else {
            verified(&copy)
        };
        assert!(!good && said.contains(named.trim_end_matches(".sig")), "change {number} of {named}: {said}");
        let trusted = folder.path().join("trusted");
        let arguments = ["evidence", "verify", copy.to_str().unwrap(), "--allowed-signers", trusted.to_str().unwrap()];
        let output = rolecall().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let is_named = said.contains(named.trim_end_matches(".sig"));
        assert!(output.status.code() == Some(1) && is_named, "change {number} of {named}: {said}");
    }
}

#[test]
fn whoever_seals_an_export_again_is_found_out_by_what_is_in_it() {
    let bench = reviewed();
    let (folder, inside) = exported(&bench, "all.zip");
    let sealed = |change: &str, named: &[&str]| found_out(&bench, &inside, &format!("{change}\n{SEAL}"), named);
    sealed(
        "sed -i '0,/\"complete\":true/s//\"complete\":false/' ledger.jsonl",
        &["does not follow the one before", "does not follow line"],
    );
    sealed("sed -i '1!G;h;$!d' ledger.jsonl", &["line 1 is not entry 1", "line 1 is entry"]);
    sealed("sed -i '$d' ledger.jsonl", &["but the checkpoint names", "it was truncated"]);
    sealed("add '\"fact\":\"key\",\"fingerprint\":null'", &["but the checkpoint names", "anybody may have appended"]);
    sealed("rm -rf $BAG", &["the bag $BAG is missing", "the bag $BAG is in the ledger but missing"]);
    sealed("cp -r $BAG other", &["no entry of the ledger names other", "no entry of the ledger names this bag"]);
    sealed(
        "echo x > $BAG/data/reports/report.html",
        &["$BAG: the payload is not what was sealed", "report.html is not as it was sealed"],
    );
    sealed(
        "rm $BAG/tagmanifest-sha256.txt.sig",
        &["$BAG is not signed, although a key was in use", "it was not signed, or the signature was removed"],
    );
    sealed(
        "for mail in mail/*; do echo x >> $mail; done",
        &["does not have the digest in its name", "does not have the digest in its name: it was changed"],
    );
    // What the auditor reads first.
    let ours = "is not what the ledger and the bags give";
    let derived = |change: &str, named: &str| found_out_by_us(&bench, &inside, &format!("{change}\n{SEAL}"), named);
    derived("sed -i s/made/done/ coverage.html; echo >> coverage.html", &format!("coverage.html {ours}"));
    derived("sed -i '2s/true/false/' coverage.csv", &format!("coverage.csv {ours}"));
    derived("sed -i '$d' coverage.csv", &format!("coverage.csv {ours}"));
    derived("sed -i 's/ gap/ review/' README.txt", &format!("README.txt {ours}"));
    derived("echo 'exit 0' > verify.sh", &format!("verify.sh {ours}"));
    derived("echo '# x' >> allowed_signers", &format!("allowed_signers {ours}"));
    derived("echo x > summary.txt", "summary.txt does not belong to an export of this period");
    // By another build only the facts of the table and the counts are compared, and that is said.
    derived(
        "sed -i 's/sha256 of the binary: ./&x/' period.json; sed -i '2s/true/false/' coverage.csv",
        &format!("coverage.csv {ours}"),
    );
    derived(
        "sed -i 's/sha256 of the binary: ./&x/' period.json; sed -i '3s/[0-9]/7&/' README.txt",
        &format!("README.txt {ours}"),
    );
    // A period that was made shorter, with the bags and mails outside it removed.
    sealed(
        "sed -i 's/\"to\":\"[^\"]*/\"to\":\"2026-01-01T00:00:00Z/;s/\"from\":\"[^\"]*/\"from\":\"2025-12-31T00:00:00Z/' period.json; rm -rf mail 20*_*",
        &["is of another period than period.json", "period.json states that the period is covered until"],
    );
    sealed("rm $(ls mail/* | head -n 1)", &["the mail mail/", "is missing or was changed"]);
    // Nothing that is in a bag is ever run.
    let ran = bench.path("ran");
    sealed(&format!("echo 'touch {}' > $BAG/verify.sh", ran.display()), &["$BAG"]);
    assert!(!ran.exists());
    // By itself, sealing again changes nothing.
    fs::copy(bench.path("newer"), folder.path().join("key")).unwrap();
    let (again, said) = judge(&inside, "sh", &["-c", SEAL]);
    assert!(again && verified(&inside).0, "{said}{}", verified(&inside).1);
}

#[test]
fn the_bag_of_a_failed_run_is_held_to_the_ledger_like_any_other() {
    let bench = reviewed();
    bench.simulator.set_faults([Fault::MissingScopeUsers]);
    let (code, _, said) = bench.run(&["audit"]);
    assert!(code == 1 && said.contains("lacks the scope"), "{said}");
    let (_folder, inside) = exported(&bench, "all.zip");
    let (good, said) = verified(&inside);
    assert!(good, "{said}");
    let edit = "sed -i 's/lacks/holds/' $BAG/data/failure.json";
    found_out(&bench, &inside, edit, &["$BAG/data/failure.json"]);
    let sealed = |change: &str, named: &[&str]| found_out(&bench, &inside, &format!("{change}\n{SEAL}"), named);
    sealed(edit, &["$BAG: the payload is not what was sealed", "failure.json is not as it was sealed"]);
    sealed("rm $BAG/data/failure.json", &["$BAG", "failure.json"]);
    sealed("rm -rf $BAG", &["the bag $BAG is missing", "the bag $BAG is in the ledger but missing"]);
    sealed(
        &format!("{edit}\n{SEAL_BAG}"),
        &["$BAG is not the bag that the ledger names", "names another bag of this name"],
    );
}

#[test]
fn evidence_that_is_not_as_it_was_written_is_not_exported() {
    let bench = reviewed();
    let ledger = fs::read_to_string(bench.path("bags/ledger.jsonl")).unwrap();
    fs::write(bench.path("bags/ledger.jsonl"), ledger.replacen("true", "false", 1)).unwrap();
    let [from, to] = days();
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--out", "x.zip"]);
    assert!(code == 1 && said.contains("has been changed and is not exported"), "{said}");
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
