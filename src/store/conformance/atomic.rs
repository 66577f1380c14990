//! A write is stored as a whole or not at all.

use std::fmt::Write as _;

use super::*;
use crate::{
    ledger::fact::{Leaver, OffboardingBegun, Terms},
    model::{actor::Actor, run::Gap},
    review::{
        event::{Decision, Via},
        person::Address,
        testing::{decides, opened},
    },
    store::{
        queue::Sent,
        reviews::{PlannedReview, Reviews as _},
        sessions::{Link, SecretDigest, Sessions as _, SignedIn},
    },
};

/// Everything that a write may change.
async fn contents<H: Home>(bench: &Bench<H>) -> String {
    let store = &bench.store;
    let runs = store.runs(100).await.unwrap();
    let mut text = format!("{runs:?} {:?} {:?}", store.gaps(100).await.unwrap(), store.head().await.unwrap());
    for run in runs {
        let (attempts, messages) = (store.attempts(run.id).await.unwrap(), store.messages(run.id).await.unwrap());
        let audit = store.audit(run.id).await.unwrap();
        write!(text, "{attempts:?} {messages:?} {audit:?}").unwrap();
    }
    for (job, workspace) in [("weekly", "acme"), ("weekly", "beta"), ("daily", "acme")] {
        let kept = store.last_complete(Some(job), workspace).await.unwrap();
        let cursor = store.cursor(job).await.unwrap();
        write!(text, "{kept:?} {cursor:?}").unwrap();
    }
    write!(text, "{:?}", store.review_plans().await.unwrap()).unwrap();
    for review in store.reviews(100).await.unwrap() {
        write!(text, "{review:?} {:?}", store.review(review.id).await.unwrap()).unwrap();
    }
    let link = store.link(SecretDigest::of("l")).await.unwrap();
    let session = store.session(SecretDigest::of("s"), at(36)).await.unwrap();
    write!(text, "{link:?} {session:?}").unwrap();
    text
}

/// Does a write while commits fail: it must be an error and change nothing.
async fn refused<H: Home, T, W: Future<Output = Result<T, StoreError>>>(bench: &Bench<H>, name: &str, write: W) {
    let before = contents(bench).await;
    H::refuse_commits(&bench.store, true).await;
    assert!(write.await.is_err(), "{name} was said to be stored");
    H::refuse_commits(&bench.store, false).await;
    assert_eq!(contents(bench).await, before, "{name}");
}

/// Runs a write while commits fail, and then for good.
macro_rules! refused_then_done {
    ($bench:expr, $name:ident ( $($argument:expr),* )) => {{
        refused(&$bench, stringify!($name), $bench.store.$name($($argument),*)).await;
        $bench.store.$name($($argument),*).await.unwrap()
    }};
}

pub(crate) async fn a_write_whose_commit_fails_changes_nothing<H: Home>() {
    let bench = Bench::<H>::new().await;
    let audit = Kept { record: record("acme", Some("daily"), 100), parts: vec![vec![1]] };
    refused_then_done!(bench, keep(&audit, at(0)));

    let gap = Gap { job: "weekly".into(), first: at(1), last: at(2), count: 2, reason: "x".into() };
    let workspaces = ["acme".to_owned(), "beta".to_owned()];
    let to = cursor(20);
    let (due, from) = ([at(10)], None);
    let decided =
        Decided { job: "weekly", workspaces: &workspaces, due: &due, gap: Some(&gap), from, to: &to, now: at(0) };
    refused_then_done!(bench, decide(&[decided]));
    refused_then_done!(bench, begin("daily", "gamma", at(5), LEASE));

    let claim = refused_then_done!(bench, claim(at(20), LEASE)).unwrap();
    refused_then_done!(bench, prolong(&claim, at(20), Duration::seconds(480)));
    refused_then_done!(bench, advance(&claim, RunState::Read));
    let messages = [message(&claim, "a@example.com"), message(&claim, "b@example.com")];
    refused_then_done!(bench, record(&claim, &kept(&claim), &messages, at(21)));

    let taken = refused_then_done!(bench, take_message(None, at(22), LEASE)).unwrap();
    assert_eq!(taken.attempt, 1);
    refused_then_done!(bench, sent(&taken, &Sent::Accepted, "250", &[], at(23)));
    let taken = bench.take(24).await.unwrap();
    let notice = Notification { kind: "undelivered".into(), ..message(&claim, "a@example.com") };
    refused_then_done!(bench, sent(&taken, &Sent::GivenUp, "550", std::slice::from_ref(&notice), at(25)));
    let notice = bench.take(26).await.unwrap();
    bench.store.sent(&notice, &Sent::Accepted, "250", &[], at(27)).await.unwrap();
    assert!(refused_then_done!(bench, close(claim.run.id, &[ping(10, "failure")], at(28))));
    assert!(refused_then_done!(bench, retry(claim.run.id, at(29))));

    let other = bench.claim(30).await.unwrap();
    refused_then_done!(bench, release(&other, Some("x"), at(31), at(31)));
    let other = bench.claim(32).await.unwrap();
    refused_then_done!(bench, give_up(&other, "x", &[message(&other, "a@example.com")], at(33)));

    let key = Fact::Key { fingerprint: Some("a".into()), signer: None };
    refused_then_done!(bench, append(std::slice::from_ref(&key), at(34)));
    let terms = Terms {
        workspaces: vec![],
        pattern: "0 8 * * *".into(),
        time_zone: "UTC".into(),
        missed: "all".into(),
        splay_minutes: None,
    };
    refused_then_done!(bench, publish_schedules(&[("weekly".to_owned(), terms.clone())], &[], at(35)));
    let begun = OffboardingBegun {
        plan: Uuid::nil(),
        workspace: "acme".into(),
        organization: None,
        leaver: Leaver { user: "7".into(), email: None, role: None, profile: None },
        request: "DELETE".into(),
        confirmed: "yes".into(),
        by: None,
        decisions: Vec::new(),
    };
    refused_then_done!(bench, begin_offboarding(&begun, 0, at(36)));

    let mut review = opened(7);
    let plan = PlannedReview {
        name: "quarterly",
        job: "weekly",
        from: None,
        to: &to,
        due: Some(at(0)),
        skipped: std::slice::from_ref(&gap),
        now: at(36),
    };
    assert!(refused_then_done!(bench, plan_review(&plan)));
    refused_then_done!(bench, review_not_opened("quarterly", at(0), "no audit", at(36)));
    refused_then_done!(bench, open_review(&review));
    let event = decides(&review, "ana", &[1], Decision::Keep);
    review.apply(&event, at(36)).unwrap();
    refused_then_done!(bench, change_review(&review, std::slice::from_ref(&event), at(36)));
    refused_then_done!(bench, tell(&review, &[], Some(at(99)), at(36)));

    let (address, via) = (Address::of("ana@example.com"), Via::MailLink);
    let link = Link { address: address.clone(), via, valid_until: at(900), used_at: None };
    refused_then_done!(bench, keep_link(SecretDigest::of("l"), &link, &Actor::Daemon, at(36)));
    let who = SignedIn::by(address, via);
    let (session, used) = (SecretDigest::of("s"), Some(SecretDigest::of("l")));
    refused_then_done!(bench, begin_session(session, &who, None, used, at(36)));

    let newer = Kept { record: record("acme", Some("daily"), 200), parts: vec![vec![2]] };
    bench.store.keep(&newer, at(37)).await.unwrap();
    assert_eq!(refused_then_done!(bench, prune(at(150))), 1);
}

pub(crate) async fn a_write_that_is_refused_halfway_changes_nothing<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    // This audit is kept already, which the store notices only after it has changed the run.
    bench.store.keep(&kept(&claim), at(1)).await.unwrap();
    let before = contents(&bench).await;
    let messages = [message(&claim, "a@example.com")];
    assert!(bench.store.record(&claim, &kept(&claim), &messages, at(2)).await.is_err());
    assert_eq!(contents(&bench).await, before);
    bench.store.release(&claim, None, at(3), at(3)).await.unwrap();
}
