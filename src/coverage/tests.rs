use uuid::Uuid;

use super::*;
use crate::ledger::{
    Fact,
    fact::{Covers, Delivery, DueRun, NoMailReason, Recorded, RunName, Terms, Timestamped},
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
        splay_minutes: None,
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
        attempt: None,
        read_from: time(fire_at),
        read_to: time(fire_at),
        complete: true,
        users: 7,
        administrators: 1,
        open_findings: 2,
        bag: Some(BagName { folder: format!("bag-{run}"), sha256: "ab".repeat(32) }),
        messages: vec![format!("<{run}@example.com>")],
        no_mail_reason: None,
        policy_changes: Vec::new(),
    })
}

fn delivered(run: u128, accepted: bool) -> Fact {
    Fact::Delivery(Delivery {
        run: Some(Uuid::from_u128(run)),
        review: None,
        kind: "report".into(),
        about: String::new(),
        recipient: "ciso@example.com".into(),
        message_id: format!("<{run}@example.com>"),
        sha256: String::new(),
        accepted,
        answer: "550 no".into(),
        kept: false,
    })
}

/// March 2026, seen from April.
fn question(bags: Option<&BTreeMap<String, String>>) -> Question<'_> {
    Question {
        foreign: &NONE_FOREIGN,
        from: time("2026-03-01T00:00:00Z"),
        to: time("2026-04-01T00:00:00Z"),
        job: None,
        late_after: Duration::hours(24),
        now: time("2026-04-10T00:00:00Z"),
        bags,
    }
}

fn rows(facts: &[(&str, Fact)], bags: Option<&BTreeMap<String, String>>) -> Vec<(String, State, String)> {
    let rows = Coverage::of(&entries(facts), &question(bags)).rows.into_iter();
    rows.map(|row| (row.fire_at.format("%d %H:%M").to_string(), row.state, row.reason)).collect()
}

fn march(facts: &[(&str, Fact)]) -> Vec<(String, State, String)> {
    rows(facts, None)
}

/// A review by hand of which nobody was mailed, and why not.
fn no_mail_reason(run: u128, at: &str, why: Option<NoMailReason>) -> Fact {
    let Fact::Recorded(mut review) = recorded(run, at) else { unreachable!() };
    (review.fire_at, review.messages, review.no_mail_reason) = (None, Vec::new(), why);
    Fact::Recorded(review)
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
    assert!(rows.iter().all(|(_, state, reason)| *state == State::Missing && reason.contains("no record of a run")));
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
    assert!(
        reason.starts_with("the run failed: the token was revoked; made on demand 2026-03-12 09:00 UTC"),
        "{reason}"
    );
    assert_eq!((rows[1].1, rows[1].2.as_str()), (State::OnTime, "made on demand 2026-03-16 07:01 UTC"));
}

#[test]
fn a_message_about_several_workspaces_delivers_each_review() {
    let (monday, tuesday) = ("2026-03-09T07:00:00Z", "2026-03-10T07:00:00Z");
    let combined = |run: u128, at: &str, messages: &[&str], no_mail_reason| Fact::Combined {
        job: "weekly".into(),
        fire_at: time(at),
        runs: vec![Uuid::from_u128(run), Uuid::from_u128(7)],
        messages: messages.iter().map(|message| (*message).to_owned()).collect(),
        no_mail_reason,
    };
    let begun = ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON,TUE")));
    let made = [begun, (monday, due(1, monday, false)), (monday, recorded(1, monday))];
    let state = |more: &[(&str, Fact)]| {
        let facts: Vec<_> = made.iter().cloned().chain(more.iter().cloned()).collect();
        let (_, state, reason) = march(&facts).remove(0);
        (state, reason)
    };
    // Until it is written, what the review named waits.
    assert_eq!(state(&[]).0, State::Undelivered);
    // Another run carries it, to a recipient whom the entry of the review did not name.
    let written = (monday, combined(1, monday, &["<7@example.com>"], None));
    let (waiting, reason) = state(std::slice::from_ref(&written));
    assert_eq!(
        (waiting, reason.as_str()),
        (State::Undelivered, "not delivered to the recipient of <7@example.com> (not accepted yet)")
    );
    assert_eq!(state(&[written.clone(), (monday, delivered(7, true))]), (State::OnTime, String::new()));
    assert_eq!(state(&[written, (monday, delivered(7, false))]).0, State::Undelivered);
    let unwanted = (monday, combined(1, monday, &[], Some(NoMailReason::NothingToTell)));
    assert_eq!(state(&[unwanted]), (State::OnTime, "not mailed: the job's `when` did not apply".to_owned()));
    // It says nothing of other reviews.
    assert_eq!(state(&[(tuesday, combined(9, tuesday, &[], Some(NoMailReason::NothingToTell)))]).0, State::Undelivered);
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
    assert_eq!(rows[2].2, "its bag was removed after the retention period");
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_guarded() {
    let question = question(None);
    let mut coverage = Coverage::of(&entries(&[("2026-03-27T00:00:00Z", schedule(Some("0 8 * * MON")))]), &question);
    coverage.rows[0].reason = "=cmd()".into();
    let mut table = Vec::new();
    super::table(&coverage, &question, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(
        table.contains(",\"'=cmd()\",") && table.ends_with(",2026-03-01T00:00:00Z/2026-04-01T00:00:00Z,,\r\n"),
        "{table}"
    );
}

#[test]
fn a_review_by_hand_that_nobody_was_mailed_closes_no_gap() {
    let tuesday = "2026-03-10T09:00:00Z";
    let one = |review: Fact| {
        let rows = march(&[
            ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
            (tuesday, review),
            ("2026-03-11T00:00:00Z", schedule(None)),
        ]);
        assert_eq!(rows.len(), 1, "{rows:?}");
        (rows[0].1, rows[0].2.clone())
    };
    let at = "made on demand 2026-03-10 09:00 UTC";
    let not_asked = format!("{at}; not mailed: it was started without --send");
    assert_eq!(one(no_mail_reason(1, tuesday, Some(NoMailReason::NotAsked))), (State::Undelivered, not_asked));
    let unknown = format!("{at}; not mailed, and the ledger does not record why");
    assert_eq!(one(no_mail_reason(1, tuesday, None)), (State::Undelivered, unknown));
    let (state, reason) = one(no_mail_reason(1, tuesday, Some(NoMailReason::NoRecipients)));
    assert_eq!(state, State::Late, "26 hours");
    assert_eq!(reason, format!("{at}; recorded 26 hours after it was due; the configuration names no recipients"));
}

#[test]
fn a_review_that_was_made_up_for_is_told_from_one_that_was_made_on_time() {
    let ten = "2026-03-09T09:00:00Z";
    let made = [
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        ("2026-03-09T08:00:00Z", no_mail_reason(1, "2026-03-09T08:00:00Z", Some(NoMailReason::NotAsked))),
        (ten, due(2, ten, true)),
        (ten, recorded(2, ten)),
        (ten, delivered(2, true)),
        ("2026-03-11T00:00:00Z", schedule(None)),
    ];
    let rows = march(&made);
    assert_eq!((rows[0].1, rows[0].2.as_str()), (State::MadeUp, "made on demand 2026-03-09 09:00 UTC"));
    assert!(!State::MadeUp.is_gap());
    assert_eq!(rows[1].1, State::ByHand, "the one that nobody was mailed answers nothing");
}

#[test]
fn an_incomplete_review_by_hand_is_told_and_a_complete_one_counts_before_it() {
    let (at, later) = ("2026-03-09T07:00:05Z", "2026-03-09T07:10:00Z");
    let Fact::Recorded(mut partial) = recorded(1, at) else { unreachable!() };
    partial.complete = false;
    let mut facts = vec![
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (at, Fact::Recorded(partial)),
        ("2026-03-11T00:00:00Z", schedule(None)),
    ];
    let rows = march(&facts);
    assert_eq!((rows.len(), rows[0].1), (1, State::Incomplete));
    facts.splice(2..2, [(later, due(2, later, true)), (later, recorded(2, later)), (later, delivered(2, true))]);
    let states: Vec<State> = march(&facts).iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [State::OnTime, State::ByHand]);
}

#[test]
fn a_report_that_arrived_late_makes_its_review_late() {
    let monday = "2026-03-09T07:00:00Z";
    let facts = [
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (monday, due(1, monday, false)),
        (monday, recorded(1, monday)),
        ("2026-03-11T00:00:00Z", schedule(None)),
        ("2026-05-09T07:00:00Z", delivered(1, true)),
    ];
    let entries = entries(&facts);
    let after = Question { now: time("2026-05-10T00:00:00Z"), ..question(None) };
    let coverage = Coverage::of(&entries, &after);
    assert_eq!(coverage.rows[0].state, State::Late);
    assert_eq!(coverage.rows[0].reason, "delivered 61 days after it was due");
    let mut table = Vec::new();
    super::table(&coverage, &question(None), &mut table).unwrap();
    assert!(String::from_utf8(table).unwrap().contains(",ciso@example.com,2026-05-09T07:00:00Z,"));
    // One that is still on its way is no gap while there is time.
    let soon = Question { now: time("2026-03-10T06:00:00Z"), ..question(None) };
    assert_eq!(Coverage::of(&entries[..3], &soon).rows[0].state, State::Pending);
    let later = Question { now: time("2026-03-10T08:00:00Z"), ..question(None) };
    assert_eq!(Coverage::of(&entries[..3], &later).rows[0].state, State::Undelivered);
}

#[test]
fn a_clock_that_was_set_back_makes_up_no_review() {
    let (missed, next) = ("2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z");
    let before = [
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (next, due(1, next, false)),
        (next, recorded(1, next)),
        (next, delivered(1, true)),
    ];
    // At the very moment at which it was due, too.
    for at in ["2026-03-09T07:00:30Z", missed] {
        let mut facts = before.to_vec();
        facts.extend([(at, due(2, at, true)), (at, recorded(2, at)), (at, delivered(2, true))]);
        facts.push(("2026-03-17T00:00:00Z", schedule(None)));
        let coverage = Coverage::of(&entries(&facts), &question(None));
        let states: Vec<State> = coverage.rows.iter().map(|row| row.state).collect();
        let expected = [State::ByHand, State::Missing, State::OnTime];
        assert_eq!(states.len(), 3);
        assert!(expected.iter().all(|state| states.contains(state)), "{at}: {states:?}");
        let by_hand = coverage.rows.iter().find(|row| row.state == State::ByHand).unwrap();
        assert!(
            by_hand
                .reason
                .ends_with("the clock had been set back: the ledger already had an entry of 2026-03-16 07:00 UTC")
        );
        assert!(coverage.remarks.iter().any(|remark| remark.starts_with("Entries 5 to 7 were written by a clock")));
    }
    // Nor does it take a promise back.
    let mut facts = before.to_vec();
    facts.push(("2026-03-08T00:00:00Z", schedule(None)));
    let states: Vec<State> = march(&facts).iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [State::Missing, State::OnTime]);
}

#[test]
fn a_bag_that_is_not_there_proves_nothing() {
    let mondays = ["2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z", "2026-03-23T07:00:00Z"];
    let mut facts = vec![("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON")))];
    for (run, monday) in (1..).zip(mondays) {
        facts.extend([
            (monday, due(run, monday, false)),
            (monday, recorded(run, monday)),
            (monday, delivered(run, true)),
        ]);
    }
    facts.push(("2026-03-24T00:00:00Z", schedule(None)));
    let bags = BTreeMap::from([("bag-1".to_owned(), "ab".repeat(32)), ("bag-2".to_owned(), "cd".repeat(32))]);
    let rows = rows(&facts, Some(&bags));
    let found: Vec<(State, &str)> = rows.iter().map(|(_, state, reason)| (*state, reason.as_str())).collect();
    assert_eq!(
        found,
        [
            (State::OnTime, ""),
            (State::Unproven, "its bag bag-2 was replaced by another"),
            (State::Unproven, "its bag bag-3 is missing"),
        ]
    );
}

#[test]
fn a_run_that_failed_names_what_was_answered_until_then() {
    let monday = "2026-03-09T07:00:00Z";
    let run =
        RunName { run: Uuid::from_u128(1), job: "weekly".into(), workspace: "acme".into(), fire_at: time(monday) };
    let bag = BagName { folder: "failed-1".into(), sha256: "ab".repeat(32) };
    let facts = [
        ("2026-03-04T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (monday, due(1, monday, false)),
        (monday, Fact::BagOfFailure { run: run.run, bag: bag.clone() }),
        (monday, Fact::Failed { run, error: "the token was revoked".into() }),
        ("2026-03-11T00:00:00Z", schedule(None)),
    ];
    let coverage = Coverage::of(&entries(&facts), &question(None));
    assert_eq!((coverage.rows[0].state, coverage.rows[0].bag()), (State::Missing, Some(&bag)));
    assert_eq!(coverage.rows[0].reason, "the run failed: the token was revoked");
}

#[test]
fn failed_attempts_and_a_host_that_is_not_the_vendor_s_are_told_beside_the_review() {
    let monday = "2026-03-09T07:00:00Z";
    let failure = |number: u128| Fact::BagOfFailure {
        run: Uuid::from_u128(1),
        bag: BagName { folder: format!("failure-{number}"), sha256: "cd".repeat(32) },
    };
    let facts = [
        ("2026-03-03T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (monday, due(1, monday, false)),
        ("2026-03-09T07:10:00Z", failure(1)),
        ("2026-03-09T07:20:00Z", failure(2)),
        ("2026-03-09T07:30:00Z", recorded(1, monday)),
        ("2026-03-09T07:31:00Z", delivered(1, true)),
    ];
    let foreign = BTreeMap::from([("bag-1".to_owned(), "http://127.0.0.1:1".to_owned())]);
    let question = Question { foreign: &foreign, ..question(None) };
    let coverage = Coverage::of(&entries(&facts), &question);
    let row = coverage.rows.iter().find(|row| row.fire_at == time(monday)).unwrap();
    assert_eq!(row.state, State::OnTime);
    let said = "after 2 failed attempts; read from http://127.0.0.1:1, which is not a host of the vendor";
    assert_eq!(row.reason, said);
    let failures: Vec<&str> = row.failures.iter().map(|bag| bag.folder.as_str()).collect();
    assert_eq!(failures, ["failure-1", "failure-2"]);
    let remark = coverage.remarks.iter().find(|remark| remark.contains("from the vendor's own host")).unwrap();
    assert!(
        remark.starts_with("The only review was not read from the vendor's own host, but from http://127.0.0.1:1"),
        "{remark}"
    );
    let mut table = Vec::new();
    super::table(&coverage, &question, &mut table).unwrap();
    assert!(String::from_utf8(table).unwrap().contains(",failure-1;failure-2,\r\n"));
    // Attempts without answers leave no bag, but the review knows how many there were.
    let Fact::Recorded(review) = recorded(1, monday) else { unreachable!() };
    let third = Fact::Recorded(Recorded { attempt: Some(3), ..review });
    let facts_of_third = [facts[0].clone(), facts[1].clone(), (monday, third)];
    let coverage = Coverage::of(&entries(&facts_of_third), &question);
    let row = coverage.rows.iter().find(|row| row.fire_at == time(monday)).unwrap();
    assert!(row.reason.contains("after 2 failed attempts"), "{}", row.reason);
    // Without a review, the last attempt is its reason and its bag.
    let coverage = Coverage::of(&entries(&facts[..4]), &question);
    let row = coverage.rows.iter().find(|row| row.fire_at == time(monday)).unwrap();
    assert_eq!((row.state, row.bag().unwrap().folder.as_str()), (State::Missing, "failure-2"));
    assert_eq!(row.reason, "the run did not finish; after 1 earlier failed attempt");
}

#[test]
fn what_a_clock_that_was_ahead_wrote_does_not_hide_what_was_due() {
    let (skipped_to, monday) = (time("2036-03-03T07:00:00Z"), time("2026-03-09T07:00:00Z"));
    let skipped = Fact::Skipped {
        job: "weekly".into(),
        first: monday,
        last: skipped_to,
        count: 521,
        reason: "the clock was set forward".into(),
    };
    let mut facts = vec![
        ("2026-03-04T00:00:00Z", schedule(None)),
        ("2036-03-05T00:00:00Z", schedule(Some("0 8 * * MON"))),
        ("2036-03-05T00:00:01Z", skipped),
    ];
    let asked = Question { now: time("2026-03-10T00:00:00Z"), ..question(None) };
    let coverage = Coverage::of(&entries(&facts), &asked);
    assert_eq!((coverage.rows[0].fire_at, coverage.rows[0].state), (monday, State::Missing));
    assert_eq!(coverage.rows[0].reason, "skipped: the clock was set forward");
    assert!(coverage.remarks.iter().any(|remark| remark.contains("a clock was ahead")), "{:?}", coverage.remarks);
    // Taken back, it was not skipped.
    let to = time("2026-03-06T00:00:00Z");
    let back = Fact::ScheduleTakenBack { job: "weekly".into(), from: skipped_to, to, reason: "the clock".into() };
    facts.push(("2026-03-06T00:00:00Z", back));
    let coverage = Coverage::of(&entries(&facts), &asked);
    assert!(!coverage.rows[0].reason.contains("the clock was set forward"), "{:?}", coverage.rows[0]);
}

#[test]
fn each_review_has_the_earliest_time_that_a_third_party_proves() {
    let stamp = |covers, time: &str| {
        let (token, root) = ("cd".repeat(32), "ef".repeat(32));
        let authority = "http://timestamp.example.com/".to_owned();
        Fact::Timestamped(Timestamped { covers, token, time: self::time(time), authority, root })
    };
    let bag = |run: u128| Covers::Bag(BagName { folder: format!("bag-{run}"), sha256: "ab".repeat(32) });
    let ledger = |number| Covers::Ledger(Head { number, sha256: "12".repeat(32) });
    let [first, second, third] = ["2026-03-02T07:00:00Z", "2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z"];
    let facts = [
        ("2026-03-01T00:00:00Z", schedule(Some("0 8 * * MON"))),
        (first, due(1, first, false)),
        (first, recorded(1, first)),
        (second, due(2, second, false)),
        (second, recorded(2, second)),
        ("2026-03-09T07:01:00Z", stamp(bag(2), "2026-03-09T07:01:00Z")),
        ("2026-03-09T07:02:00Z", stamp(ledger(5), "2026-03-09T07:02:00Z")),
    ];
    let later = [(third, due(3, third, false)), (third, recorded(3, third))];
    let coverage = |facts: &[(&str, Fact)]| {
        let coverage = Coverage::of(&entries(facts), &question(None));
        let proven: Vec<_> =
            coverage.rows.iter().map(|row| Some(row.review.as_ref()?.proven_at?.to_rfc3339())).collect();
        (proven[..3].to_vec(), coverage.remarks.last().unwrap().clone())
    };
    let (proven, remark) = coverage(&facts);
    let at = |time: &str| Some(time.to_owned());
    assert_eq!(proven, [at("2026-03-09T07:02:00+00:00"), at("2026-03-09T07:01:00+00:00"), None]);
    let begins = "A timestamp of http://timestamp.example.com/ proves that the ledger existed up to entry 5 by 2026-03-09 07:02 UTC.";
    assert_eq!(remark, begins);
    let (proven, remark) = coverage(&[&facts[..], &later].concat());
    assert_eq!(proven[2], None);
    assert_eq!(
        remark,
        format!(
            "{begins} Since 2026-03-16 07:00 UTC times are by this machine's clock, except for bags with a timestamp of their own."
        )
    );
    let (_, remark) = coverage(&facts[..5]);
    assert_eq!(remark, "All times are by this machine's clock: no timestamp of a third party proves them.");
}
