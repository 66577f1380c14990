//! Runs that are reported in one message.

use super::*;
use crate::{
    ledger::fact::NoMailReason,
    model::run::MessageState,
    store::{
        queue::Sent,
        together::{Combined, Share},
    },
};

const TERMS: &[u8] = b"terms";

fn share(body: &[u8]) -> Share<'_> {
    Share { terms: TERMS, body, messages: &[] }
}

/// The message of a fire time, carried by a run.
fn combined<'a>(carrier: &Claim, runs: &'a [Uuid], notifications: &'a [Notification]) -> Combined<'a> {
    let no_mail_reason = notifications.is_empty().then_some(NoMailReason::NothingToTell);
    Combined { job: "weekly", fire_at: at(10), carrier: carrier.run.id, runs, notifications, no_mail_reason }
}

/// Two runs of one fire time, both recorded with a share.
async fn shared<H: Home>(bench: &Bench<H>) -> (Claim, Claim) {
    bench.due(&[10]).await;
    let (one, other) = (bench.claim(10).await.unwrap(), bench.claim(10).await.unwrap());
    assert!(bench.store.record_share(&one, &kept(&one), &share(b"one"), at(20)).await.unwrap());
    assert!(bench.store.record_share(&other, &kept(&other), &share(b"other"), at(30)).await.unwrap());
    (one, other)
}

pub(crate) async fn runs_that_are_reported_together_share_one_message_and_its_fate<H: Home>() {
    let bench = Bench::<H>::new().await;
    let (one, other) = shared(&bench).await;
    let ids = [one.run.id, other.run.id];
    assert_eq!(bench.states().await, [RunState::Recorded; 2]);
    let open = bench.store.combinations().await.unwrap();
    assert_eq!((open.len(), &*open[0].job, open[0].fire_at, open[0].since), (1, "weekly", at(10), at(20)));
    assert_eq!(open[0].terms, TERMS);
    let mut shares = bench.store.shares("weekly", at(10)).await.unwrap();
    shares.sort_by(|(_, one), (_, other)| other.cmp(one));
    assert_eq!(shares, [(ids[1], b"other".to_vec()), (ids[0], b"one".to_vec())]);

    let messages = [message(&one, "a@example.com"), message(&one, "b@example.com")];
    assert!(bench.store.combine(&combined(&one, &ids, &messages), at(40)).await.unwrap());
    assert_eq!(bench.store.combinations().await.unwrap(), []);
    assert_eq!(bench.store.shares("weekly", at(10)).await.unwrap(), []);
    assert_eq!((bench.store.waiting().await.unwrap(), bench.store.waiting_mails().await.unwrap().len()), (2, 2));
    // Each is taken out once, and each run has it as its own.
    let (first, second) = (bench.take(40).await.unwrap(), bench.take(40).await.unwrap());
    assert_eq!(bench.take(40).await, None);
    bench.store.sent(&first, &Sent::Accepted, "250", &[], at(41)).await.unwrap();
    assert_eq!(bench.states().await, [RunState::Recorded; 2], "one message still waits");
    bench.store.sent(&second, &Sent::GivenUp, "550", &[], at(42)).await.unwrap();
    assert_eq!(bench.states().await, [RunState::Delivered; 2]);
    for id in ids {
        let messages = bench.store.messages(id).await.unwrap();
        let fate: Vec<_> =
            messages.iter().map(|one| (one.address.as_str(), one.state, one.answer.as_deref())).collect();
        let expected = [
            ("a@example.com", MessageState::Accepted, Some("250")),
            ("b@example.com", MessageState::Rejected, Some("550")),
        ];
        assert_eq!(fate, expected);
        let reports = bench.store.incidents_before("weekly", "acme", at(500)).await.unwrap();
        assert_eq!(reports.len(), 1, "{reports:?}");
    }
    // A retry of either run sends the refused message again, for both.
    assert!(bench.store.retry(ids[1], at(50)).await.unwrap());
    assert_eq!(bench.states().await, [RunState::Recorded; 2]);
    let again = bench.take(50).await.unwrap();
    assert_eq!(
        (again.notification.address.as_str(), again.notification.subject.run()),
        ("b@example.com", Some(ids[0]))
    );
    bench.store.sent(&again, &Sent::Accepted, "250", &[], at(51)).await.unwrap();
    assert_eq!(bench.states().await, [RunState::Delivered; 2]);
    let facts = bench.facts().await;
    let deliveries = facts.iter().filter(|fact| matches!(fact, Fact::Delivery(_))).count();
    assert_eq!(deliveries, 3, "one for each message and outcome");
    let expected = ["<a@example.com>", "<b@example.com>"];
    let is_expected =
        |fact: &Fact| matches!(fact, Fact::Combined { runs, messages, .. } if runs == &ids && messages == &expected);
    assert_eq!(facts.iter().filter(|fact| is_expected(fact)).count(), 1, "{facts:?}");
}

pub(crate) async fn a_fire_time_is_combined_once_and_a_run_that_ends_later_is_told_so<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let (one, late) = (bench.claim(10).await.unwrap(), bench.claim(10).await.unwrap());
    assert!(bench.store.record_share(&one, &kept(&one), &share(b"one"), at(20)).await.unwrap());
    let (runs, messages) = ([one.run.id], [message(&one, "a@example.com")]);
    let message = combined(&one, &runs, &messages);
    let another = bench.home.open().await;
    assert!(bench.store.combine(&message, at(40)).await.unwrap());
    assert!(!another.combine(&message, at(41)).await.unwrap(), "two processes write one message");
    let before = bench.facts().await.len();
    assert!(!bench.store.record_share(&late, &kept(&late), &share(b"late"), at(50)).await.unwrap());
    assert!(!bench.store.give_up_share(&late, "x", TERMS, &[ping(10, "failure")], at(50)).await.unwrap());
    assert_eq!((bench.facts().await.len(), bench.store.waiting().await.unwrap()), (before, 1), "nothing was changed");
    bench.store.record(&late, &kept(&late), &[], at(51)).await.unwrap();
}

pub(crate) async fn a_share_that_comes_while_the_message_is_written_stops_it<H: Home>() {
    let bench = Bench::<H>::new().await;
    let (one, other) = shared(&bench).await;
    is_lost(bench.store.record_share(&one, &kept(&one), &share(b"again"), at(31)).await);
    is_lost(bench.store.give_up_share(&one, "x", TERMS, &[], at(31)).await);
    let (runs, messages) = ([one.run.id], [message(&one, "a@example.com")]);
    assert!(!bench.store.combine(&combined(&one, &runs, &messages), at(40)).await.unwrap());
    assert_eq!((bench.store.waiting().await.unwrap(), bench.store.combinations().await.unwrap().len()), (0, 1));
    let runs = [other.run.id, one.run.id];
    assert!(bench.store.combine(&combined(&one, &runs, &messages), at(41)).await.unwrap());
}

pub(crate) async fn a_message_that_nobody_wants_delivers_its_runs_at_once<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let (one, failed) = (bench.claim(10).await.unwrap(), bench.claim(10).await.unwrap());
    assert!(bench.store.give_up_share(&failed, "revoked", TERMS, &[], at(20)).await.unwrap());
    assert!(bench.store.record_share(&one, &kept(&one), &share(b"one"), at(30)).await.unwrap());
    let open = bench.store.combinations().await.unwrap();
    assert_eq!((open.len(), open[0].since), (1, at(20)));
    let runs = [one.run.id];
    assert!(bench.store.combine(&combined(&one, &runs, &[]), at(40)).await.unwrap());
    let mut states = bench.states().await;
    states.sort();
    assert_eq!(states, [RunState::Delivered, RunState::Failed]);
    assert_eq!(bench.store.waiting().await.unwrap(), 0);
}

pub(crate) async fn runs_on_demand_of_several_workspaces_begin_at_one_moment_or_not_at_all<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claims = bench.store.begin_all("weekly", &["acme", "beta"], at(5), LEASE).await.unwrap();
    assert_eq!(claims.iter().map(|claim| claim.run.fire_at).collect::<Vec<_>>(), [at(5), at(5)]);
    assert_eq!(bench.store.siblings("weekly", at(5)).await.unwrap().len(), 2);
    let facts = bench.facts().await;
    assert!(matches!(&facts[..], [Fact::Due { by_hand: true, runs, .. }] if runs.len() == 2), "{facts:?}");
    let busy = bench.store.begin_all("weekly", &["gamma", "beta"], at(6), LEASE).await.unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    assert_eq!((bench.facts().await.len(), bench.states().await.len()), (1, 2), "nothing was begun");
}
