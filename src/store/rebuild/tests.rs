//! What the entries of a ledger say of runs, schedules, audits and messages. Whole stores are restored in
//! `tests/integration/rebuild.rs`.

use std::collections::BTreeSet;

use super::*;
use crate::{
    ledger::{
        Fact,
        fact::{BagName, Delivery, DueRun, Recorded, RunName},
    },
    store::copy::Value,
};

const JOB: &str = "weekly";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn run(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A schedule: at any text of its pattern.
fn schedule(pattern: &str) -> Fact {
    let terms = Terms {
        workspaces: vec!["acme".into()],
        pattern: pattern.into(),
        time_zone: "UTC".into(),
        missed: "latest".into(),
        splay_minutes: None,
    };
    Fact::Schedule { job: JOB.into(), terms: Some(terms) }
}

fn due(fire_at: i64, by_hand: bool, runs: &[u128]) -> Fact {
    let due = |number: &u128| DueRun { workspace: format!("workspace-{number}"), run: run(*number) };
    Fact::Due { job: JOB.into(), fire_at: at(fire_at), by_hand, runs: runs.iter().map(due).collect() }
}

fn skipped(first: i64, last: i64) -> Fact {
    Fact::Skipped { job: JOB.into(), first: at(first), last: at(last), count: 2, reason: "no daemon".into() }
}

fn recorded(number: u128, read_to: i64, messages: &[&str]) -> Fact {
    Fact::Recorded(Recorded {
        run: run(number),
        job: Some(JOB.into()),
        workspace: format!("workspace-{number}"),
        fire_at: Some(at(0)),
        attempt: Some(2),
        read_from: at(read_to - 5),
        read_to: at(read_to),
        complete: true,
        users: 3,
        administrators: 1,
        open_findings: 2,
        bag: Some(BagName { folder: format!("bag-{number}"), sha256: "ab".repeat(32) }),
        messages: messages.iter().map(|id| (*id).to_owned()).collect(),
        no_mail_reason: None,
        policy_changes: Vec::new(),
    })
}

fn delivery(number: u128, message_id: &str, accepted: bool) -> Fact {
    Fact::Delivery(Delivery {
        run: Some(run(number)),
        review: None,
        kind: "report".into(),
        about: String::new(),
        recipient: format!("{message_id}@example.com"),
        message_id: message_id.into(),
        sha256: "cd".repeat(32),
        accepted,
        answer: if accepted { "250 ok" } else { "550 no" }.into(),
        kept: false,
    })
}

fn failed(number: u128) -> RunName {
    RunName { run: run(number), job: JOB.into(), workspace: format!("workspace-{number}"), fire_at: at(0) }
}

/// Follows facts, each at a moment, as a ledger has them.
fn follow(facts: &[(i64, Fact)]) -> (Runs, Outbox) {
    let (mut runs, mut outbox) = (Runs::default(), Outbox::default());
    for (number, (moment, fact)) in (1_u64..).zip(facts) {
        let entry = Entry { number, previous: "0".repeat(64), at: at(*moment), fact: fact.clone() };
        runs.follow(&entry, |terms| Some(terms.pattern.clone()));
        outbox.follow(&entry);
    }
    (runs, outbox)
}

fn cursor(runs: &Runs) -> (Value, Value) {
    let row = runs.cursors().next().unwrap();
    (row["schedule"].clone(), row["at"].clone())
}

fn state(runs: &Runs, number: u128) -> (Value, Value) {
    let row = runs.rows().find(|row| row["id"] == table::id(run(number))).unwrap();
    (row["state"].clone(), row["finished_at"].clone())
}

#[test]
fn a_schedule_is_decided_up_to_its_last_fire_time_and_not_by_an_audit_on_demand() {
    let published = (5, schedule("0 8 * * MON"));
    let (runs, _) = follow(std::slice::from_ref(&published));
    assert_eq!(cursor(&runs), (text("0 8 * * MON"), table::moment(at(5))), "nothing before it is due");
    let (runs, _) = follow(&[published.clone(), (61, due(60, false, &[1])), (90, due(90, true, &[2]))]);
    assert_eq!(cursor(&runs).1, table::moment(at(60)));
    let (runs, _) = follow(&[published.clone(), (61, due(60, false, &[1])), (300, skipped(120, 240))]);
    assert_eq!(cursor(&runs).1, table::moment(at(240)));
    // A schedule that changes takes nothing back that is decided.
    let (runs, _) = follow(&[published, (300, skipped(120, 240)), (200, schedule("0 9 * * MON"))]);
    assert_eq!(cursor(&runs), (text("0 9 * * MON"), table::moment(at(240))));
}

#[test]
fn what_was_skipped_by_a_clock_that_was_ahead_is_taken_back() {
    let back = Fact::ScheduleTakenBack { job: JOB.into(), from: at(9_000), to: at(100), reason: "clock".into() };
    let facts = [(5, schedule("0 8 * * MON")), (90, skipped(60, 80)), (9_000, skipped(120, 9_000)), (110, back)];
    let (runs, _) = follow(&facts);
    assert_eq!(cursor(&runs).1, table::moment(at(100)));
    let gaps: Vec<Value> = runs.gaps().map(|gap| gap["last_at"].clone()).collect();
    assert_eq!(gaps, [table::moment(at(80))], "what had passed by then stays");
}

#[test]
fn a_run_that_failed_is_due_again_once_it_is_retried() {
    let begun = [(0, due(0, false, &[1]))];
    let (runs, _) = follow(&begun);
    assert_eq!(state(&runs, 1).0, text("due"));
    let error = Fact::Failed { run: failed(1), error: "no answer".into() };
    let given_up = [&begun[..], &[(10, error)]].concat();
    let (runs, _) = follow(&given_up);
    assert_eq!(state(&runs, 1), (text("failed"), table::moment(at(10))));
    let retried = [&given_up[..], &[(20, Fact::Retried { run: failed(1) })]].concat();
    let (runs, _) = follow(&retried);
    assert_eq!(state(&runs, 1), (text("due"), table::moment_if_any(None)));
    assert_eq!(runs.due().count(), 1, "a daemon does it");
    let (mut runs, outbox) = follow(&[&retried[..], &[(30, recorded(1, 25, &[]))]].concat());
    assert_eq!(outbox.close(&mut runs), []);
    assert_eq!(state(&runs, 1), (text("closed"), table::moment(at(30))), "it has no message to wait for");
    let attempt = runs.attempts().next().unwrap();
    assert_eq!((&attempt["fence"], &attempt["began_at"]), (&table::number(2), &table::moment(at(20))));
}

#[test]
fn a_run_is_closed_with_its_last_delivery_and_a_message_without_one_is_named() {
    let made = [(0, due(0, false, &[1])), (10, recorded(1, 9, &["a", "b"])), (20, delivery(1, "a", true))];
    let (mut runs, outbox) = follow(&made);
    let unsent = outbox.close(&mut runs);
    assert_eq!(unsent.iter().map(|one| &*one.message_id).collect::<Vec<_>>(), ["b"]);
    assert_eq!(state(&runs, 1).0, text("closed"), "it is not sent again, since it may have been");
    let both = [&made[..], &[(40, delivery(1, "b", false))]].concat();
    let (mut runs, outbox) = follow(&both);
    assert_eq!(outbox.close(&mut runs), []);
    assert_eq!(state(&runs, 1), (text("closed"), table::moment(at(40))));
    let rows = outbox.messages(&runs);
    assert_eq!(rows.iter().map(|row| &row["state"]).collect::<Vec<_>>(), [&text("accepted"), &text("rejected")]);
    // Somebody asked to send the rejected one again, and the store was lost before that ended.
    let again = [&both[..], &[(50, Fact::Retried { run: failed(1) })]].concat();
    let (mut runs, outbox) = follow(&again);
    assert_eq!(outbox.close(&mut runs).len(), 1);
    let (mut runs, outbox) = follow(&[&again[..], &[(60, delivery(1, "b", true))]].concat());
    assert_eq!(outbox.close(&mut runs), []);
    let rows = outbox.messages(&runs);
    assert_eq!((rows.len(), &rows[1]["state"]), (2, &text("accepted")), "the end of each counts");
}

#[test]
fn a_message_about_several_runs_is_carried_by_one_and_closes_all() {
    let combined = Fact::Combined {
        job: JOB.into(),
        fire_at: at(0),
        runs: vec![run(1), run(2)],
        messages: vec!["both".into()],
        no_mail_reason: None,
    };
    let facts = [
        (0, due(0, false, &[1, 2])),
        (10, recorded(1, 9, &[])),
        (11, recorded(2, 10, &[])),
        (12, combined),
        (30, delivery(1, "both", true)),
    ];
    let (mut runs, outbox) = follow(&facts);
    assert_eq!(outbox.close(&mut runs), []);
    for number in [1, 2] {
        assert_eq!(state(&runs, number), (text("closed"), table::moment(at(30))));
    }
    let rows = outbox.messages(&runs);
    let carried: Vec<Option<&Value>> = rows.iter().map(|row| row.get("carried_by")).collect();
    assert_eq!(carried, [None, Some(&rows[0]["id"])]);
    assert_eq!(outbox.combinations().count(), 1);
}

#[test]
fn audits_are_kept_in_the_order_of_the_ledger_also_those_that_ended_together() {
    // The clock was set back before the third, and the second has the smaller id.
    let facts = [(10, recorded(9, 9, &[])), (10, recorded(3, 9, &[])), (5, recorded(7, 4, &[]))];
    let (runs, _) = follow(&facts);
    let snapshots: BTreeSet<Uuid> = [run(3)].into();
    let severities = BTreeMap::from([(run(9), [1, 2, 0, 0, 3])]);
    let rows: Vec<Row> = runs.audits(&snapshots, &severities).collect();
    let of = |name: &str| rows.iter().map(|row| row.get(name).cloned()).collect::<Vec<_>>();
    assert_eq!(of("id"), [9, 3, 7].map(|number| Some(table::id(run(number)))));
    assert_eq!(of("kept"), [1, 2, 3].map(|kept| Some(table::number(kept))));
    assert_eq!(of("has_snapshot"), [false, true, false].map(|has| Some(table::number(has))));
    assert_eq!(of("high"), [Some(count(2)), None, None], "not known of the others");
}
