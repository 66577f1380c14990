//! Decisions, claims, leases and fences.

use super::*;
use crate::{
    model::run::Gap,
    store::{
        history::Backlog,
        queue::{LONGEST_WAIT, Sent},
    },
};

pub(crate) async fn a_fire_time_is_one_run_for_each_workspace_however_often_it_is_decided<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    bench.due(&[10, 20]).await;
    assert_eq!(bench.states().await.len(), 4);
}

pub(crate) async fn decisions_on_an_old_cursor_are_not_stored<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let before = bench.store.head().await.unwrap();
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
    assert_eq!(bench.store.head().await.unwrap(), before);
    let current = bench.store.cursor("weekly").await.unwrap();
    assert_eq!(current, Some(cursor(10)));
    let fresh = Decided { from: current.as_ref(), ..stale };
    assert_eq!(bench.store.decide(&[fresh]).await.unwrap(), [true]);
    assert_eq!((bench.states().await.len(), bench.store.gaps(9).await.unwrap()), (3, vec![gap]));
}

pub(crate) async fn decisions_that_follow_one_another_are_stored_together<H: Home>() {
    let bench = Bench::<H>::new().await;
    // Each workspace of a spread job has fire times of its own.
    let (one, other, due) = (["acme".to_owned()], ["globex".to_owned()], [at(10), at(11)]);
    let (from, to) = (cursor(10), cursor(11));
    let first =
        Decided { job: "weekly", workspaces: &one, due: &due[..1], gap: None, from: None, to: &from, now: at(12) };
    let second = Decided { workspaces: &other, due: &due[1..], from: Some(&from), to: &to, ..first };
    assert_eq!(bench.store.decide(&[first, second]).await.unwrap(), [true, true]);
    assert_eq!(bench.states().await.len(), 2);
    assert_eq!(bench.store.cursor("weekly").await.unwrap(), Some(to.clone()));
    assert_eq!(bench.store.decide(&[first, second]).await.unwrap(), [false, false]);
}

pub(crate) async fn the_backlog_is_what_waits_and_what_is_worked_on<H: Home>() {
    let bench = Bench::<H>::new().await;
    assert_eq!(bench.store.backlog().await.unwrap(), Backlog::default());
    bench.due(&[10, 20]).await;
    let claim = bench.claim(30).await.unwrap();
    let expected = Backlog { due: 3, in_progress: 1, oldest_due: Some(at(10)) };
    assert_eq!(bench.store.backlog().await.unwrap(), expected);
    bench.store.record(&claim, &kept(&claim), &[], at(31)).await.unwrap();
    let other = bench.claim(32).await.unwrap();
    bench.store.release(&other, Some("x"), at(90), at(33)).await.unwrap();
    let expected = Backlog { due: 3, in_progress: 0, oldest_due: Some(at(10)) };
    assert_eq!(bench.store.backlog().await.unwrap(), expected);
}

pub(crate) async fn runs_of_one_workspace_follow_one_another_and_workspaces_run_side_by_side<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10, 20]).await;
    let first = bench.claim(30).await.unwrap();
    let second = bench.claim(30).await.unwrap();
    assert_eq!((first.run.fire_at, second.run.fire_at), (at(10), at(10)));
    assert_ne!(first.run.workspace, second.run.workspace);
    assert_eq!(bench.claimed(30).await, None, "the later ones wait");
    bench.store.record(&first, &kept(&first), &[], at(31)).await.unwrap();
    assert_eq!(bench.claimed(32).await, Some((first.run.workspace, 20)));
}

pub(crate) async fn a_run_whose_worker_died_is_claimed_again_and_the_dead_worker_can_write_no_more<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let dead = bench.claim(20).await.unwrap();
    let other = bench.claim(20).await.unwrap();
    bench.store.advance(&dead, RunState::Read).await.unwrap();
    bench.store.prolong(&other, at(20), Duration::seconds(480)).await.unwrap();
    assert_eq!(bench.claimed(79).await, None);
    let heir = bench.claim(81).await.unwrap();
    assert_eq!((heir.run.id, heir.run.attempt, heir.run.started_at), (dead.run.id, 2, Some(at(20))));
    let before = bench.store.head().await.unwrap();
    let messages = [message(&dead, "a@example.com")];
    is_lost(bench.store.prolong(&dead, at(140), LEASE).await);
    is_lost(bench.store.advance(&dead, RunState::Judged).await);
    is_lost(bench.store.record(&dead, &kept(&dead), &messages, at(90)).await);
    is_lost(bench.store.release(&dead, Some("x"), at(90), at(25)).await);
    is_lost(bench.store.give_up(&dead, "x", &messages, at(90)).await);
    assert_eq!(bench.store.head().await.unwrap(), before);
    assert!(bench.store.last_complete(Some("weekly"), &dead.run.workspace).await.unwrap().is_none());
    assert!(bench.store.messages(dead.run.id).await.unwrap().is_empty());
    bench.store.record(&heir, &kept(&heir), &[], at(91)).await.unwrap();
    assert!(bench.store.last_complete(Some("weekly"), &dead.run.workspace).await.unwrap().is_some());
    is_lost(bench.store.advance(&heir, RunState::Judged).await);
}

pub(crate) async fn a_released_run_waits_and_keeps_its_error<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    let other = bench.claim(20).await.unwrap();
    bench.store.prolong(&other, at(20), Duration::seconds(980)).await.unwrap();
    bench.store.release(&claim, Some("no connection"), at(300), at(25)).await.unwrap();
    assert_eq!(bench.claimed(299).await, None);
    let again = bench.claim(300).await.unwrap();
    assert_eq!((again.run.id, again.run.error.as_deref(), again.run.attempt), (claim.run.id, Some("no connection"), 2));
}

pub(crate) async fn a_clock_that_was_set_back_holds_nothing_up<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let ahead = LONGEST_WAIT.num_seconds() * 10;
    let claim = bench.claim(ahead).await.unwrap();
    let other = bench.claim(ahead).await.unwrap();
    bench.store.release(&other, None, at(ahead + 60), at(25)).await.unwrap();
    let mut ids = vec![bench.claim(20).await.unwrap().run.id, bench.claim(20).await.unwrap().run.id];
    let mut expected = vec![claim.run.id, other.run.id];
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
    // The same for messages.
    let claim = bench.store.begin("daily", "gamma", at(ahead), LEASE).await.unwrap();
    bench.store.record(&claim, &kept(&claim), &[message(&claim, "a@example.com")], at(ahead)).await.unwrap();
    let taken = bench.take(20).await.unwrap();
    bench.store.sent(&taken, &Sent::Again(at(ahead)), "451", &[], at(20)).await.unwrap();
    assert!(bench.take(21).await.is_some());
}

pub(crate) async fn a_failed_run_can_be_retried_from_the_beginning<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    assert!(!bench.store.retry(claim.run.id, at(22)).await.unwrap());
    bench.store.give_up(&claim, "the token was revoked", &[], at(21)).await.unwrap();
    assert!(bench.store.retry(claim.run.id, at(22)).await.unwrap());
    let again = bench.claim(22).await.unwrap();
    assert_eq!((again.run.id, again.run.attempt, again.run.finished_at), (claim.run.id, 1, None));
}

pub(crate) async fn two_processes_at_once_do_everything_once<H: Home>() {
    let bench = Bench::<H>::new().await;
    let other = bench.home.open().await;
    let fire_at: Vec<i64> = (1..=20).collect();
    bench.due(&fire_at).await;
    let work = async |store: &H::Store| {
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

pub(crate) async fn an_audit_on_demand_is_a_run_of_its_own_and_two_of_them_do_not_overlap<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.store.begin("weekly", "acme", at(5), LEASE).await.unwrap();
    assert_eq!((claim.run.fire_at, claim.run.state, claim.run.attempt), (at(5), RunState::Claimed, 1));
    let busy = bench.store.begin("weekly", "acme", at(6), LEASE).await.unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    bench.store.begin("weekly", "beta", at(6), LEASE).await.unwrap();
    bench.due(&[10]).await;
    assert_eq!(bench.claimed(20).await, None, "the scheduled runs wait for both");
    bench.store.record(&claim, &kept(&claim), &[], at(21)).await.unwrap();
    assert_eq!(bench.claimed(22).await, Some(("acme".to_owned(), 10)));
}

pub(crate) async fn every_attempt_is_on_record_with_how_it_ended<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    bench.store.release(&claim, Some("no connection"), at(100), at(10)).await.unwrap();
    bench.claim(100).await.unwrap();
    let heir = bench.claim(200).await.unwrap();
    assert_eq!((heir.run.attempt, heir.fence), (3, 3));
    bench.store.release(&heir, None, at(201), at(201)).await.unwrap();
    let last = bench.claim(300).await.unwrap();
    assert_eq!((last.run.attempt, last.fence), (3, 4), "an interruption on purpose is not counted");
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
