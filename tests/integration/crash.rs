//! The real process, killed at each point of a run, before and after the step in flight is stored; then another one
//! goes on. Every second is a fire time, and all are made up for.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rolecall_simulator::{Fault, Simulator};
use serde_json::Value;

use crate::{
    across,
    daemon::{Daemon, eventually, runs},
    support::Bench,
};

/// The variable that names the point at which a process dies; debug builds know it.
const CRASH_AT: &str = "ROLECALL_CRASH_AT";
const RECIPIENTS: usize = 2;

pub(crate) fn bench() -> Bench {
    let bench = crate::evidence::bench(5);
    bench.reconfigure("schedule = \"0 8 * * MON\"", "schedule = \"* * * * * *\"\nmissed = \"all\"");
    bench.reconfigure("[daemon]", "[daemon]\nlease_seconds = 2\nstop_seconds = 0");
    bench.reconfigure("[smtp]", "[smtp]\ntimeout_seconds = 5");
    bench
}

pub(crate) fn closed(bench: &Bench) -> usize {
    runs(bench).iter().filter(|run| run["state"] == "closed").count()
}

/// Lets a daemon die at a point, and another one go on until what the first left is done.
pub(crate) fn killed_at(bench: &Bench, point: &str) {
    let victim = Daemon::start_with(bench, &[(CRASH_AT, point)]);
    let (code, said) = victim.wait();
    assert_eq!(code, None, "{point}: it did not die of a signal: {said}");
    goes_on(bench, point);
}

fn goes_on(bench: &Bench, point: &str) {
    let heir = Daemon::start(bench);
    let before = closed(bench);
    eventually(&format!("after {point}, that another goes on"), || closed(bench) >= before + 3);
    // What was left must be done, and not only what came later.
    eventually(&format!("after {point}, the end of what was begun"), || {
        let runs = runs(bench);
        let newest_closed = runs.iter().position(|run| run["state"] == "closed").unwrap();
        runs[newest_closed..].iter().all(|run| run["state"] == "closed" || run["state"] == "failed")
    });
    let (code, said) = heir.stop();
    assert_eq!(code, Some(0), "{said}");
    check(bench, point);
}

/// One run for each second, one message for each recipient and run, each step's result where it belongs.
pub(crate) fn check(bench: &Bench, point: &str) {
    let runs = runs(bench);
    let times: Vec<DateTime<Utc>> = runs.iter().map(|run| run["fire_at"].as_str().unwrap().parse().unwrap()).collect();
    for pair in times.windows(2) {
        assert_eq!(pair[0] - pair[1], chrono::Duration::seconds(1), "{point}: a fire time is missing, or there twice");
    }
    let mut sent: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for message in bench.simulator.inbox().messages() {
        let parsed = mailparse::parse_headers(&message.bytes).unwrap().0;
        let id = mailparse::MailHeaderMap::get_first_value(parsed.as_slice(), "Message-ID").unwrap();
        sent.entry(id).or_default().push(message.bytes);
    }
    let mut known = BTreeSet::new();
    for run in &runs {
        let messages = run["messages"].as_array().unwrap();
        let reports: Vec<&Value> = messages.iter().filter(|message| message["kind"] == "report").collect();
        if run["state"] == "closed" {
            assert_eq!(reports.len(), RECIPIENTS, "{point}: {run}");
            assert!(run["users"].as_u64().unwrap() > 0, "{point}: {run}");
        }
        for message in messages {
            let id = message["message_id"].as_str().unwrap().to_owned();
            assert!(message["state"] != "accepted" || sent.contains_key(&id), "{point}: {message} did not arrive");
            assert!(known.insert(id), "{point}: two messages of one id");
        }
    }
    proof(bench, &runs, point);
    for (id, copies) in &sent {
        assert!(known.contains(id), "{point}: {id} was sent and is not on record");
        assert!(copies.iter().all(|copy| *copy == copies[0]), "{point}: {id} was sent as two different messages");
        // Only where the process died between the server's word and ours is it sent again.
        assert!(copies.len() <= 2, "{point}: {id} was sent {} times", copies.len());
    }
}

/// Each review that was made is in the ledger once, with a bag that is whole; what a dead process left is explained.
fn proof(bench: &Bench, runs: &[Value], point: &str) {
    // The process was killed, and nobody has gone on with the ledger's file since: the store knows more.
    bench.audit(&[]);
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{point}: {printed}{said}");
    let ledger = std::fs::read_to_string(bench.path("bags/ledger.jsonl")).unwrap();
    let entries: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for run in runs.iter().filter(|run| run["state"] == "closed") {
        let recorded: Vec<&Value> =
            entries.iter().filter(|entry| entry["fact"] == "recorded" && entry["run"] == run["id"]).collect();
        assert_eq!(recorded.len(), 1, "{point}: {run}");
        assert!(printed.contains(recorded[0]["bag"]["folder"].as_str().unwrap()), "{point}: {run}");
        let delivered = entries.iter().filter(|entry| entry["fact"] == "delivery" && entry["run"] == run["id"]);
        assert_eq!(delivered.count(), RECIPIENTS, "{point}: {run}");
    }
}

fn killed_before_and_after(write: &str) {
    for moment in ["before", "after"] {
        killed_at(&bench(), &format!("{write}.{moment}"));
    }
}

#[test]
fn while_the_ledger_is_told_of_schedules_keys_and_bags() {
    killed_before_and_after("publish_schedules");
    killed_before_and_after("append");
}

#[test]
fn while_it_decides_what_is_due() {
    killed_before_and_after("decide");
}

#[test]
fn while_it_takes_up_a_run() {
    killed_before_and_after("claim");
}

#[test]
fn when_the_workspace_is_read() {
    killed_before_and_after("read");
}

#[test]
fn when_it_is_judged() {
    killed_before_and_after("judged");
}

#[test]
fn while_the_audit_is_recorded() {
    killed_before_and_after("record");
}

/// A job of two workspaces that is due every five seconds and reported in one message.
fn combined() -> (Bench, Simulator) {
    let (bench, other) = across::combined(5);
    bench.reconfigure("schedule = \"0 8 * * MON\"", "schedule = \"*/5 * * * * *\"\nmissed = \"all\"");
    bench.reconfigure("[daemon]", "[daemon]\nlease_seconds = 2\nstop_seconds = 0");
    bench.reconfigure("[smtp]", "[smtp]\ntimeout_seconds = 5");
    (bench, other)
}

/// The runs of each fire time, the oldest first.
fn fire_times(bench: &Bench) -> BTreeMap<String, Vec<Value>> {
    let mut times: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for run in runs(bench) {
        times.entry(run["fire_at"].as_str().unwrap().to_owned()).or_default().push(run);
    }
    times
}

#[test]
fn while_one_message_about_several_workspaces_is_made() {
    for point in ["record.before", "record.after", "combine.before", "combine.after"] {
        let (bench, _other) = combined();
        let (code, said) = Daemon::start_with(&bench, &[(CRASH_AT, point)]).wait();
        assert_eq!(code, None, "{point}: it did not die of a signal: {said}");
        let heir = Daemon::start(&bench);
        let is_closed = |runs: &Vec<Value>| runs.len() == 2 && runs.iter().all(|run| run["state"] == "closed");
        eventually(&format!("after {point}, what was begun and the next fire time"), || {
            let times = fire_times(&bench);
            times.len() >= 2 && times.values().take(2).all(is_closed)
        });
        let (code, said) = heir.stop();
        assert_eq!(code, Some(0), "{said}");

        let mut sent: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for message in bench.simulator.inbox().messages() {
            let parsed = mailparse::parse_headers(&message.bytes).unwrap().0;
            let id = mailparse::MailHeaderMap::get_first_value(parsed.as_slice(), "Message-ID").unwrap();
            sent.entry(id).or_default().push(message.bytes);
        }
        let mut known = BTreeSet::new();
        for (time, runs) in fire_times(&bench) {
            let ids: BTreeSet<&str> = runs
                .iter()
                .flat_map(|run| run["messages"].as_array().unwrap())
                .map(|message| message["message_id"].as_str().unwrap())
                .collect();
            if is_closed(&runs) {
                assert_eq!(ids.len(), RECIPIENTS, "{point}: one message for each recipient of {time}: {runs:?}");
                assert!(ids.iter().all(|id| sent.contains_key(*id)), "{point}: {time} did not arrive");
            }
            known.extend(ids.into_iter().map(str::to_owned));
        }
        for (id, copies) in &sent {
            assert!(known.contains(id), "{point}: {id} was sent and is not on record");
            assert!(copies.len() <= 2 && copies.iter().all(|copy| *copy == copies[0]), "{point}: {id}");
        }
    }
}

#[test]
fn while_a_message_is_taken_out_of_the_outbox() {
    killed_before_and_after("take_message");
}

#[test]
fn when_the_mail_server_has_accepted_a_message() {
    killed_before_and_after("sent");
}

#[test]
fn while_a_run_is_closed() {
    killed_before_and_after("close");
}

#[test]
fn while_a_failed_attempt_is_handed_back_or_given_up() {
    for (fault, write) in [(Fault::ServerErrorAlways, "release"), (Fault::Revoked, "give_up")] {
        for moment in ["before", "after"] {
            let bench = bench();
            bench.simulator.set_faults([fault]);
            let point = format!("{write}.{moment}");
            let (code, said) = Daemon::start_with(&bench, &[(CRASH_AT, &point)]).wait();
            assert_eq!(code, None, "{point}: {said}");
            bench.simulator.set_faults([]);
            if write == "give_up" {
                goes_on(&bench, &point);
            } else {
                // A failed attempt is tried again after a minute, which this test does not wait for.
                let run = &runs(&bench).pop().unwrap();
                let expected = if moment == "after" { "due" } else { "claimed" };
                assert_eq!(run["state"], expected, "{run}");
            }
        }
    }
}

#[test]
fn a_resumed_run_says_so_to_the_operator_and_to_the_reader() {
    let bench = bench();
    killed_at(&bench, "judged.after");
    let resumed = runs(&bench).into_iter().rfind(|run| run["attempts"] == 2).unwrap();
    let (_, shown, _) = bench.run(&["runs", "show", resumed["id"].as_str().unwrap()]);
    assert!(shown.contains("interrupted: the process died") && shown.contains("closed, attempt 2"), "{shown}");
    let id = resumed["messages"][0]["message_id"].as_str().unwrap();
    let messages = bench.simulator.inbox().messages();
    let report = messages.iter().find(|message| String::from_utf8_lossy(&message.bytes).contains(id)).unwrap();
    let parsed = mailparse::parse_mail(&report.bytes).unwrap();
    let text = parsed.parts().find(|part| part.ctype.mimetype == "text/plain").unwrap().get_body().unwrap();
    assert!(text.contains("completed on attempt 2"), "{text}");
}

#[test]
fn on_a_disk_that_is_full_nothing_is_sent_twice() {
    let bench = bench();
    // No file of this process grows beyond a mebibyte; what SQLite then meets is a write that fails.
    let victim = Daemon::start_as(&bench, &["sh", "-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""]);
    eventually("that the disk is full", || victim.said().contains("disk I/O error"));
    // It is tried again every second, and every time something else may still fit.
    std::thread::sleep(Duration::from_secs(3));
    assert!(victim.said().matches("the store or the ledger failed").count() < 4, "{}", victim.said());
    victim.signal("-KILL");
    drop(victim);
    check(&bench, "a full disk");
}

#[test]
fn two_daemons_on_one_store_that_are_killed_at_random_do_everything_once() {
    let bench = bench();
    let (mut one, mut other) = (Daemon::start(&bench), Daemon::start(&bench));
    for round in 1..=6 {
        let wanted = closed(&bench) + 1;
        eventually("another review", || closed(&bench) >= wanted);
        // Somewhere in the next second.
        std::thread::sleep(Duration::from_millis(u64::from(rand::random::<u16>() % 1000)));
        let victim = if round % 2 == 0 { &mut one } else { &mut other };
        victim.signal("-KILL");
        *victim = Daemon::start(&bench);
    }
    drop((one, other));
    goes_on(&bench, "kill -9");
}
