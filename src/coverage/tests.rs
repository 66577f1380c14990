use uuid::Uuid;

use super::*;
use crate::ledger::{
    Fact,
    fact::{Delivery, DueRun, Recorded, RunName, Terms},
};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Entries as they would be written, one fact after another.
fn entries(facts: &[(&str, Fact)]) -> Vec<Entry> {
    let entry = |(number, (at, fact)): (u64, &(&str, Fact))| Entry {
        number,
        at: time(at),
        previous: String::new(),
        fact: fact.clone(),
    };
    (1..).zip(facts).map(entry).collect()
}

fn schedule(pattern: Option<&str>) -> Fact {
    let terms = pattern.map(|pattern| Terms {
        workspaces: vec!["acme".into()],
        pattern: pattern.into(),
        time_zone: "Europe/Berlin".into(),
        missed: "latest".into(),
    });
    Fact::Schedule { job: "weekly".into(), terms }
}

fn due(run: u128, fire_at: &str, by_hand: bool) -> Fact {
    let runs = vec![DueRun { workspace: "acme".into(), run: Uuid::from_u128(run) }];
    Fact::Due { job: "weekly".into(), fire_at: time(fire_at), by_hand, runs }
}

fn recorded(run: u128, fire_at: &str) -> Fact {
    Fact::Recorded(Recorded {
        run: Uuid::from_u128(run),
        job: Some("weekly".into()),
        workspace: "acme".into(),
        fire_at: Some(time(fire_at)),
        read_from: time(fire_at),
        read_to: time(fire_at),
        complete: true,
        users: 7,
        administrators: 1,
        open_findings: 2,
        bag: Some(BagName { folder: format!("bag-{run}"), sha256: "ab".repeat(32) }),
        messages: vec![format!("<{run}@example.com>")],
    })
}

fn delivered(run: u128, accepted: bool) -> Fact {
    Fact::Delivery(Delivery {
        run: Uuid::from_u128(run),
        kind: "report".into(),
        recipient: "ciso@example.com".into(),
        message_id: format!("<{run}@example.com>"),
        sha256: String::new(),
        accepted,
        answer: "550 no".into(),
    })
}

/// March 2026, seen from April.
fn march(facts: &[(&str, Fact)]) -> Vec<(String, State, String)> {
    let question = Question {
        from: time("2026-03-01T00:00:00Z"),
        to: time("2026-04-01T00:00:00Z"),
        job: None,
        late_after: Duration::hours(24),
        now: time("2026-04-10T00:00:00Z"),
    };
    let rows = Coverage::of(&entries(facts), &question).rows.into_iter();
    rows.map(|row| (row.fire_at.format("%d %H:%M").to_string(), row.state, row.reason)).collect()
}

#[test]
fn a_schedule_counts_from_when_it_was_in_force_to_when_another_was() {
    let rows = march(&[
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        ("2026-03-17T00:00:00Z", schedule(Some("0 9 * * FRI"))),
        ("2026-03-28T00:00:00Z", schedule(None)),
    ]);
    let times: Vec<&str> = rows.iter().map(|(time, ..)| time.as_str()).collect();
    assert_eq!(times, ["09 07:00", "16 07:00", "20 08:00", "27 08:00"]);
    assert!(rows.iter().all(|(_, state, reason)| *state == State::Missing && reason.contains("no daemon ran")));
}

#[test]
fn the_change_to_summer_time_moves_the_hour_in_utc_and_misses_nothing() {
    let rows = march(&[("2026-03-20T00:00:00Z", schedule(Some("0 8 * * MON")))]);
    let times: Vec<&str> = rows.iter().map(|(time, ..)| time.as_str()).collect();
    assert_eq!(times, ["23 07:00", "30 06:00"]);
}

#[test]
fn a_review_by_hand_answers_the_fire_time_that_nobody_else_did() {
    let monday = "2026-03-09T07:00:00Z";
    let run =
        RunName { run: Uuid::from_u128(1), job: "weekly".into(), workspace: "acme".into(), fire_at: time(monday) };
    let rows = march(&[
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (monday, due(1, monday, false)),
        ("2026-03-09T08:00:00Z", Fact::Failed { run, error: "the token was revoked".into() }),
        ("2026-03-12T09:00:00Z", due(2, "2026-03-12T09:00:00Z", true)),
        ("2026-03-12T09:00:01Z", recorded(2, "2026-03-12T09:00:00Z")),
        ("2026-03-12T09:00:02Z", delivered(2, true)),
        // Started by another scheduler, on time.
        ("2026-03-16T07:01:00Z", due(3, "2026-03-16T07:01:00Z", true)),
        ("2026-03-16T07:01:01Z", recorded(3, "2026-03-16T07:01:00Z")),
        ("2026-03-16T07:01:02Z", delivered(3, true)),
        ("2026-03-17T00:00:00Z", schedule(None)),
    ]);
    assert_eq!(rows.len(), 2);
    let (_, state, reason) = &rows[0];
    assert_eq!(*state, State::Late);
    assert!(reason.starts_with("the run failed: the token was revoked; made by hand 2026-03-12 09:00 UTC"), "{reason}");
    assert_eq!((rows[1].1, rows[1].2.as_str()), (State::OnTime, "made by hand 2026-03-16 07:01 UTC"));
}

#[test]
fn what_lacks_a_recipient_or_a_bag_is_a_gap_and_a_bag_that_was_removed_is_not() {
    let (first, second, third) = ("2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z", "2026-03-23T07:00:00Z");
    let mut unproven = recorded(2, second);
    if let Fact::Recorded(recorded) = &mut unproven {
        recorded.bag = None;
        recorded.messages = Vec::new();
    }
    let removed = Fact::BagRemoved { bag: BagName { folder: "bag-3".into(), sha256: "ab".repeat(32) }, keep_days: 550 };
    let rows = march(&[
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (first, due(1, first, false)),
        (first, recorded(1, first)),
        (first, delivered(1, false)),
        (second, due(2, second, false)),
        (second, unproven),
        (third, due(3, third, false)),
        (third, recorded(3, third)),
        (third, delivered(3, true)),
        (third, removed),
        ("2026-03-24T00:00:00Z", schedule(None)),
    ]);
    let states: Vec<State> = rows.iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [State::Undelivered, State::Unproven, State::OnTime]);
    assert_eq!(rows[0].2, "not delivered to ciso@example.com (550 no)");
    assert_eq!(rows[2].2, "its bag was removed when it was old enough");
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_guarded() {
    let question = Question {
        from: time("2026-03-01T00:00:00Z"),
        to: time("2026-04-01T00:00:00Z"),
        job: None,
        late_after: Duration::hours(24),
        now: time("2026-04-10T00:00:00Z"),
    };
    let mut coverage = Coverage::of(&entries(&[("2026-03-27T00:00:00Z", schedule(Some("0 8 * * MON")))]), &question);
    coverage.rows[0].reason = "=cmd()".into();
    let mut table = Vec::new();
    super::table(&coverage, &mut table).unwrap();
    assert!(String::from_utf8(table).unwrap().contains(",'=cmd(),"));
}
