//! What the ledger holds after each write.

use super::*;
use crate::{
    ledger::fact::{Leaver, OffboardingBegun, Terms},
    model::run::Gap,
    store::{
        facts::{self, Planned},
        queue::Sent,
    },
};

pub(crate) async fn each_write_makes_its_facts<H: Home>() {
    let bench = Bench::<H>::new().await;
    let store = &bench.store;
    let mut expected = Vec::new();

    let audit = record("acme", None, 100);
    store.keep(&Kept { record: audit.clone(), parts: vec![] }, at(0)).await.unwrap();
    expected.extend(facts::keep(&audit));

    let gap = Gap { job: "weekly".into(), first: at(1), last: at(2), count: 2, reason: "x".into() };
    let decided = Decided {
        job: "weekly",
        workspaces: &["acme".into(), "beta".into()],
        due: &[at(10), at(20)],
        gap: Some(&gap),
        from: None,
        to: &cursor(20),
        now: at(0),
    };
    store.decide(&[decided]).await.unwrap();
    let mut runs = store.runs(9).await.unwrap();
    runs.sort_by(|one, other| (one.fire_at, &one.workspace).cmp(&(other.fire_at, &other.workspace)));
    let planned =
        |run: &crate::model::run::Run| Planned { fire_at: run.fire_at, workspace: run.workspace.clone(), run: run.id };
    expected.extend(facts::decide(&decided, &runs.iter().map(planned).collect::<Vec<_>>()));
    assert_eq!(expected.len(), 4);

    let begun = store.begin("daily", "gamma", at(30), LEASE).await.unwrap();
    expected.extend(facts::begin(std::slice::from_ref(&begun)));

    let first = bench.claim(40).await.unwrap();
    let messages = [message(&first, "a@example.com"), ping(10, "success")];
    store.record(&first, &kept(&first), &messages, at(41)).await.unwrap();
    expected.extend(facts::record(&kept(&first).record, &first.run, &messages));
    let Some(Fact::Recorded(recorded)) = expected.last() else { panic!("{expected:?}") };
    assert_eq!(recorded.messages, ["<a@example.com>"]);

    let second = bench.claim(42).await.unwrap();
    store.release(&second, Some("no connection"), at(43), at(43)).await.unwrap();
    let second = bench.claim(44).await.unwrap();
    store.prolong(&second, at(0), Duration::seconds(200)).await.unwrap();
    store.advance(&second, RunState::Read).await.unwrap();
    store.give_up(&second, "revoked", &[], at(45)).await.unwrap();
    expected.extend(facts::give_up(&second.run, "revoked"));

    store.retry(second.run.id, at(46)).await.unwrap();
    expected.extend(facts::retry(&second.run));
    store.retry(first.run.id, at(46)).await.unwrap();
    store.prune(at(50)).await.unwrap();
    assert_eq!(bench.facts().await, expected);
}

pub(crate) async fn a_delivery_is_on_record_when_it_has_ended_and_only_for_messages_of_runs<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let messages = [message(&claim, "a@example.com"), message(&claim, "b@example.com"), ping(0, "success")];
    bench.store.record(&claim, &kept(&claim), &messages, at(1)).await.unwrap();
    let before = bench.facts().await.len();
    let (mut a, b, ping) = (bench.take(2).await.unwrap(), bench.take(2).await.unwrap(), bench.take(2).await.unwrap());
    bench.store.sent(&a, &Sent::Again(at(3)), "451", &[], at(3)).await.unwrap();
    bench.store.sent(&ping, &Sent::Accepted, "accepted", &[], at(3)).await.unwrap();
    assert_eq!(bench.facts().await.len(), before);
    a = bench.take(4).await.unwrap();
    a.kept = true;
    bench.store.sent(&a, &Sent::Accepted, "250 ok", &[], at(4)).await.unwrap();
    bench.store.sent(&b, &Sent::GivenUp, "550 no", &[], at(5)).await.unwrap();
    let expected = [facts::sent(&a, &Sent::Accepted, "250 ok"), facts::sent(&b, &Sent::GivenUp, "550 no")].concat();
    assert_eq!(bench.facts().await[before..], expected);
    let outcomes = expected.iter().map(|fact| match fact {
        Fact::Delivery(delivery) => (delivery.recipient.as_str(), delivery.accepted, delivery.kept),
        other => panic!("{other:?}"),
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [("a@example.com", true, true), ("b@example.com", false, false)]);
}

pub(crate) async fn facts_that_say_nothing_new_are_not_appended<H: Home>() {
    let bench = Bench::<H>::new().await;
    let key = |name: &str| Fact::Key { fingerprint: Some(name.into()), signer: None };
    bench.store.append(&[key("a"), key("a")], at(0)).await.unwrap();
    bench.store.append(&[key("a"), key("b")], at(1)).await.unwrap();
    bench.home.open().await.append(&[key("b")], at(2)).await.unwrap();
    bench.store.append(&[], at(3)).await.unwrap();
    assert_eq!(bench.facts().await, [key("a"), key("b")]);
    assert_eq!(bench.store.last("key", "").await.unwrap().map(|entry| entry.fact), Some(key("b")));
}

pub(crate) async fn schedules_are_published_when_they_are_new_changed_or_gone<H: Home>() {
    let bench = Bench::<H>::new().await;
    let schedule = |job: &str, pattern: &str| {
        let workspaces = vec!["acme".to_owned()];
        (
            job.to_owned(),
            Terms {
                workspaces,
                pattern: pattern.into(),
                time_zone: "UTC".into(),
                missed: "all".into(),
                splay_minutes: None,
            },
        )
    };
    bench.store.publish_schedules(&[schedule("a", "1"), schedule("b", "1")], &[], at(0)).await.unwrap();
    bench.store.publish_schedules(&[schedule("a", "1"), schedule("b", "1")], &[], at(1)).await.unwrap();
    bench.store.publish_schedules(&[schedule("a", "2")], &[], at(2)).await.unwrap();
    bench.store.publish_schedules(&[schedule("a", "2")], &[], at(3)).await.unwrap();
    let published = bench.facts().await.into_iter().map(|fact| match fact {
        Fact::Schedule { job, terms } => (job, terms.map(|terms| terms.pattern)),
        other => panic!("{other:?}"),
    });
    let is = |job: &str, pattern: Option<&str>| (job.to_owned(), pattern.map(str::to_owned));
    assert_eq!(
        published.collect::<Vec<_>>(),
        [is("a", Some("1")), is("b", Some("1")), is("a", Some("2")), is("b", None)]
    );
}

pub(crate) async fn only_one_removal_begins_in_one_place<H: Home>() {
    let bench = Bench::<H>::new().await;
    let begun = |plan: u128, workspace: &str, user: &str| OffboardingBegun {
        plan: Uuid::from_u128(plan),
        workspace: workspace.into(),
        organization: Some(if workspace == "other" { "2" } else { "1" }.into()),
        leaver: Leaver { user: user.into(), email: None, role: None, profile: None },
        request: "DELETE".into(),
        confirmed: "yes".into(),
        by: None,
        decisions: Vec::new(),
    };
    let removes = async |begun: &OffboardingBegun| bench.store.begin_offboarding(begun, 0, at(0)).await;
    removes(&begun(1, "acme", "7")).await.unwrap();
    removes(&begun(1, "acme", "8")).await.unwrap();
    removes(&begun(2, "other", "7")).await.unwrap();
    for rival in [begun(3, "acme", "9"), begun(3, "same-organization", "9"), begun(1, "acme", "7")] {
        let error = removes(&rival).await.unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    }
    let head = bench.store.head().await.unwrap();
    bench.store.begin_offboarding(&begun(3, "acme", "9"), head.number, at(1)).await.unwrap();
    assert_eq!(bench.store.offboardings().await.unwrap().len(), 4);
}

pub(crate) async fn the_ledger_is_a_chain_that_every_process_extends<H: Home>() {
    let bench = Bench::<H>::new().await;
    let other = bench.home.open().await;
    let key = |number: i64| Fact::Key { fingerprint: Some(number.to_string()), signer: None };
    for number in 0..4 {
        let store = if number % 2 == 0 { &bench.store } else { &other };
        store.append(&[key(number)], at(number)).await.unwrap();
    }
    let lines = bench.store.entries(0, 100).await.unwrap();
    let mut head = crate::ledger::Head::default();
    for line in &lines {
        let entry: Entry = serde_json::from_str(&line.text).unwrap();
        assert_eq!((entry.number, &entry.previous), (head.number + 1, &head.sha256));
        head = line.head.clone();
    }
    assert_eq!((lines.len(), bench.store.head().await.unwrap()), (5, head));
    assert_eq!(bench.store.entry(3).await.unwrap().as_ref(), lines.get(2));
    assert_eq!(bench.store.entry(6).await.unwrap(), None);
}

pub(crate) async fn a_cut_of_the_ledgers_file_is_recorded_by_one_process<H: Home>() {
    let bench = Bench::<H>::new().await;
    let other = bench.home.open().await;
    assert_eq!(bench.store.file_end("/evidence").await.unwrap(), None);
    assert!(!bench.store.file_was_cut("/evidence", 0, 0, at(0)).await.unwrap(), "nothing was written there");
    bench.store.file_grew("/evidence", 9).await.unwrap();
    bench.store.file_grew("/evidence", 7).await.unwrap();
    bench.store.file_grew("s3://elsewhere", 2).await.unwrap();
    assert_eq!(other.file_end("/evidence").await.unwrap(), Some(9), "the slower of two processes takes nothing back");
    assert!(bench.store.file_was_cut("/evidence", 9, 3, at(1)).await.unwrap());
    assert!(!other.file_was_cut("/evidence", 9, 3, at(2)).await.unwrap());
    assert_eq!(other.file_end("/evidence").await.unwrap(), Some(3));
    assert_eq!(other.file_end("s3://elsewhere").await.unwrap(), Some(2));
    assert_eq!(bench.facts().await, [Fact::LedgerFileCut { had: 9, found: 3 }]);
}
