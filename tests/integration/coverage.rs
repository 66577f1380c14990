//! What `evidence coverage` believes, on what the real binary wrote: a review every second, by another scheduler.

use std::fs;

use chrono::{Duration, Utc};
use rolecall::{
    ledger::Fact,
    store::{ledger::Ledger as _, sqlite::SqliteStore},
};

use crate::{
    evidence::bench,
    support::Bench,
    tools::{read_csv, run_script},
};

/// A bench whose job is due every second, so that every review answers a fire time.
fn every_second() -> Bench {
    let bench = bench(10);
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    // The first one notes the schedule; what comes later is held to it.
    bench.audit(&[]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    bench
}

/// The coverage of these days, where nothing is pending: exit code, what it said, and the table.
fn covered(bench: &Bench) -> (i32, String, Vec<Vec<String>>) {
    let day = |days| (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (from, to) = (day(-1), day(1));
    let arguments = ["evidence", "coverage", "--from", &from, "--to", &to, "--late-after", "0", "--out", "cover"];
    let (code, printed, said) = bench.run(&arguments);
    (code, printed + &said, read_csv(&bench.path("cover/coverage.csv")))
}

/// The rows that a review answers, in their order: state, reason, recipients, when they had it.
fn answered(table: &[Vec<String>]) -> Vec<[&str; 4]> {
    let made = table[1..].iter().filter(|row| !row[10].is_empty());
    made.map(|row| [row[5].as_str(), row[7].as_str(), row[16].as_str(), row[17].as_str()]).collect()
}

#[test]
fn a_review_by_hand_answers_its_fire_time_only_where_it_was_mailed() {
    let bench = every_second();
    bench.audit(&["--job", "weekly"]);
    // Not in the same second: of two reviews the better one answers.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    bench.audit(&["--send"]);
    let (code, said, table) = covered(&bench);
    assert_eq!(code, 3, "{said}");
    let rows = answered(&table);
    let no_mail_reason: Vec<_> =
        rows.iter().filter(|row| row[1].contains("not mailed: it was started without --send")).collect();
    assert!(
        no_mail_reason.iter().any(|row| row[0] == "undelivered") && no_mail_reason.iter().all(|row| row[2].is_empty()),
        "{rows:?}"
    );
    let mailed: Vec<_> = rows.iter().filter(|row| !row[2].is_empty()).collect();
    assert_eq!(mailed.len(), 1, "{rows:?}");
    assert_eq!(mailed[0][2], "security@example.com;compliance@example.com");
    assert!(mailed[0][3].ends_with('Z') && ["on time", "late", "by hand"].contains(&mailed[0][0]), "{rows:?}");
    assert!(table[0][18] == "period" && table[1][18].matches("T00:00:00Z").count() == 2, "{:?}", table[0]);
    assert!(said.contains(", days in UTC: "), "{said}");
}

#[test]
fn a_bag_that_was_taken_away_leaves_a_gap() {
    let bench = every_second();
    bench.audit(&["--send"]);
    let (_, _, table) = covered(&bench);
    let bag = table.iter().find(|row| row[16].contains('@')).unwrap()[14].clone();
    assert!(!table.iter().any(|row| row[5] == "unproven"));
    let (moved, said) = crate::evidence::judge(&bench.path("bags"), "mv", &[&bag, "../aside"]);
    assert!(moved, "{said}");
    let (code, said, table) = covered(&bench);
    let row = table.iter().find(|row| row[14] == bag).unwrap();
    assert_eq!(code, 3);
    // By hand at no fire time it would be none.
    assert!(row[5] == "by hand" || (row[5] == "unproven" && row[7].contains("is missing")), "{row:?} {said}");
}

#[test]
fn every_audit_is_held_to_the_schedules_of_all_jobs() {
    let bench = every_second();
    let schedules = || {
        let ledger = bench.read("bags/ledger.jsonl");
        let facts = ledger.lines().filter(|line| line.contains("\"fact\":\"schedule\""));
        facts.map(|line| line.contains("\"terms\":null")).collect::<Vec<_>>()
    };
    assert_eq!(schedules(), [false], "also without --send");
    bench.reconfigure("jobs.weekly", "jobs.every-second");
    bench.audit(&["--send"]);
    assert_eq!(schedules(), [false, false, true], "the old name is due no more");
    let (_, _, table) = covered(&bench);
    let last = |job: &str| table.iter().filter(|row| row[0] == job).map(|row| row[2].clone()).max().unwrap();
    assert!(last("weekly") <= last("every-second"), "{table:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_is_told_everywhere() {
    let bench = bench(10);
    bench.audit(&["--send"]);
    // The ledger goes on in a week's time, and then the clock is what it is now.
    let store = SqliteStore::open(&bench.path("rolecall.db")).await.unwrap();
    let key = Fact::Key { fingerprint: Some("SHA256:later".into()), signer: None };
    store.append(&[key], Utc::now() + Duration::days(7)).await.unwrap();
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 0 && said.contains("it was set back, or was ahead then"), "{said}");
    let mail = String::from_utf8(bench.simulator.inbox().messages().last().unwrap().bytes.clone()).unwrap();
    assert!(mail.contains("clock was set back"), "{mail}");
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert!(
        code == 0 && printed.contains("note    Entries ") && printed.contains("a clock that had been set back"),
        "{printed}{said}"
    );
    let (_, said, table) = covered(&bench);
    // By the clock of now, the entry is in the future: it makes no later review late.
    assert!(said.contains("a clock was ahead: it wrote ") && said.contains("which is in the future"), "{said}");
    let rows = answered(&table);
    assert!(rows.iter().all(|row| !row[1].contains("the clock had been set back")), "{rows:?}");
    // A right clock, beside the vendor's.
    let bag = fs::read_dir(bench.path("bags"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("bagit.txt").exists())
        .max();
    let completeness = fs::read_to_string(bag.unwrap().join("data/completeness.json")).unwrap();
    assert!(
        completeness.contains("\"kind\": \"clock\"") && completeness.contains("s from this machine's clock"),
        "{completeness}"
    );
}

#[test]
fn a_configuration_is_kept_without_comments_and_secrets() {
    let bench = bench(10);
    let secret = bench.simulator.credentials().refresh_token.clone();
    bench.reconfigure(
        "[policy]",
        &format!("# old secret: 1000.left-behind\n[policy]\nshared_mailboxes = [\"{secret}\"]"),
    );
    bench.audit(&["--out", "out"]);
    let (_, everything) = crate::evidence::judge(&bench.path("bags"), "sh", &["-c", "cat */data/configuration.toml"]);
    assert!(everything.contains("[jobs.weekly]") && everything.contains("[secret masked]"), "{everything}");
    assert!(!everything.contains("left-behind") && !everything.contains(&secret), "{everything}");
}

#[test]
fn the_calendar_is_seen_whole_on_a_phone() {
    let bench = every_second();
    bench.audit(&["--send"]);
    covered(&bench);
    let page = bench.path("cover/coverage.html");
    let problems: Vec<String> =
        serde_json::from_slice(&run_script("browse.py", &["page".as_ref(), page.as_os_str()])).unwrap();
    assert_eq!(problems, [""; 0]);
}
