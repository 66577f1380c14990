//! One table of behaviours, held by all three callers of an audit: the command line, the daemon, and agents.

use std::fs;

use chrono::{Duration, Utc};
use rolecall::{
    ledger::Fact,
    store::{ledger::Ledger as _, sqlite::SqliteStore},
};
use rolecall_simulator::{Fault, Options};
use serde_json::Value;

use crate::{
    daemon::{Daemon, eventually, runs},
    support::{Bench, options},
};

/// What starts an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    CommandLine,
    Daemon,
    Agent,
}

impl Caller {
    const ALL: [Self; 3] = [Self::CommandLine, Self::Daemon, Self::Agent];

    /// Has an audit made, which may fail. Returns everything that was printed, and whether it failed.
    fn audit(self, bench: &Bench) -> (String, bool) {
        let arguments: &[&str] = match self {
            Self::CommandLine => &["audit"],
            Self::Agent => &["tools", "call", "run_access_audit"],
            Self::Daemon => return audit_by_daemon(bench),
        };
        let (code, stdout, stderr) = bench.run(arguments);
        (format!("{stdout}{stderr}"), code != 0)
    }
}

fn audit_by_daemon(bench: &Bench) -> (String, bool) {
    let daemon = Daemon::start(bench);
    let ended = ["recorded the audit", "the run failed"];
    eventually("a run", || ended.iter().any(|ended| daemon.said().contains(ended)));
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    let failed = said.contains("the run failed");
    (said, failed)
}

/// A workspace with a job that is due every second, and evidence.
fn bench(options: Options) -> Bench {
    let bench = Bench::new(options);
    bench.configure("\n[evidence]\ndirectory = \"bags\"\n");
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    bench
}

/// The entries of a kind in the ledger's file.
fn facts(bench: &Bench, kind: &str) -> Vec<Value> {
    let ledger = bench.read("bags/ledger.jsonl");
    let entries = ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["fact"] == kind).collect()
}

async fn store(bench: &Bench) -> SqliteStore {
    SqliteStore::open(&bench.path("rolecall.db")).await.unwrap()
}

/// The entries of a kind in the store's ledger.
async fn stored_facts(bench: &Bench, kind: &str) -> usize {
    let lines = store(bench).await.entries(0, 1_000).await.unwrap();
    lines.iter().filter(|line| line.text.contains(&format!("\"fact\":\"{kind}\""))).count()
}

#[test]
fn a_completed_audit_names_its_bag_and_says_whether_anybody_is_mailed() {
    for caller in Caller::ALL {
        let bench = bench(options(10));
        let (said, failed) = caller.audit(&bench);
        assert!(!failed, "{caller:?}: {said}");
        let recorded = facts(&bench, "recorded").remove(0);
        let folder = recorded["bag"]["folder"].as_str().unwrap();
        assert!(bench.path("bags").join(folder).join("bagit.txt").exists(), "{caller:?}: {recorded}");
        let messages = recorded["messages"].as_array().unwrap().len();
        match caller {
            Caller::Daemon => assert_eq!((messages, &recorded["unmailed"]), (2, &Value::Null)),
            _ => assert_eq!((messages, recorded["unmailed"].as_str()), (0, Some("not_asked")), "{caller:?}"),
        }
    }
}

#[test]
fn a_failed_read_leaves_a_bag_and_its_ledger_entry() {
    // The second fails before the API answers: what is answered about tokens is not kept.
    for (fault, why, has_answers) in
        [(Fault::MissingScopeUsers, "lacks the scope", true), (Fault::Revoked, "the refresh token was rejected", false)]
    {
        for caller in Caller::ALL {
            let bench = bench(options(10));
            bench.simulator.set_faults([fault]);
            let (said, failed) = caller.audit(&bench);
            assert!(failed && said.contains(why), "{caller:?}: {said}");
            let of_failure = facts(&bench, "bag_of_failure");
            assert!(!of_failure.is_empty(), "{caller:?}: {fault:?} left no entry");
            for fact in of_failure {
                let bag = bench.path("bags").join(fact["bag"]["folder"].as_str().unwrap());
                let failure = fs::read_to_string(bag.join("data/failure.json")).unwrap();
                assert!(failure.contains(why), "{caller:?}: {failure}");
                let answers = fs::read_dir(bag.join("data/answers")).map_or(0, Iterator::count);
                assert_eq!(answers > 0, has_answers, "{caller:?}: {fault:?}");
                let readme = fs::read_to_string(bag.join("README.txt")).unwrap();
                assert_eq!(readme.contains("data/answers/"), has_answers, "{readme}");
            }
            assert!(facts(&bench, "recorded").is_empty(), "{caller:?}");
            let (code, printed, said) = bench.run(&["evidence", "verify"]);
            assert_eq!(code, 0, "{caller:?}: {printed}{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_behind_the_ledger_is_said() {
    for caller in Caller::ALL {
        let bench = bench(options(10));
        bench.audit(&[]);
        // The ledger goes on in a week's time, and then the clock is what it is now.
        let key = Fact::Key { fingerprint: Some("SHA256:later".into()), signer: None };
        store(&bench).await.append(&[key], Utc::now() + Duration::days(7)).await.unwrap();
        let (said, failed) = caller.audit(&bench);
        assert!(!failed && said.contains("but the ledger has an entry of"), "{caller:?}: {said}");
        if caller == Caller::Daemon {
            let mail = bench.simulator.inbox().messages().remove(0);
            assert!(String::from_utf8(mail.bytes).unwrap().contains("clock was set back"));
        }
    }
}

#[test]
fn the_schedules_that_were_in_force_are_recorded() {
    for caller in Caller::ALL {
        let bench = bench(options(10));
        caller.audit(&bench);
        let schedules = facts(&bench, "schedule");
        assert_eq!(schedules.len(), 1, "{caller:?}");
        assert_eq!(
            (&schedules[0]["job"], schedules[0]["terms"]["pattern"].as_str()),
            (&Value::from("weekly"), Some("* * * * * *"))
        );
        // The next configuration has another job. An agent may run with an older configuration than the daemon:
        // it withdraws nothing.
        bench.reconfigure("jobs.weekly", "jobs.every-second");
        caller.audit(&bench);
        let withdrawn = facts(&bench, "schedule").into_iter().filter(|fact| fact["terms"].is_null()).count();
        assert_eq!(withdrawn, usize::from(caller != Caller::Agent), "{caller:?}");
    }
}

#[test]
fn an_incomplete_read_is_recorded_as_such() {
    for caller in Caller::ALL {
        let bench = bench(options(450));
        bench.simulator.set_faults([Fault::ShortPageAlways]);
        let (said, failed) = caller.audit(&bench);
        assert!(!failed, "{caller:?}: {said}");
        assert_eq!(facts(&bench, "recorded")[0]["complete"], false, "{caller:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_for_the_evidence_nothing_is_read_or_recorded() {
    for caller in Caller::ALL {
        let bench = bench(options(10));
        fs::write(bench.path("bags"), "in the way").unwrap();
        let (said, failed) = caller.audit(&bench);
        assert!(failed && said.contains("bags"), "{caller:?}: {said}");
        assert!(bench.simulator.journal().calls().is_empty(), "{caller:?} read the workspace");
        assert_eq!(stored_facts(&bench, "recorded").await, 0, "{caller:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_at_the_end_is_said_and_leaves_no_unexplained_bag() {
    for caller in Caller::ALL {
        let bench = bench(options(10));
        drop(store(&bench).await);
        let file = format!("sqlite://{}", bench.path("rolecall.db").display());
        let database = sqlx::SqlitePool::connect(&file).await.unwrap();
        let sql = "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END";
        sqlx::query(sql).execute(&database).await.unwrap();
        let (said, failed) = caller.audit(&bench);
        assert!(failed && said.contains("the disk is on fire"), "{caller:?}: {said}");
        assert_eq!(stored_facts(&bench, "recorded").await, 0, "{caller:?}");
        sqlx::query("DROP TRIGGER broken").execute(&database).await.unwrap();
        database.close().await;
        if caller == Caller::Daemon {
            // The run is not lost: it waits for its next attempt, and knows why the first one failed.
            let waiting = runs(&bench).into_iter().filter(|run| run["state"] == "due");
            assert!(
                waiting.into_iter().any(|run| run["error"].as_str().is_some_and(|error| error.contains("on fire")))
            );
        } else {
            assert_eq!(stored_facts(&bench, "bag_abandoned").await, 1, "{caller:?}");
            let (said, failed) = caller.audit(&bench);
            assert!(!failed, "{caller:?}: {said}");
            let (code, printed, said) = bench.run(&["evidence", "verify"]);
            assert_eq!(code, 0, "{caller:?}: {printed}{said}");
        }
    }
}
