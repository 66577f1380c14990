//! Timestamps of third parties: given by an authority of `openssl ts`, verified by `openssl ts -verify`; authorities that
//! lie, fail or stall; and timestamps that somebody changed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::Utc;
use proptest::prelude::*;
use rolecall::{
    digest::sha256,
    ledger::{
        Entry, Fact, chain,
        fact::{Covers, Timestamped},
    },
    timestamp::{
        Request, Roots, Token,
        authorities::{Authorities, Mode},
    },
};

use crate::{
    authority::{Authority, Manner, openssl},
    daemon::{Daemon, eventually},
    evidence::{bench, judge},
    export::{days, exported, verified},
    support::{Bench, rolecall},
    tools::{read_csv, tool},
};

const KEY: &str = "signing_key = { file = \"key\" }";

/// A bench whose evidence this authority confirms.
pub(crate) fn stamping(authority: &Authority, more: &str) -> Bench {
    let bench = bench(12);
    fs::copy(authority.root(), bench.path("tsa.pem")).unwrap();
    let table = format!("{KEY}\n\n[evidence.timestamps]\nurl = \"{}\"\nca_file = \"tsa.pem\"\n{more}", authority.url());
    bench.reconfigure(KEY, &table);
    bench
}

/// The timestamps that the ledger names.
pub(crate) fn stamps(bench: &Bench) -> Vec<(Entry, Timestamped)> {
    let found = chain::read(&bench.read("bags/ledger.jsonl"));
    assert!(found.faults.is_empty());
    let stamp = |(entry, _): (Entry, String)| match entry.fact.clone() {
        Fact::Timestamped(timestamped) => Some((entry, timestamped)),
        _ => None,
    };
    found.entries.into_iter().filter_map(stamp).collect()
}

fn bag_of(timestamped: &Timestamped) -> Option<&str> {
    match &timestamped.covers {
        Covers::Bag(bag) => Some(&bag.folder),
        Covers::Ledger(_) => None,
    }
}

/// What the timestamp is of, in the folder of evidence.
fn data(timestamped: &Timestamped) -> String {
    match &timestamped.covers {
        Covers::Bag(bag) => format!("{}/tagmanifest-sha256.txt.sig", bag.folder),
        Covers::Ledger(head) => format!("timestamps/checkpoint-{:08}.json.sig", head.number),
    }
}

/// Whether `openssl ts -verify` verifies a timestamp at a time.
fn by_openssl(folder: &Path, root: &Path, timestamped: &Timestamped, at: i64) -> (bool, String) {
    let (answer, at) = (format!("timestamps/{}.tsr", timestamped.token), at.to_string());
    let (data, root) = (data(timestamped), root.to_str().unwrap());
    openssl(folder, &["ts", "-verify", "-data", &data, "-in", &answer, "-CAfile", root, "-attime", &at])
}

#[test]
fn a_bag_and_the_ledger_get_timestamps_that_openssl_verifies_also_when_certificates_have_expired() {
    let authority = Authority::start();
    let bench = stamping(&authority, "policy = \"1.2.3.4.1\"\n");
    let before = Utc::now();
    let printed = bench.audit(&["--send"]);
    assert!(printed.contains(&format!("UTC, by {}", authority.url())), "{printed}");
    assert_eq!(bench.simulator.inbox().messages().len(), 2);
    let given = stamps(&bench);
    assert_eq!(given.len(), 2, "the bag, and the ledger");
    assert!(bag_of(&given[0].1).is_some() && bag_of(&given[1].1).is_none());
    let bags = bench.path("bags");
    for (entry, timestamped) in &given {
        assert!((timestamped.time - before).num_seconds().abs() < 60);
        let now = timestamped.time.timestamp();
        let (good, said) = by_openssl(&bags, &authority.root(), timestamped, now);
        assert!(good, "{said}");
        // 20 years later its certificate has expired; the time of the timestamp is what counts.
        let (good, said) = by_openssl(&bags, &authority.root(), timestamped, now + 20 * 31_557_600);
        assert!(!good && said.contains("certificate has expired"), "{said}");
        assert!(!by_openssl(&bags, &authority.stranger(), timestamped, now).0);
        assert!(entry.number > 1);
    }
    // An audit soon after: its bag gets one, and the ledger does not get another yet.
    bench.audit(&[]);
    assert_eq!(stamps(&bench).len(), 3);
    assert_eq!(authority.asked(), 3);
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert!(code == 0 && printed.contains("3 timestamps; the ledger existed up to entry "), "{printed}{said}");
    let rows = coverage(&bench);
    let column = rows[0].iter().position(|name| name == "time_proven_at").unwrap();
    assert!(rows[1..].iter().all(|row| row[column].ends_with('Z')), "{rows:?}");
    let page = bench.read("cover/coverage.html");
    assert!(page.contains("proves that the ledger existed up to entry") && page.contains(&authority.url()), "{page}");
    // A bag stays what it was.
    for bag in given.iter().filter_map(|(_, timestamped)| bag_of(timestamped)) {
        assert!(judge(&bags.join(bag), tool("bagit.py"), &["--validate", "."]).0);
    }
}

#[test]
fn check_asks_each_authority_and_keeps_nothing() {
    let (good, lying) = (Authority::start(), Authority::start());
    lying.behave(Manner::OtherImprint);
    let bench = stamping(&good, "");
    let (code, printed, said) = bench.run(&["check"]);
    assert_eq!(code, 0, "{printed}{said}");
    let expected = format!("  ok         {}, its clock is the same as this machine's", good.url());
    assert!(printed.contains(&expected), "{printed}");
    assert!(!bench.path("bags/timestamps").exists(), "nothing is kept");
    bench
        .reconfigure(&format!("url = \"{}\"", good.url()), &format!("url = [\"{}\", \"{}\"]", lying.url(), good.url()));
    let (code, printed, _) = bench.run(&["check"]);
    assert!(code == 0 && printed.contains("FAILED") && printed.contains("is of other data"), "{printed}");
    bench.reconfigure(&format!(", \"{}\"", good.url()), "");
    let (code, printed, said) = bench.run(&["check"]);
    assert!(code == 1 && said.contains("no timestamp authority gives a timestamp"), "{printed}{said}");
    let (code, printed, _) = bench.run(&["check", "--offline"]);
    assert!(code == 0 && !printed.contains("Timestamp authorities"), "{printed}");
}

fn coverage(bench: &Bench) -> Vec<Vec<String>> {
    let [from, to] = days();
    bench.run(&["evidence", "coverage", "--from", &from, "--to", &to, "--out", "cover"]);
    read_csv(&bench.path("cover/coverage.csv"))
}

#[test]
fn without_the_setting_times_are_said_to_be_by_this_machines_clock() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    assert!(stamps(&bench).is_empty() && !bench.path("bags/timestamps").exists());
    let rows = coverage(&bench);
    assert_eq!(rows[1].last().map(String::as_str), Some(""));
    assert!(bench.read("cover/coverage.html").contains("All times are by this machine&#39;s clock"));
    let (_folder, inside) = exported(&bench, "all.zip");
    assert!(fs::read_to_string(inside.join("README.txt")).unwrap().contains("by the clock of the company"));
    assert!(verified(&inside).0);
}

#[test]
fn authorities_that_allow_few_requests_are_asked_once_a_day() {
    let authority = Authority::with_keys(&["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    let bench = stamping(&authority, "mode = \"daily\"\n");
    for _ in 0..3 {
        bench.audit(&[]);
    }
    let given = stamps(&bench);
    assert!(authority.asked() == 1 && given.len() == 1 && bag_of(&given[0].1).is_none(), "{given:?}");
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert!(code == 0 && printed.contains("2 bags without a timestamp yet"), "{printed}{said}");
    let rows = coverage(&bench);
    let proven = rows[1..].iter().filter(|row| !row.last().unwrap().is_empty()).count();
    assert_eq!((rows.len(), proven), (4, 1), "{rows:?}");
    let (_folder, inside) = exported(&bench, "all.zip");
    let (good, said) = verified(&inside);
    assert!(good && said.contains("Verified: 1 timestamps"), "{said}");
}

/// Authorities as the configuration would name them.
fn authorities(asked: &[&Authority], trusted: &Path) -> Authorities {
    Authorities {
        urls: asked.iter().map(|authority| authority.url().parse().unwrap()).collect(),
        policy: None,
        roots: Roots::from_pem(&fs::read(trusted).unwrap()).unwrap(),
        mode: Mode::Each,
        patience: Duration::from_secs(3),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn an_authority_that_lies_or_fails_is_not_believed_and_the_next_one_is_asked() {
    let (liar, honest) = (Authority::start(), Authority::start());
    let lies = [
        (Manner::OtherImprint, "the timestamp is of other data"),
        (Manner::OtherNonce, "its nonce differs"),
        (Manner::Expired, "has expired"),
        (Manner::Untrusted, "does not lead to a trusted certificate"),
        (Manner::WrongUsage, "it is for something else"),
        (Manner::Stale, "the timestamp says 2019-"),
        (Manner::Forged, "the content is not what was signed"),
        (Manner::NoCertificate, "the certificate of who signed is not in the answer"),
        (Manner::Refuses, "the authority refused: rejection; it does not support the algorithm"),
        (Manner::Oversized, "the answer has more than 65536 bytes"),
        (Manner::Nonsense, "it is not an answer of a timestamp authority"),
        (Manner::Redirects, "HTTP 302"),
        (Manner::Unavailable, "HTTP 503"),
        (Manner::Stalls, "it did not answer in time"),
    ];
    let only = authorities(&[&liar], &liar.root());
    assert!(block_on(only.stamp(b"data", Utc::now)).is_ok());
    for (manner, why) in lies {
        liar.behave(manner);
        let error = block_on(only.stamp(b"data", Utc::now)).unwrap_err().to_string();
        assert!(error.contains(why), "{manner:?}: {error}");
    }
    // The policy is the authority's own.
    liar.behave(Manner::Honest);
    let strict = Authorities { policy: Some("1.2.3.4.9".parse().unwrap()), ..only };
    let error = block_on(strict.stamp(b"data", Utc::now)).unwrap_err().to_string();
    assert!(error.contains("it does not have that policy"), "{error}");
    // Its clock is right, this machine's is not.
    let late = || Utc::now() + chrono::Duration::minutes(6);
    let honest_only = authorities(&[&honest], &honest.root());
    let error = block_on(honest_only.stamp(b"data", late)).unwrap_err().to_string();
    assert!(error.contains("Set the clock right"), "{error}");
    // The second is asked if the first fails.
    liar.behave(Manner::Unavailable);
    let both = authorities(&[&liar, &honest], &honest.root());
    let stamp = block_on(both.stamp(b"data", Utc::now)).unwrap();
    assert_eq!(stamp.authority.to_string(), honest.url());
}

#[test]
fn a_request_has_a_digest_and_nothing_else() {
    let request = Request::new(b"secret", [0xff; 16], None).to_der().unwrap();
    assert_eq!(request.len(), 77);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("q.tsq"), &request).unwrap();
    let (good, said) = openssl(folder.path(), &["ts", "-query", "-in", "q.tsq", "-text"]);
    assert!(good && said.contains("Certificate required: yes") && said.contains("Hash Algorithm: sha256"), "{said}");
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_of_answers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Token::read(&bytes);
    }
}

/// No byte of an answer can be changed so that it proves another time or other data.
#[test]
fn a_changed_answer_is_refused_or_says_the_same() {
    let authority = Authority::start();
    let request = Request::new(b"data", [7; 16], None);
    let answer = authority.answer(&request.to_der().unwrap());
    let roots = Roots::from_pem(&fs::read(authority.root()).unwrap()).unwrap();
    let honest = Token::read(&answer).unwrap();
    honest.root(&roots).unwrap();
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        let Ok(token) = Token::read(&changed) else { continue };
        if token.root(&roots).is_ok() && token.covers(b"data").is_ok() {
            assert_eq!((token.at, token.serial), (honest.at, honest.serial.clone()), "byte {at}");
        }
    }
}

#[test]
fn mail_does_not_wait_for_an_authority_and_a_restarted_daemon_asks_again() {
    let authority = Authority::start();
    authority.behave(Manner::Stalls);
    let bench = stamping(&authority, "");
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    let daemon = Daemon::start(&bench);
    eventually("that a report is sent", || bench.simulator.inbox().messages().len() >= 2);
    assert!(stamps(&bench).is_empty());
    eventually("that it says what waits", || daemon.said().contains("waits for a timestamp"));
    // It dies as it is.
    daemon.signal("-KILL");
    daemon.wait();
    authority.behave(Manner::Honest);
    bench.reconfigure("* * * * * *", "0 8 * * MON");
    let daemon = Daemon::start(&bench);
    eventually("that everything has its timestamp", || {
        let given = stamps(&bench);
        given.iter().any(|(_, timestamped)| bag_of(timestamped).is_some())
            && given.iter().any(|(_, timestamped)| bag_of(timestamped).is_none())
    });
    assert_eq!(daemon.stop().0, Some(0));
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert!(code == 0 && !printed.contains("without a timestamp"), "{printed}{said}");
}

#[test]
fn an_audit_on_demand_says_that_its_evidence_waits() {
    let authority = Authority::start();
    authority.behave(Manner::Refuses);
    let bench = stamping(&authority, "");
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 0 && said.contains("the evidence waits for a timestamp") && said.contains("refused"), "{said}");
    assert_eq!(bench.simulator.inbox().messages().len(), 2);
    let page = |bench: &Bench| {
        coverage(bench);
        bench.read("cover/coverage.html")
    };
    assert!(page(&bench).contains("no timestamp of a third party proves them"));
    authority.behave(Manner::Honest);
    bench.audit(&[]);
    assert_eq!(stamps(&bench).len(), 3, "both bags, and the ledger");
    assert!(page(&bench).contains("proves that the ledger existed"));
}

#[test]
fn a_timestamp_that_a_dead_process_left_without_an_entry_is_a_note_and_not_exported() {
    let authority = Authority::start();
    let bench = stamping(&authority, "");
    bench.audit(&["--send"]);
    let answer = authority.answer(&Request::new(b"data", [3; 16], None).to_der().unwrap());
    let left = format!("timestamps/{}.tsr", sha256(&answer));
    fs::write(bench.path("bags").join(&left), &answer).unwrap();
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert!(code == 0 && printed.contains(&format!("{left} is named by no entry of the ledger")), "{printed}{said}");
    let (_folder, inside) = exported(&bench, "all.zip");
    assert!(!inside.join(&left).exists() && verified(&inside).0);
}

/// One change to the timestamps in a folder; what must be named.
type Change = (&'static str, fn(&Path, &[Timestamped], &Authority) -> String);

fn answer_of(folder: &Path, timestamped: &Timestamped) -> PathBuf {
    folder.join(format!("timestamps/{}.tsr", timestamped.token))
}

const CHANGES: &[Change] = &[
    ("a byte is changed", |folder, given, _| {
        let path = answer_of(folder, &given[0]);
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() - 9;
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        given[0].token.clone()
    }),
    ("one is removed", |folder, given, _| {
        fs::remove_file(answer_of(folder, &given[0])).unwrap();
        given[0].token.clone()
    }),
    ("two are swapped", |folder, given, _| {
        let [one, other] = [answer_of(folder, &given[0]), answer_of(folder, &given[1])];
        let bytes = [fs::read(&one).unwrap(), fs::read(&other).unwrap()];
        fs::write(&one, &bytes[1]).unwrap();
        fs::write(&other, &bytes[0]).unwrap();
        given[0].token.clone()
    }),
    ("it is replaced by a later one of the same", |folder, given, authority| {
        let bytes = fs::read(folder.join(data(&given[0]))).unwrap();
        let request = Request::new(&bytes, [9; 16], None).to_der().unwrap();
        fs::write(answer_of(folder, &given[0]), authority.answer(&request)).unwrap();
        given[0].token.clone()
    }),
    ("the root is replaced", |folder, given, authority| {
        let pem = folder.join(format!("timestamps/{}.pem", given[0].root));
        fs::copy(authority.stranger(), pem).unwrap();
        given[0].token.clone()
    }),
    ("the checkpoint is changed", |folder, given, _| {
        let last = given.iter().find(|one| bag_of(one).is_none()).unwrap();
        let path = folder.join(data(last).trim_end_matches(".sig"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"number\":", "\"number\":1")).unwrap();
        name(&path)
    }),
    ("the signature of the checkpoint is replaced", |folder, given, _| {
        let last = given.iter().find(|one| bag_of(one).is_none()).unwrap();
        let path = folder.join(data(last));
        let bag = given.iter().find_map(bag_of).unwrap();
        fs::copy(folder.join(bag).join("tagmanifest-sha256.txt.sig"), &path).unwrap();
        name(&path).trim_end_matches(".sig").to_owned()
    }),
    ("that of the ledger is removed", |folder, given, _| {
        let last = given.iter().find(|one| bag_of(one).is_none()).unwrap();
        fs::remove_file(answer_of(folder, last)).unwrap();
        last.token.clone()
    }),
    ("something is added", |folder, _, _| {
        fs::write(folder.join("timestamps/0000.tsr"), "x").unwrap();
        "timestamps/0000.tsr".to_owned()
    }),
];

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn each_change_of_a_timestamp_is_found_and_named() {
    let authority = Authority::start();
    let bench = stamping(&authority, "");
    bench.audit(&["--send"]);
    let given: Vec<Timestamped> = stamps(&bench).into_iter().map(|(_, timestamped)| timestamped).collect();
    let (_folder, inside) = exported(&bench, "all.zip");
    let (good, said) = verified(&inside);
    assert!(good && said.contains("Verified: 2 timestamps"), "{said}");
    let trusted = inside.parent().unwrap().join("trusted");
    for (what, change) in CHANGES {
        // The evidence in use, and an export that whoever has the key sealed anew.
        for is_export in [false, true] {
            let copy = tempfile::tempdir().unwrap();
            let from = if is_export { inside.clone() } else { bench.path("bags") };
            assert!(judge(copy.path(), "cp", &["-r", from.to_str().unwrap(), "all"]).0);
            assert!(judge(copy.path(), "chmod", &["-R", "u+w", "all"]).0);
            let folder = copy.path().join("all");
            let named = change(&folder, &given, &authority);
            if is_export {
                seal(&folder, &bench.path("key"));
                let (good, said) = judge(&folder, "sh", &["verify.sh", trusted.to_str().unwrap()]);
                let said = said.lines().filter(|line| line.starts_with("NOT VERIFIED")).collect::<String>();
                assert!(!good && said.contains(&named), "{what}: verify.sh says {said}; expected {named}");
            }
            let mut verify = rolecall();
            verify.args(["evidence", "verify", folder.to_str().unwrap(), "--allowed-signers"]).arg(&trusted);
            let output = verify.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.code() == Some(1) && said.contains(&named), "{what}: {said}; expected {named}");
        }
    }
}

/// Seals an export anew, as whoever has the key can.
pub(crate) fn seal(folder: &Path, key: &Path) {
    let list = "find . -type f ! -name 'SHA256SUMS*' | cut -c 3- | LC_ALL=C sort | xargs sha256sum > SHA256SUMS && rm -f SHA256SUMS.sig";
    assert!(judge(folder, "sh", &["-c", list]).0);
    let key = key.to_str().unwrap();
    let (good, said) = judge(folder, "ssh-keygen", &["-Y", "sign", "-f", key, "-n", "rolecall-evidence", "SHA256SUMS"]);
    assert!(good, "{said}");
}

#[test]
fn an_auditor_can_say_which_authorities_are_trusted() {
    let authority = Authority::start();
    let bench = stamping(&authority, "");
    bench.audit(&["--send"]);
    let (folder, inside) = exported(&bench, "all.zip");
    let script = inside.join("verify.sh");
    let verify = |roots: &Path| {
        let by_script = judge(folder.path(), "sh", &[script.to_str().unwrap(), "trusted", roots.to_str().unwrap()]);
        let arguments = ["evidence", "verify", inside.to_str().unwrap(), "--allowed-signers", "allowed_signers"];
        let (code, printed, said) = bench.run(&[&arguments[..], &["--timestamp-ca", roots.to_str().unwrap()]].concat());
        (by_script, code, printed + &said)
    };
    let ((good, by_script), code, said) = verify(&authority.root());
    assert!(good && by_script.contains("2 timestamps by authorities that you trust"), "{by_script}");
    assert_eq!(code, 0, "{said}");
    let ((good, by_script), code, said) = verify(&authority.stranger());
    assert!(!good && by_script.contains("is not a valid timestamp"), "{by_script}");
    assert!(code == 1 && said.contains("by an authority that is not trusted"), "{said}");
    let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
    assert!(readme.contains("openssl ts -verify") && readme.contains("-attime"), "{readme}");
}

#[test]
fn what_is_wrong_in_the_configuration_is_named_with_its_place() {
    let bench = bench(2);
    for (table, expected) in [
        ("url = []", "no timestamp authority is named"),
        ("url = \"ftp://example.com\"", "invalid address `ftp://example.com`"),
        ("url = [\"https://user:secret@example.com\"]", "of a timestamp authority"),
        ("url = \"https://example.com/?key=1\"", "of a timestamp authority"),
        ("url = \"https://example.com\"\npolicy = \"gold\"", "invalid policy `gold`"),
        ("url = \"https://example.com\"\nmode = \"hourly\"", "mode"),
    ] {
        let text = bench.read("rolecall.toml");
        fs::write(bench.path("bad.toml"), format!("{text}\n[evidence.timestamps]\n{table}\n")).unwrap();
        let (code, _, said) = bench.run(&["--config", "bad.toml", "check"]);
        assert!(code == 2 && said.contains(expected) && said.contains("bad.toml:"), "{table}: {said}");
    }
}
