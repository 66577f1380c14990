//! Bags that the real binary wrote, judged by bagit.py, sha256sum and ssh-keygen.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use rolecall_simulator::{Fault, Options};
use serde_json::Value;

use crate::{
    daemon::{Daemon, eventually},
    support::{Bench, options, recompute, rolecall},
    tools::tool,
};

/// A bench whose configuration keeps evidence, signed by a new key, and the list of whom to trust.
pub(crate) fn bench(users: u32) -> Bench {
    bench_of(options(users))
}

/// The same beside another simulated workspace.
pub(crate) fn bench_of(options: Options) -> Bench {
    let bench = Bench::new(options);
    bench.configure("\n[evidence]\ndirectory = \"bags\"\nsigning_key = { file = \"key\" }\n");
    let (code, printed, said) = bench.run(&["evidence", "init-key", "--out", "key"]);
    assert_eq!(code, 0, "{said}");
    fs::write(bench.path("allowed_signers"), format!("{}\n", printed.lines().last().unwrap())).unwrap();
    bench
}

fn bags(bench: &Bench) -> Vec<PathBuf> {
    let mut bags: Vec<PathBuf> = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path()).collect();
    bags.retain(|path| path.join("bagit.txt").exists());
    bags.sort();
    bags
}

fn bag(bench: &Bench) -> PathBuf {
    bench.audit(&[]);
    let bags = bags(bench);
    assert_eq!(bags.len(), 1, "{bags:?}");
    bags[0].clone()
}

/// Runs a tool in a bag; whether it was content, and what it said.
pub(crate) fn judge(bag: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).current_dir(bag).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

fn answers(bag: &Path) -> Vec<Value> {
    let index = fs::read_to_string(bag.join("data/answers.jsonl")).unwrap();
    index.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_bag_is_verified_by_tools_that_know_nothing_of_us() {
    let bench = bench(450);
    let bag = bag(&bench);
    let (content, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
    assert!(content, "{said}");
    let signers = bench.path("allowed_signers");
    let (content, said) = judge(&bag, "sh", &["verify.sh", signers.to_str().unwrap()]);
    assert!(content && said.contains("Verified: every file is as it was sealed"), "{said}");
    let path = bag.to_str().unwrap();
    let checked =
        rolecall().args(["evidence", "verify", path, "--allowed-signers", signers.to_str().unwrap()]).output();
    let said = String::from_utf8(checked.unwrap().stdout).unwrap();
    assert!(said.starts_with("ok ") && said.contains("signed by SHA256:"), "{said}");
}

#[test]
fn a_bag_holds_every_answer_as_it_came_and_no_token() {
    let bench = bench(450);
    let bag = bag(&bench);
    let answers = answers(&bag);
    let users: Vec<&Value> =
        answers.iter().filter(|answer| answer["request"].as_str().unwrap().contains("type=AllUsers")).collect();
    assert!(users.len() >= 3, "{answers:?}");
    let mut distinct = std::collections::BTreeSet::new();
    for answer in &users {
        let file = bag.join(answer["file"].as_str().unwrap());
        let (read, body) = match file.extension().unwrap().to_str().unwrap() {
            "gz" => judge(&bag, "gzip", &["-dc", file.to_str().unwrap()]),
            _ => (true, fs::read_to_string(&file).unwrap()),
        };
        assert!(read, "{body}");
        assert_eq!(body.len() as u64, answer["bytes"].as_u64().unwrap());
        if body.is_empty() {
            continue;
        }
        let page: Value = serde_json::from_str(&body).unwrap();
        for user in page["users"].as_array().unwrap() {
            distinct.insert(user["id"].to_string());
        }
    }
    assert_eq!(distinct.len(), 450);
    let report: Value =
        serde_json::from_str(&fs::read_to_string(bag.join("data/reports/report.json")).unwrap()).unwrap();
    assert_eq!(report["access_matrix"].as_array().unwrap().len(), 450);
    let credentials = bench.simulator.credentials();
    let (_, everything) =
        judge(&bag, "sh", &["-c", "find . -type f -exec cat {} +; find . -name '*.gz' -exec gzip -dc {} +"]);
    for secret in [&credentials.client_secret, &credentials.refresh_token] {
        assert!(!everything.contains(secret.as_str()));
    }
    assert!(!everything.contains("access_token") && !everything.to_lowercase().contains("authorization"));
}

#[test]
fn what_was_changed_is_found_by_each_of_them() {
    let bench = bench(20);
    let bag = bag(&bench);
    let file = bag.join("data/reports/findings.csv");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o222, 0, "read-only");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(!judge(&bag, tool("bagit.py"), &["--validate", "."]).0);
    let signers = bench.path("allowed_signers");
    let (content, said) = judge(&bag, "sh", &["verify.sh", signers.to_str().unwrap()]);
    assert!(!content && said.contains("NOT VERIFIED: the bag: the payload is not what was sealed"), "{said}");
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 1);
    assert!(printed.contains("data/reports/findings.csv is not as it was sealed (manifest-sha256.txt)"), "{printed}");
}

#[test]
fn what_was_verified_is_not_read_again_until_it_looks_different() {
    let bench = bench(20);
    let bag = bag(&bench);
    let verify = |more: &[&str]| {
        let (code, printed, _) = bench.run(&[&["evidence", "verify"], more].concat());
        (code, printed)
    };
    let is_remembered = |printed: &str| printed.contains("1 of them was verified before and unchanged since");
    assert!(!is_remembered(&verify(&[]).1));
    // A bag that was just written may be changed again within the same instant, so it is not remembered at once.
    eventually("the bag is remembered", || is_remembered(&verify(&[]).1));
    let (code, printed) = verify(&["--all"]);
    assert!(code == 0 && !is_remembered(&printed), "{printed}");
    // Somebody changes a file and gives it its old size and time.
    let file = bag.join("data/reports/findings.csv");
    let before = fs::metadata(&file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&file, &bytes).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before.modified().unwrap()).unwrap();
    fs::set_permissions(&file, before.permissions()).unwrap();
    for more in [&[][..], &["--all"]] {
        let (code, printed) = verify(more);
        assert!(code == 1 && printed.contains("findings.csv is not as it was sealed"), "{printed}");
    }
    // A memory that somebody else wrote counts for nothing.
    fs::write(bench.path("rolecall.db.verified"), "rolecall: bags that were verified\n{}\n").unwrap();
    assert_eq!(verify(&[]).0, 1);
}

#[test]
fn a_key_that_nobody_trusts_is_found_by_the_script() {
    let bench = bench(20);
    let bag = bag(&bench);
    let (_, printed, _) = bench.run(&["evidence", "init-key", "--out", "other"]);
    fs::write(bench.path("others"), format!("{}\n", printed.lines().last().unwrap())).unwrap();
    let (content, said) = judge(&bag, "sh", &["verify.sh", bench.path("others").to_str().unwrap()]);
    assert!(!content && said.contains("NOT VERIFIED: the signature of tagmanifest-sha256.txt is not valid"), "{said}");
}

/// Changes to a bag, as somebody makes them in its folder, and what has to be named.
const CHANGES: &[(&str, &str)] = &[
    ("echo evil > data/reports/report.html", "data/reports/report.html"),
    ("rm data/reports/findings.csv", "data/reports/findings.csv"),
    ("echo more > data/more.txt", "data/more.txt"),
    ("echo more > data/.more", "data/.more"),
    ("echo more > NOTE.txt", "NOTE.txt"),
    ("mkdir data2; echo more > data2/access-matrix.csv", "data2/access-matrix.csv"),
    ("mkdir data/empty", "data/empty"),
    ("mkdir .hidden", ".hidden"),
    ("ln -s /etc/hostname data/link", "data/link"),
    ("ln -s reports data/folder", "data/folder"),
    ("mv data/reports elsewhere; ln -s ../elsewhere data/reports", "data/reports"),
    ("rm data/reports/report.html; mkfifo data/reports/report.html", "data/reports/report.html"),
    ("echo 'exit 0' > verify-too.sh", "verify-too.sh"),
    ("rm bagit.txt", "bagit.txt"),
    ("echo >> bag-info.txt", "bag-info.txt"),
    ("echo >> README.txt", "README.txt"),
    ("rm manifest-sha512.txt", "manifest-sha512.txt"),
    ("sed -i 1d manifest-sha256.txt", "manifest-sha256.txt"),
    ("rm tagmanifest-sha512.txt", "tagmanifest-sha512.txt"),
    ("echo >> tagmanifest-sha512.txt", "tagmanifest-sha512.txt"),
    (r"sed -i '1s/$/\r/' tagmanifest-sha512.txt", "tagmanifest-sha512.txt"),
    ("sed -i '1!G;h;$!d' tagmanifest-sha512.txt", "tagmanifest-sha512.txt"),
    ("sed -i '1s/./0/;2s/./1/;3s/./2/' tagmanifest-sha512.txt", "tagmanifest-sha512.txt"),
    ("echo >> tagmanifest-sha256.txt", "signature"),
    ("rm tagmanifest-sha256.txt.sig", "signed"),
    ("echo junk >> tagmanifest-sha256.txt.sig", "sig"),
    ("printf junk >> tagmanifest-sha256.txt.sig", "sig"),
    ("sed -i '1s/^/junk\\n/' tagmanifest-sha256.txt.sig", "sig"),
    (r"sed -i 's/$/\r/' tagmanifest-sha256.txt.sig", "sig"),
    ("sed -i '5s/==/=/' tagmanifest-sha256.txt.sig", "sig"),
    // The last digit before the padding has four bits that mean nothing.
    ("sed -i '5s/[A-Za-z0-9+\\/]==/B==/' tagmanifest-sha256.txt.sig", "sig"),
];

#[test]
fn every_change_to_a_bag_is_found_and_named_by_its_script_and_by_us() {
    let bench = bench(20);
    let bag = bag(&bench);
    let signers = bench.path("allowed_signers");
    let signers = signers.to_str().unwrap();
    for (change, named) in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bag");
        assert!(Command::new("cp").arg("-r").args([&bag, &path]).status().unwrap().success());
        let (changed, said) = judge(&path, "sh", &["-c", &format!("set -e; chmod -R u+w .; {change}")]);
        assert!(changed, "{change}: {said}");
        let (content, said) = judge(&path, "timeout", &["20", "sh", "verify.sh", signers]);
        assert!(!content && said.contains("NOT VERIFIED") && said.contains(named), "{change}: {said}");
        // The folder, because without a declaration it is no bag by itself.
        let arguments = ["evidence", "verify", folder.path().to_str().unwrap(), "--allowed-signers", signers];
        let output = rolecall().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let about = said.split("BROKEN").find(|about| about.contains("/bag")).unwrap_or_default();
        assert!(output.status.code() == Some(1) && about.contains(named), "{change}: {said}");
    }
}

#[test]
fn without_a_key_the_bag_says_that_it_is_unsigned_and_check_warns() {
    let bench = bench(20);
    bench.reconfigure("signing_key = { file = \"key\" }\n", "");
    let (code, _, said) = bench.run(&["check"]);
    assert!(code == 0 && said.contains("unsigned evidence cannot be verified by a third party"), "{said}");
    assert_eq!(bench.run(&["evidence", "list"]), (0, "no bags yet\n".to_owned(), String::new()));
    let bag = bag(&bench);
    assert!(fs::read_to_string(bag.join("README.txt")).unwrap().contains("MISSING, this bag is not signed"));
    assert!(judge(&bag, tool("bagit.py"), &["--validate", "."]).0);
    let (content, said) = judge(&bag, "sh", &["verify.sh"]);
    assert!(!content && said.contains("this bag is not signed"), "{said}");
}

#[test]
fn every_run_of_the_daemon_has_a_bag_and_a_failed_read_leaves_none() {
    let bench = bench(20);
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    let daemon = Daemon::start(&bench);
    let runs = || crate::daemon::runs(&bench);
    eventually("two reviews", || runs().iter().filter(|run| run["state"] == "closed").count() >= 2);
    bench.simulator.set_faults([Fault::ServerErrorAlways]);
    eventually("a review that fails", || runs().iter().any(|run| run["state"] == "due" && !run["error"].is_null()));
    daemon.stop();
    let bags = bags(&bench);
    for run in runs() {
        let id = run["id"].as_str().unwrap();
        let of_this = bags.iter().filter(|bag| bag.to_str().unwrap().contains(id)).count();
        assert_eq!(of_this, usize::from(run["state"] == "closed"), "{run}");
        if run["state"] == "closed" {
            let named = bench.path("bags").join(run["evidence"]["folder"].as_str().unwrap());
            let sealed = judge(&named, "sha256sum", &["tagmanifest-sha256.txt"]).1;
            assert!(sealed.starts_with(run["evidence"]["sha256"].as_str().unwrap()), "{sealed} {run}");
        }
    }
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(printed.lines().filter(|line| line.starts_with("ok ")).count(), bags.len() + 1, "and the ledger");
}

#[test]
fn a_review_whose_evidence_cannot_be_written_fails_and_is_not_kept() {
    let bench = bench(20);
    // A file where the folder should be.
    fs::write(bench.path("bags"), "in the way").unwrap();
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 1 && said.contains("the evidence bags/") && said.contains("it is not a folder"), "{said}");
    assert!(bench.simulator.inbox().messages().is_empty(), "no report without its evidence");
    let (_, shown, _) = bench.run(&["runs"]);
    assert!(shown.contains("failed") && shown.contains("ATTENTION"), "{shown}");
    fs::remove_file(bench.path("bags")).unwrap();
    bench.audit(&["--send"]);
    assert_eq!(bags(&bench).len(), 1);
}

#[test]
fn a_review_is_made_once_more_from_its_bag_alone() {
    let bench = bench(450);
    bench.audit(&[]);
    let edited = bench.simulator.world().edit(|world| {
        let users = world.user_ids();
        world.promote(&users[7])?;
        world.delete(&users[9])
    });
    edited.unwrap();
    // What is asked for again, what is repaired, and what stays incomplete.
    bench.simulator.set_faults([Fault::RateLimitBare, Fault::TruncatedJson, Fault::TokenExpires]);
    bench.audit(&[]);
    bench.simulator.set_faults([Fault::UserInsertedOnce]);
    bench.audit(&[]);
    bench.simulator.set_faults([Fault::DuplicateRowAlways]);
    bench.audit(&[]);
    let bags = bags(&bench);
    assert_eq!(bags.len(), 4);
    let mut changes = Vec::new();
    for bag in &bags {
        let (code, said) = recompute(bag);
        assert!(
            code == 0 && said.contains("same    data/reports/access-matrix.csv, ") && said.contains("byte for byte"),
            "{said}"
        );
        changes.push(fs::read_to_string(bag.join("data/reports/changes.csv")).unwrap().lines().count());
    }
    assert!(changes[1] > 2, "{changes:?}");
    let completeness: Value =
        serde_json::from_str(&fs::read_to_string(bags[0].join("data/completeness.json")).unwrap()).unwrap();
    for sum in completeness["sums"].as_array().unwrap() {
        assert!(sum.as_str().unwrap().ends_with(": they agree"), "{sum}");
    }
    let (read, users) = judge(&bags[0], "gzip", &["-dc", "data/directory/users.jsonl.gz"]);
    assert!(read && users.lines().count() == 450, "{users}");
    let (read, _) = judge(&bags[1], "zstd", &["-dc", "data/previous.jsonl.zst"]);
    assert!(read);
}

#[test]
fn a_report_that_does_not_follow_from_the_answers_is_found_even_where_the_digests_fit() {
    let bench = bench(30);
    let bag = bag(&bench);
    // Of the same length, so that only the digests have to be made anew.
    let forge = "set -e; chmod -R u+w .; sed -i '3s/@example/@elpmaxe/' data/reports/access-matrix.csv
        for n in 256 512; do (find data -type f | LC_ALL=C sort | xargs sha${n}sum) > manifest-sha$n.txt; done
        tags='README.txt bag-info.txt bagit.txt manifest-sha256.txt manifest-sha512.txt verify.sh'
        for n in 256 512; do sha${n}sum $tags > tagmanifest-sha$n.txt; done";
    let (forged, said) = judge(&bag, "sh", &["-c", forge]);
    assert!(forged, "{said}");
    let (whole, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
    assert!(whole, "the digests fit: {said}");
    let (code, said) = recompute(&bag);
    assert!(code == 1 && said.contains("DIFFERS data/reports/access-matrix.csv, from line "), "{said}");
}

#[test]
fn the_list_says_of_each_bag_when_it_was_due_for_which_job_and_what_came_of_it() {
    let bench = bench(48);
    bench.audit(&["--job", "weekly", "--send"]);
    bench.audit(&[]);
    bench.simulator.set_faults([Fault::MissingScopeUsers]);
    assert_eq!(bench.run(&["audit", "--job", "weekly"]).0, 1);
    let (code, stdout, stderr) = bench.run(&["evidence", "list", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let rows: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let told =
        |row: &Value| ["kind", "job", "workspace", "complete", "users"].map(|key| row[key].to_string()).join(" ");
    assert_eq!(
        rows.iter().map(told).collect::<Vec<_>>(),
        [
            r#""audit" "weekly" "acme" true 48"#,
            r#""audit" "weekly" "acme" true 48"#,
            r#""failed" null "acme" null null"#
        ]
    );
    assert!(rows[0]["fire_at"].is_string() && rows.iter().all(|row| row["recorded_at"].is_string()), "{stdout}");
    let (_, csv, _) = bench.run(&["evidence", "list", "--format", "csv"]);
    assert!(csv.starts_with("place,folder,kind,job,workspace,fire_at,recorded_at,id,complete,users,open_findings\r\n"));
    let (_, listed, _) = bench.run(&["evidence", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 6, "{listed}");
    assert!(Path::new(lines[0]).join("bagit.txt").exists() || bench.path(lines[0]).join("bagit.txt").exists());
    assert!(lines[1].contains("  weekly · acme: 48 users, ") && lines[5].contains("failed"), "{listed}");
    // What the ledger does not name is listed too.
    fs::remove_file(bench.path("bags/ledger.jsonl")).unwrap();
    let (code, listed, _) = bench.run(&["evidence", "list"]);
    assert!(code == 0 && listed.matches("the ledger does not name it").count() == 3, "{listed}");
}
