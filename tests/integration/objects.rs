//! Evidence in a bucket of a real S3-compatible server, with the real binary.

#[path = "../../src/evidence/storage/objects/tests/s3/server.rs"]
mod server;

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use self::server::server;
use crate::{
    daemon::{Daemon, eventually, runs},
    support::{Bench, options},
};

const SECRET: &str = "s3-secret-that-nobody-may-see";

/// A bench whose evidence is in a bucket of its own, at an address.
fn bench(endpoint: &str, bucket: &str) -> Bench {
    let bench = Bench::new(options(20));
    bench.configure(&format!(
        "\n[evidence]\nurl = \"s3://{bucket}/rolecall\"\nspool = \"spool\"\nsigning_key = {{ file = \"key\" }}\n\
         [evidence.s3]\nendpoint = \"{endpoint}\"\naccess_key_id = {{ file = \"id\" }}\n\
         secret_access_key = {{ file = \"secret\" }}\n"
    ));
    fs::write(bench.path("id"), "id-of-the-key").unwrap();
    fs::write(bench.path("secret"), SECRET).unwrap();
    let (code, printed, said) = bench.run(&["evidence", "init-key", "--out", "key"]);
    assert_eq!(code, 0, "{said}");
    fs::write(bench.path("allowed_signers"), format!("{}\n", printed.lines().last().unwrap())).unwrap();
    bench
}

/// Runs a command that must succeed; gives what it printed.
fn good(bench: &Bench, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = bench.run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
    assert!(!stdout.contains(SECRET) && !stderr.contains(SECRET), "{arguments:?}");
    stdout
}

#[test]
fn every_command_about_evidence_works_on_a_bucket() {
    let bucket = server().bucket("bucket");
    server().command(&format!("versions {bucket}"));
    let bench = bench(&server().url(), &bucket);
    let checked = good(&bench, &["check"]);
    assert!(checked.contains(&format!("Evidence in s3://{bucket}/rolecall")), "{checked}");
    assert!(checked.contains("versions   kept") && checked.contains("retention  none"), "{checked}");
    assert!(!good(&bench, &["check", "--offline"]).contains("Evidence in"));
    let audited = good(&bench, &["-vv", "audit", "--send"]);
    assert!(audited.contains(&format!("s3://{bucket}/rolecall/bags/")), "{audited}");
    assert_eq!(bench.simulator.inbox().messages().len(), 2);
    let listed = good(&bench, &["evidence", "list"]);
    let (bag, what) = listed.trim().split_once('\n').unwrap();
    assert!(what.contains("acme") && what.contains("open finding"), "{listed}");
    assert!(
        bag.starts_with(&format!("s3://{bucket}/rolecall/bags/")) && bag.strip_suffix(".zip").is_some(),
        "{listed}"
    );
    let verified = good(&bench, &["evidence", "verify"]);
    assert!(verified.contains("Verified: 1 evidence bag and the ledger"), "{verified}");
    good(&bench, &["evidence", "verify", bag, "--allowed-signers", "allowed_signers"]);
    good(&bench, &["evidence", "verify", &format!("s3://{bucket}/rolecall")]);
    let recomputed = good(&bench, &["evidence", "recompute", bag]);
    assert!(recomputed.contains("The recorded answers lead to the same files"), "{recomputed}");
    let (from, to) = (chrono::Utc::now() - chrono::Duration::days(1), chrono::Utc::now() + chrono::Duration::days(1));
    let period = [&*from.format("%Y-%m-%d").to_string(), &to.format("%Y-%m-%d").to_string()].map(str::to_owned);
    good(&bench, &["evidence", "export", "--from", &period[0], "--to", &period[1], "--out", "export.zip"]);
    good(&bench, &["evidence", "verify", "export.zip", "--allowed-signers", "allowed_signers"]);
    let covered = bench.run(&["evidence", "coverage", "--from", &period[0], "--to", &period[1]]);
    assert!([0, 3].contains(&covered.0), "{covered:?}");
    let access = good(&bench, &["access", "--as-of", &period[1], "--format", "json"]);
    assert!(access.contains("acme"), "{access}");
    let sample = ["evidence", "sample", "--from", &period[0], "--to", &period[1], "--n", "5", "--seed", "4711"];
    let drawn = good(&bench, &[&sample[..], &["--out", "sample"]].concat());
    assert!(drawn.contains("5 of ") && bench.path("sample/index.html.sig").exists(), "{drawn}");
    let traced = bench.read("sample/sample.csv");
    assert!(traced.contains("data/answers/"), "{traced}");
    let id = bag.rsplit_once('_').unwrap().1.strip_suffix(".zip").unwrap();
    good(&bench, &["evidence", "certificate", id, "--out", "by-id.html"]);
    good(&bench, &["evidence", "certificate", bag, "--out", "by-bag.html", "--allowed-signers", "allowed_signers"]);
    for page in ["by-id.html", "by-bag.html"].map(|page| bench.read(page)) {
        assert!(
            page.contains("accounts of acme are in the list") && page.contains("valid, by the trusted key"),
            "{page}"
        );
    }
    // The store is lost, and restored from the bucket.
    fs::remove_file(bench.path("rolecall.db")).unwrap();
    let restored = good(&bench, &["store", "rebuild", "--from-evidence"]);
    assert!(restored.contains("1 audit with all that they saw."), "{restored}");
    assert!(restored.contains("Nothing that the ledger names is missing."), "{restored}");
    assert_eq!(good(&bench, &["access", "--as-of", &period[1], "--format", "json"]), access);
    // Another one is put in its place.
    let key = bag.split_once(&format!("{bucket}/")).unwrap().1;
    server().command(&format!("overwrite {bucket} {key}"));
    let (code, stdout, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("BROKEN") && stdout.contains("another version than"), "{stdout}");
    assert!(stdout.contains("that version is as it was sealed"), "{stdout}");
    server().command(&format!("remove {bucket} {key}"));
    let (code, stdout, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("is in the ledger but missing") && stdout.contains("is still in the store"), "{stdout}");
}

#[test]
fn without_credentials_nothing_is_tried() {
    let bench = bench(&server().url(), &server().bucket("bucket"));
    bench.reconfigure("access_key_id = { file = \"id\" }\nsecret_access_key = { file = \"secret\" }\n", "");
    let (code, _, stderr) = bench.run(&["audit"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("there are no credentials for s3://") && stderr.contains("AWS_ACCESS_KEY_ID"), "{stderr}");
}

#[test]
fn a_bucket_that_is_not_there_is_said_by_check() {
    let bench = bench(&server().url(), "no-such-bucket");
    let (code, _, stderr) = bench.run(&["check"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("NoSuchBucket"), "{stderr}");
}

/// Passes everything on to the server, from an address at which nobody listened before.
fn forward(at: SocketAddr) {
    let listener = TcpListener::bind(at).unwrap();
    let to = server().url().strip_prefix("http://").unwrap().to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut near, mut far) = (stream.unwrap(), TcpStream::connect(&to).unwrap());
            let (mut back, mut forth) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut near, &mut far));
            thread::spawn(move || io::copy(&mut forth, &mut back));
        }
    });
}

#[test]
fn two_machines_that_read_for_one_run_while_the_store_is_away_keep_two_bags_and_one_counts() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = bench(&format!("http://{nobody}"), &server().bucket("bucket"));
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    bench.reconfigure("[daemon]", "[daemon]\nlease_seconds = 2\nstop_seconds = 0");
    // The first one dies when the bag of a run waits in its spool, and before the run is recorded.
    let (code, said) = Daemon::start_with(&bench, &[("ROLECALL_CRASH_AT", "record.before")]).wait();
    assert_eq!(code, None, "{said}");
    let waiting = |spool: &str| -> Vec<String> {
        let files = fs::read_dir(bench.path(spool).join("bags")).into_iter().flatten();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut left = waiting("spool");
    left.sort();
    // Another one, with a spool of its own, repeats the run.
    bench.reconfigure("spool = \"spool\"", "spool = \"other-spool\"");
    let other = Daemon::start(&bench);
    let run = left[0].trim_end_matches(".zip").rsplit('_').next().unwrap().to_owned();
    eventually("that the run is repeated", || waiting("other-spool").iter().any(|bag| bag.contains(&run)));
    assert!(!waiting("other-spool").contains(&left[0]), "one name for two bags");
    forward(nobody);
    eventually("that the run is closed", || {
        runs(&bench).iter().any(|found| found["id"] == *run && found["state"] == "closed")
    });
    let (code, said) = other.stop();
    assert_eq!(code, Some(0), "{said}");
    // The first one comes back, and stores what it had.
    bench.reconfigure("spool = \"other-spool\"", "spool = \"spool\"");
    let first = Daemon::start(&bench);
    eventually("that nothing waits", || waiting("spool").iter().all(|bag| !left.contains(bag)));
    let (code, said) = first.stop();
    assert_eq!(code, Some(0), "{said}");
    let (code, verified, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{verified}{said}");
    assert!(verified.contains("does not count: its run was interrupted and repeated"), "{verified}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn while_the_store_is_away_bags_wait_and_no_mail_leaves_and_a_killed_daemon_loses_nothing() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bucket = server().bucket("bucket");
    let bench = bench(&format!("http://{nobody}"), &bucket);
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    let waiting = || fs::read_dir(bench.path("spool/bags")).map_or(0, Iterator::count);
    let daemon = Daemon::start(&bench);
    eventually("a bag that waits", || waiting() >= 2);
    let address = daemon.address();
    eventually("that /readyz says so", || get(&address, "/readyz").contains("of evidence ("));
    let metrics = get(&address, "/metrics");
    assert!(metrics.contains("rolecall_evidence_unstored_bags "), "{metrics}");
    assert!(!metrics.contains("rolecall_evidence_unstored_bags 0"), "{metrics}");
    daemon.signal("-KILL");
    daemon.wait();
    assert!(bench.simulator.inbox().messages().is_empty(), "a mail left before the evidence of it was stored");
    // Another daemon, and the store comes back while it runs.
    let waited = waiting();
    let daemon = Daemon::start(&bench);
    eventually("more that waits", || waiting() > waited);
    forward(nobody);
    eventually("that nothing waits", || waiting() == 0);
    eventually("mails", || bench.simulator.inbox().messages().len() >= 4);
    eventually("a closed run", || runs(&bench).iter().any(|run| run["state"] == "closed"));
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(SECRET));
    let verified = good(&bench, &["evidence", "verify"]);
    assert!(verified.contains("nothing has been changed"), "{verified}");
}
