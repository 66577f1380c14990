//! What every queue must do. Written against the trait, so that another store can be held to it.

use chrono::{DateTime, Duration, Utc};

use super::SqliteStore;
use crate::{
    model::run::{Claim, Gap, MessageState, RunState},
    store::{
        AuditRecord, Kept, Store as _, StoreError,
        history::History as _,
        queue::{Cursor, Decided, LONGEST_WAIT, NewMessage, Queue, Sent},
    },
};

const LEASE: Duration = Duration::seconds(60);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn cursor(seconds: i64) -> Cursor {
    Cursor { schedule: "* * * * * UTC".into(), at: at(seconds) }
}

struct Bench {
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: SqliteStore::open(&folder.path().join("store.db")).await.unwrap(), _folder: folder }
    }

    /// Stores that fire times are due, for two workspaces.
    async fn due(&self, fire_at: &[i64]) {
        let from = self.store.cursor("weekly").await.unwrap();
        let due: Vec<_> = fire_at.iter().map(|seconds| at(*seconds)).collect();
        let decided = Decided {
            job: "weekly",
            workspaces: &["acme".into(), "beta".into()],
            due: &due,
            gap: None,
            from: from.as_ref(),
            to: &cursor(*fire_at.last().unwrap()),
            now: at(0),
        };
        assert_eq!(self.store.decide(&[decided]).await.unwrap(), [true]);
    }

    async fn claim(&self, now: i64) -> Option<Claim> {
        self.store.claim(at(now), LEASE).await.unwrap()
    }

    /// Claims a run and says which.
    async fn claimed(&self, now: i64) -> Option<(String, i64)> {
        self.claim(now).await.map(|claim| (claim.run.workspace, (claim.run.fire_at - at(0)).num_seconds()))
    }

    async fn states(&self) -> Vec<RunState> {
        self.store.runs(100).await.unwrap().into_iter().map(|run| run.state).collect()
    }
}

fn kept(claim: &Claim) -> Kept {
    let record = AuditRecord {
        id: claim.run.id,
        job: Some(claim.run.job.clone()),
        workspace: claim.run.workspace.clone(),
        started_at: at(0),
        finished_at: claim.run.fire_at,
        complete: true,
        users: 3,
        administrators: 1,
        open_findings: 0,
        by_severity: Some([0; 5]),
        bag: None,
        no_mail_reason: None,
    };
    Kept { record, parts: vec![vec![1]] }
}

fn message(recipient: &str) -> NewMessage {
    NewMessage {
        kind: "report".into(),
        about: String::new(),
        recipient: recipient.into(),
        sender: "audit@example.com".into(),
        message_id: format!("<{recipient}>"),
        bytes: b"Subject: x\r\n\r\n".to_vec(),
    }
}

#[tokio::test]
async fn a_fire_time_is_one_run_for_each_workspace_however_often_it_is_decided() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    bench.due(&[10, 20]).await;
    assert_eq!(bench.states().await.len(), 4);
}

#[tokio::test]
async fn decisions_on_an_old_cursor_are_not_stored() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let gap = Gap { job: "weekly".into(), first: at(1), last: at(2), count: 2, reason: "x".into() };
    let stale = Decided {
        job: "weekly",
        workspaces: &["acme".into()],
        due: &[at(20)],
        gap: Some(&gap),
        from: None,
        to: &cursor(20),
        now: at(0),
    };
    assert_eq!(bench.store.decide(&[stale]).await.unwrap(), [false]);
    assert_eq!((bench.states().await.len(), bench.store.gaps(9).await.unwrap()), (2, vec![]));
    let current = bench.store.cursor("weekly").await.unwrap();
    assert_eq!(current, Some(cursor(10)));
    let fresh = Decided { from: current.as_ref(), ..stale };
    assert_eq!(bench.store.decide(&[fresh]).await.unwrap(), [true]);
    assert_eq!((bench.states().await.len(), bench.store.gaps(9).await.unwrap()), (3, vec![gap]));
}

#[tokio::test]
async fn runs_of_one_workspace_follow_one_another_and_workspaces_run_side_by_side() {
    let bench = Bench::new().await;
    bench.due(&[10, 20]).await;
    let first = bench.claim(30).await.unwrap();
    let second = bench.claim(30).await.unwrap();
    assert_eq!((first.run.fire_at, second.run.fire_at), (at(10), at(10)));
    assert_ne!(first.run.workspace, second.run.workspace);
    assert_eq!(bench.claimed(30).await, None, "the later ones wait");
    bench.store.record(&first, &kept(&first), &[], at(31)).await.unwrap();
    assert_eq!(bench.claimed(32).await, Some((first.run.workspace, 20)));
}

#[tokio::test]
async fn a_run_whose_worker_died_is_claimed_again_and_the_dead_one_can_write_no_more() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let dead = bench.claim(20).await.unwrap();
    let other = bench.claim(20).await.unwrap();
    bench.store.advance(&dead, RunState::Read).await.unwrap();
    bench.store.prolong(&other, at(500)).await.unwrap();
    assert_eq!(bench.claimed(79).await, None);
    let heir = bench.claim(81).await.unwrap();
    assert_eq!((heir.run.id, heir.run.attempt, heir.run.started_at), (dead.run.id, 2, Some(at(20))));
    let lost = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Lost { .. })), "{result:?}");
    lost(bench.store.prolong(&dead, at(200)).await);
    lost(bench.store.advance(&dead, RunState::Judged).await);
    lost(bench.store.record(&dead, &kept(&dead), &[message("a@example.com")], at(90)).await);
    lost(bench.store.hand_back(&dead, Some("x"), at(90), at(25)).await);
    lost(bench.store.give_up(&dead, "x", &[message("a@example.com")], at(90)).await);
    assert!(bench.store.last_complete(Some("weekly"), &dead.run.workspace).await.unwrap().is_none());
    assert!(bench.store.messages(dead.run.id).await.unwrap().is_empty());
    bench.store.record(&heir, &kept(&heir), &[], at(91)).await.unwrap();
    assert!(bench.store.last_complete(Some("weekly"), &dead.run.workspace).await.unwrap().is_some());
}

#[tokio::test]
async fn a_run_that_was_handed_back_waits_its_time_and_keeps_its_error() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    let other = bench.claim(20).await.unwrap();
    bench.store.prolong(&other, at(1_000)).await.unwrap();
    bench.store.hand_back(&claim, Some("no connection"), at(300), at(25)).await.unwrap();
    assert_eq!(bench.claimed(299).await, None);
    let again = bench.claim(300).await.unwrap();
    assert_eq!((again.run.id, again.run.error.as_deref(), again.run.attempt), (claim.run.id, Some("no connection"), 2));
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_nothing_up() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let ahead = LONGEST_WAIT.num_seconds() * 10;
    let claim = bench.claim(ahead).await.unwrap();
    let other = bench.claim(ahead).await.unwrap();
    bench.store.hand_back(&other, None, at(ahead + 60), at(25)).await.unwrap();
    let mut ids = vec![bench.claim(20).await.unwrap().run.id, bench.claim(20).await.unwrap().run.id];
    let mut expected = vec![claim.run.id, other.run.id];
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_run_is_delivered_with_its_last_message_and_a_refused_recipient_holds_back_nobody() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    let messages = [message("a@example.com"), message("b@example.com")];
    bench.store.record(&claim, &kept(&claim), &messages, at(21)).await.unwrap();
    let take = async |now: i64| bench.store.take_message(None, at(now), LEASE).await.unwrap();

    let a = take(22).await.unwrap();
    let b = take(22).await.unwrap();
    assert_eq!([&a.message, &b.message], [&messages[0], &messages[1]]);
    assert_eq!(take(22).await, None);
    bench.store.sent(&a, &Sent::Accepted, "250 ok", &[], at(23)).await.unwrap();
    bench.store.sent(&b, &Sent::Again(at(100)), "451 later", &[], at(23)).await.unwrap();
    assert!(bench.store.close(at(23)).await.unwrap().is_empty());
    assert_eq!(take(99).await, None);

    let again = take(100).await.unwrap();
    assert_eq!((&again.message, again.attempt), (&messages[1], 2));
    let lost = bench.store.sent(&b, &Sent::Accepted, "late", &[], at(101)).await;
    assert!(matches!(lost, Err(StoreError::Lost { .. })), "{lost:?}");
    bench.store.sent(&again, &Sent::GivenUp, "550 no such user", &[], at(102)).await.unwrap();
    let closed = bench.store.close(at(103)).await.unwrap();
    assert_eq!(closed.iter().map(|run| (run.id, run.state)).collect::<Vec<_>>(), [(claim.run.id, RunState::Closed)]);
    let states: Vec<_> = bench.store.messages(claim.run.id).await.unwrap();
    let states: Vec<_> = states.into_iter().map(|message| (message.state, message.answer.unwrap())).collect();
    assert_eq!(
        states,
        [(MessageState::Accepted, "250 ok".to_owned()), (MessageState::Rejected, "550 no such user".to_owned())]
    );
}

#[tokio::test]
async fn a_message_whose_sender_died_is_taken_out_again_as_it_was() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    bench.store.record(&claim, &kept(&claim), &[message("a@example.com")], at(21)).await.unwrap();
    let first = bench.store.take_message(None, at(22), LEASE).await.unwrap().unwrap();
    assert_eq!(bench.store.take_message(None, at(81), LEASE).await.unwrap(), None);
    let second = bench.store.take_message(None, at(82), LEASE).await.unwrap().unwrap();
    assert_eq!(first.message, second.message);
}

#[tokio::test]
async fn a_run_that_is_given_up_is_failed_and_its_notice_is_sent_all_the_same() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    let notice = NewMessage { kind: "failure".into(), ..message("a@example.com") };
    bench.store.give_up(&claim, "the token was revoked", &[notice], at(21)).await.unwrap();
    let out = bench.store.take_message(None, at(22), LEASE).await.unwrap().unwrap();
    bench.store.sent(&out, &Sent::Accepted, "250 ok", &[], at(23)).await.unwrap();
    assert!(bench.store.close(at(24)).await.unwrap().is_empty());
    let run = bench.store.runs(9).await.unwrap().into_iter().find(|run| run.id == claim.run.id).unwrap();
    assert_eq!(
        (run.state, run.error.as_deref(), run.finished_at),
        (RunState::Failed, Some("the token was revoked"), Some(at(21)))
    );
}

#[tokio::test]
async fn only_a_failed_run_can_be_tried_again_from_the_beginning() {
    let bench = Bench::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    assert!(!bench.store.retry(claim.run.id, at(22)).await.unwrap());
    bench.store.give_up(&claim, "the token was revoked", &[], at(21)).await.unwrap();
    assert!(bench.store.retry(claim.run.id, at(22)).await.unwrap());
    let again = bench.claim(22).await.unwrap();
    assert_eq!((again.run.id, again.run.attempt, again.run.finished_at), (claim.run.id, 1, None));
}

#[tokio::test]
async fn what_two_processes_do_at_once_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let bench = Bench { store: SqliteStore::open(&path).await.unwrap(), _folder: folder };
    let other = SqliteStore::open(&path).await.unwrap();
    let fire_at: Vec<i64> = (1..=20).collect();
    bench.due(&fire_at).await;
    let work = async |store: &SqliteStore| {
        let mut done = Vec::new();
        while let Some(claim) = store.claim(at(30), LEASE).await.unwrap() {
            store.record(&claim, &kept(&claim), &[], at(30)).await.unwrap();
            done.push(claim.run.id);
        }
        done
    };
    let (a, b) = tokio::join!(work(&bench.store), work(&other));
    let mut all: Vec<_> = a.into_iter().chain(b).chain(work(&other).await).collect();
    assert_eq!(all.len(), 40);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 40);
}

#[tokio::test]
async fn a_review_by_hand_is_a_run_of_its_own_and_two_of_them_do_not_overlap() {
    let bench = Bench::new().await;
    let claim = bench.store.begin("weekly", "acme", at(5), LEASE).await.unwrap();
    assert_eq!((claim.run.fire_at, claim.run.state, claim.run.attempt), (at(5), RunState::Claimed, 1));
    let busy = bench.store.begin("weekly", "acme", at(6), LEASE).await.unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    bench.store.begin("weekly", "beta", at(6), LEASE).await.unwrap();
    bench.due(&[10]).await;
    assert_eq!(bench.claimed(20).await, None, "the daemon waits for both");
    bench.store.record(&claim, &kept(&claim), &[], at(21)).await.unwrap();
    assert_eq!(bench.claimed(22).await, Some(("acme".to_owned(), 10)));
}

#[tokio::test]
async fn every_time_that_a_run_was_taken_up_is_on_record_with_how_it_ended() {
    let bench = Bench::new().await;
    let claim = bench.store.begin("weekly", "acme", at(0), LEASE).await.unwrap();
    bench.store.hand_back(&claim, Some("no connection"), at(100), at(10)).await.unwrap();
    bench.claim(100).await.unwrap();
    let heir = bench.claim(200).await.unwrap();
    assert_eq!((heir.run.attempt, heir.fence), (3, 3));
    bench.store.hand_back(&heir, None, at(201), at(201)).await.unwrap();
    let last = bench.claim(300).await.unwrap();
    assert_eq!((last.run.attempt, last.fence), (3, 4), "an interruption on purpose does not count");
    bench.store.record(&last, &kept(&last), &[], at(301)).await.unwrap();
    let attempts = bench.store.attempts(claim.run.id).await.unwrap();
    let attempts: Vec<_> = attempts.into_iter().map(|a| (a.began_at, a.ended_at, a.error)).collect();
    let failed = Some("no connection".to_owned());
    assert_eq!(
        attempts,
        [
            (at(0), Some(at(10)), failed),
            (at(100), None, None),
            (at(200), Some(at(201)), None),
            (at(300), Some(at(301)), None)
        ]
    );
}

#[tokio::test]
async fn what_nobody_accepted_can_be_sent_again_by_hand_and_what_was_accepted_is_not_kept() {
    let bench = Bench::new().await;
    let claim = bench.store.begin("weekly", "acme", at(0), LEASE).await.unwrap();
    let messages = [message("a@example.com"), message("b@example.com")];
    bench.store.record(&claim, &kept(&claim), &messages, at(1)).await.unwrap();
    let take = async |now: i64| bench.store.take_message(Some("weekly"), at(now), LEASE).await.unwrap();
    assert_eq!(bench.store.take_message(Some("daily"), at(2), LEASE).await.unwrap(), None, "another job's");
    let (a, b) = (take(2).await.unwrap(), take(2).await.unwrap());
    bench.store.sent(&a, &Sent::Accepted, "250 ok", &[], at(3)).await.unwrap();
    let notice = NewMessage { kind: "undelivered".into(), about: "b".into(), ..message("a@example.com") };
    bench.store.sent(&b, &Sent::GivenUp, "550 no", &[notice], at(3)).await.unwrap();
    assert!(bench.store.close(at(4)).await.unwrap().is_empty(), "the notice waits");
    let notice = take(5).await.unwrap();
    bench.store.sent(&notice, &Sent::Accepted, "250 ok", &[], at(6)).await.unwrap();
    assert_eq!(bench.store.close(at(7)).await.unwrap().len(), 1);

    assert!(bench.store.retry(claim.run.id, at(8)).await.unwrap());
    let again = take(9).await.unwrap();
    assert_eq!(again.message, messages[1]);
    assert_eq!(take(9).await, None, "what was accepted is not sent again");
    bench.store.sent(&again, &Sent::Accepted, "250 ok", &[], at(10)).await.unwrap();
    assert_eq!(bench.store.close(at(11)).await.unwrap().len(), 1);
    assert!(!bench.store.retry(claim.run.id, at(12)).await.unwrap());
}
