//! Reviews by people: kept with their ledger entries, read back as they were, one of a name at a time.

use super::*;
use crate::{
    model::{notification::Subject, run::Gap, trigger::Incident},
    review::{
        event::{Decision, Event, Sheet},
        messages::Said,
        state::{Review, State},
        testing::{attests, closes, decides, opened},
    },
    store::{
        facts,
        queue::{Cursor, Sent},
        reviews::{KeptSheet, PlannedReview, Reviews as _, SheetSignature},
    },
};

/// Applies an event and keeps it.
async fn happens<H: Home>(bench: &Bench<H>, review: &mut Review, event: Event, second: i64) {
    review.apply(&event, at(second)).unwrap();
    bench.store.change_review(review, &[event], at(second)).await.unwrap();
}

/// A review from its opening to its end.
async fn carried_through<H: Home>(bench: &Bench<H>, id: u128) -> Review {
    let mut review = opened(id);
    bench.store.open_review(&review).await.unwrap();
    for (second, (by, items)) in
        (10..).zip([("ana", &[1, 2][..]), ("ben", &[3]), ("ana", &[4]), ("ana", &[5]), ("ana", &[6])])
    {
        let event = decides(&review, by, items, Decision::Keep);
        happens(bench, &mut review, event, second).await;
    }
    let event = attests(&review, "ana", &["ana", "ben"]);
    happens(bench, &mut review, event, 20).await;
    happens(bench, &mut review, closes(true), 30).await;
    review
}

pub(crate) async fn a_review_is_read_back_as_it_was_and_every_event_is_in_the_ledger<H: Home>() {
    let bench = Bench::<H>::new().await;
    let review = carried_through(&bench, 7).await;
    let other = bench.home.open().await;
    assert_eq!(other.review(review.id()).await.unwrap().as_ref(), Some(&review));
    assert_eq!(other.review(Uuid::from_u128(8)).await.unwrap(), None);
    assert_eq!(other.reviews(9).await.unwrap(), [review.summary()]);
    assert_eq!(other.review_opening(review.id()).await.unwrap().as_ref(), Some(review.opening()));
    assert_eq!(other.review_opening(Uuid::from_u128(8)).await.unwrap(), None);
    let events = other.review_events(review.id()).await.unwrap();
    assert_eq!(events.len(), 8);
    let told: Vec<Event> = events.iter().map(|(_, event)| event.clone()).collect();
    assert_eq!(bench.facts().await, facts::review(review.id(), &told));
    // The ledger alone, with what was reviewed, gives the same review.
    let lines = bench.store.entries(1, 100).await.unwrap();
    let entries: Vec<Entry> = lines.iter().map(|line| serde_json::from_str(&line.text).unwrap()).collect();
    let of_ledger = entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Review(told) => Some((entry.at, &told.event)),
        _ => None,
    });
    assert_eq!(Review::replay(review.id(), review.population().clone(), of_ledger).unwrap(), review);
}

pub(crate) async fn a_review_that_changed_meanwhile_is_not_changed<H: Home>() {
    let bench = Bench::<H>::new().await;
    let mut first = opened(7);
    bench.store.open_review(&first).await.unwrap();
    let mut second = bench.home.open().await.review(first.id()).await.unwrap().unwrap();
    let event = decides(&first, "ana", &[1], Decision::Keep);
    happens(&bench, &mut first, event, 10).await;
    let event = decides(&second, "ana", &[2], Decision::Keep);
    second.apply(&event, at(11)).unwrap();
    is_lost(bench.store.change_review(&second, &[event], at(11)).await);
    assert_eq!(bench.store.review(first.id()).await.unwrap(), Some(first));
    assert_eq!(bench.facts().await.len(), 2);
}

pub(crate) async fn one_review_of_a_name_is_under_way<H: Home>() {
    let bench = Bench::<H>::new().await;
    let first = opened(7);
    bench.store.open_review(&first).await.unwrap();
    for id in [7, 8] {
        let error = bench.store.open_review(&opened(id)).await.unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    }
    assert_eq!(bench.store.last_closed_review("quarterly").await.unwrap(), None);
    let mut review = bench.store.review(first.id()).await.unwrap().unwrap();
    let cancelled = Event::Cancelled { by: crate::model::actor::Actor::Daemon, reason: "the wrong job".into() };
    happens(&bench, &mut review, cancelled, 10).await;
    let closed = carried_through(&bench, 8).await;
    assert_eq!(bench.store.last_closed_review("quarterly").await.unwrap(), Some(closed.id()));
    assert_eq!(bench.store.last_closed_review("yearly").await.unwrap(), None);
    let states: Vec<State> = bench.store.reviews(9).await.unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Closed, State::Cancelled]);
    assert_eq!(bench.store.unfinished_reviews().await.unwrap(), []);
    let open = opened(9);
    bench.store.open_review(&open).await.unwrap();
    assert_eq!(bench.store.unfinished_reviews().await.unwrap(), [open.summary()]);
}

/// A message about a review, as the outbox has it.
fn about(review: &Review, kind: &str, occasion: &str) -> Notification {
    Notification {
        subject: Subject::Review(review.id()),
        channel: "email".to_owned(),
        kind: kind.to_owned(),
        about: occasion.to_owned(),
        address: "ana@example.com".to_owned(),
        sender: Some("audit@example.com".to_owned()),
        message_id: Some(format!("<{kind} {occasion}>")),
        bytes: vec![1],
    }
}

pub(crate) async fn what_is_said_about_a_review_is_said_once_and_until_something_happens<H: Home>() {
    let bench = Bench::<H>::new().await;
    let mut review = opened(7);
    bench.store.open_review(&review).await.unwrap();
    let to_tell = async |second: i64| bench.store.reviews_to_tell(at(second)).await.unwrap();
    assert_eq!(to_tell(1).await, [review.id()]);
    let invitation = about(&review, "invitation", "");
    assert_eq!(bench.store.tell(&review, std::slice::from_ref(&invitation), Some(at(50)), at(1)).await.unwrap(), 1);
    assert_eq!((to_tell(49).await, to_tell(50).await), (vec![], vec![review.id()]));
    // Another process says the same, and something new.
    let other = bench.home.open().await;
    let both = [invitation.clone(), about(&review, "reminder", "2026-03-02")];
    assert_eq!(other.tell(&review, &both, None, at(51)).await.unwrap(), 1);
    assert!(to_tell(1_000).await.is_empty());

    let before = review.clone();
    let event = decides(&review, "ana", &[1], Decision::Keep);
    happens(&bench, &mut review, event, 60).await;
    assert_eq!(to_tell(60).await, [review.id()]);
    // Who looked before that has not seen it.
    assert_eq!(bench.store.tell(&before, &[], None, at(61)).await.unwrap(), 0);
    assert_eq!(to_tell(61).await, [review.id()]);
    assert_eq!(bench.store.tell(&review, &[], None, at(62)).await.unwrap(), 0);
    assert!(to_tell(1_000).await.is_empty());

    let mut expected = Said::default();
    expected.add("invitation".to_owned(), String::new(), "ana@example.com", at(1));
    expected.add("reminder".to_owned(), "2026-03-02".to_owned(), "ana@example.com", at(51));
    assert_eq!(bench.store.said(review.id()).await.unwrap(), expected);
    // What was sent is still on record, and its delivery is in the ledger.
    let outgoing = bench.take(100).await.unwrap();
    assert_eq!(outgoing.notification, invitation);
    bench.store.sent(&outgoing, &Sent::Accepted, "250 ok", &[], at(101)).await.unwrap();
    assert_eq!(bench.store.said(review.id()).await.unwrap(), expected);
    let Some(Fact::Delivery(delivery)) = bench.facts().await.pop() else { panic!("no delivery") };
    assert_eq!((delivery.run, delivery.review, &*delivery.kind), (None, Some(review.id()), "invitation"));
    bench.store.prune(at(1_000)).await.unwrap();
    assert_eq!(bench.store.said(review.id()).await.unwrap(), expected, "the review is under way");
    let by = crate::model::actor::Actor::Daemon;
    happens(&bench, &mut review, Event::Cancelled { by, reason: "a rehearsal".to_owned() }, 102).await;
    bench.store.prune(at(1_000)).await.unwrap();
    expected = Said::default();
    expected.add("reminder".to_owned(), "2026-03-02".to_owned(), "ana@example.com", at(51));
    assert_eq!(bench.store.said(review.id()).await.unwrap(), expected, "and what waits is not deleted");
}

pub(crate) async fn a_message_about_a_review_that_did_not_arrive_is_an_incident_until_somebody_knows<H: Home>() {
    let bench = Bench::<H>::new().await;
    let review = opened(7);
    bench.store.open_review(&review).await.unwrap();
    let invitation = Notification {
        address: "ben@example.com".to_owned(),
        message_id: Some("<ben>".to_owned()),
        ..about(&review, "invitation", "")
    };
    let messages = [about(&review, "opened", ""), invitation];
    bench.store.tell(&review, &messages, None, at(1)).await.unwrap();
    let details = |incidents: Vec<Incident>| {
        let mut details: Vec<String> = incidents.into_iter().map(|incident| incident.detail).collect();
        details.sort();
        details
    };
    let now = async |second: i64| details(bench.store.incidents(at(second)).await.unwrap());
    let before = async |job: &str| details(bench.store.incidents_before(job, "acme", at(1_002)).await.unwrap());
    assert!(now(900).await.is_empty(), "it may still be on its way");
    assert_eq!(
        now(901).await,
        ["invitation to ben", "opened to ana"].map(|what| format!("review quarterly, {what}@example.com"))
    );

    for outcome in [Sent::Accepted, Sent::GivenUp] {
        let outgoing = bench.take(1_000).await.unwrap();
        bench.store.sent(&outgoing, &outcome, "550 no", &[], at(1_001)).await.unwrap();
    }
    let refused = ["review quarterly, invitation to ben@example.com: 550 no"];
    assert_eq!(now(1_002).await, refused);
    assert_eq!(before("weekly").await, refused);
    assert!(before("daily").await.is_empty());
    let messages = bench.store.review_messages(review.id()).await.unwrap();
    let states: Vec<_> = messages.iter().map(|message| (&*message.kind, message.state.word())).collect();
    assert_eq!(states, [("opened", "accepted"), ("invitation", "rejected")]);

    let notice = about(&review, "undelivered", "invitation to ben@example.com");
    bench.store.tell(&review, &[notice], None, at(1_003)).await.unwrap();
    assert_eq!(now(1_004).await, refused);
    let outgoing = bench.take(1_005).await.unwrap();
    bench.store.sent(&outgoing, &Sent::Accepted, "250 ok", &[], at(1_006)).await.unwrap();
    assert!(now(1_007).await.is_empty(), "the owner knows");
}

pub(crate) async fn a_spreadsheet_is_kept_as_it_came_once_for_each_signer<H: Home>() {
    let bench = Bench::<H>::new().await;
    let review = carried_through(&bench, 7).await;
    let kept = |content: &str, signed_by: Option<&str>| KeptSheet {
        sheet: Sheet { sha256: "ab".repeat(32), signed_by: signed_by.map(str::to_owned) },
        content: content.as_bytes().to_vec(),
        signature: signed_by
            .map(|key| SheetSignature { pem: format!("signature of {key}"), signer: format!("ben {key}") }),
    };
    let (unsigned, signed) = (kept("a,b\n", None), kept("a,b\n", Some("SHA256:x")));
    for sheet in [&unsigned, &signed, &kept("another", None)] {
        bench.store.keep_sheet(review.id(), sheet).await.unwrap();
    }
    let other = bench.home.open().await;
    for sheet in [&unsigned, &signed] {
        assert_eq!(other.sheet(review.id(), &sheet.sheet).await.unwrap().as_ref(), Some(sheet));
    }
    assert_eq!(other.sheet(review.id(), &kept("", Some("SHA256:y")).sheet).await.unwrap(), None);
    assert_eq!(other.sheet(Uuid::from_u128(8), &unsigned.sheet).await.unwrap(), None);
    assert!(other.keep_sheet(Uuid::from_u128(8), &unsigned).await.is_err(), "there is no such review");
}

pub(crate) async fn a_scheduled_time_of_a_review_is_decided_once_and_due_until_there_is_one<H: Home>() {
    let bench = Bench::<H>::new().await;
    let store = &bench.store;
    let gap = |first: i64, last: i64| Gap {
        job: "quarterly".into(),
        first: at(first),
        last: at(last),
        count: 2,
        reason: "x".into(),
    };
    let to = |second: i64| Cursor { schedule: "* * * * * UTC".to_owned(), at: at(second) };
    let only = async || store.review_plans().await.unwrap().pop();
    let first = to(5);
    let new =
        PlannedReview { name: "quarterly", job: "weekly", from: None, to: &first, due: None, skipped: &[], now: at(5) };
    assert!(store.plan_review(&new).await.unwrap());
    assert!(!store.plan_review(&new).await.unwrap(), "somebody else was faster");
    let (plan, second, gaps) = (only().await, to(10), [gap(6, 7)]);
    let due = PlannedReview { from: plan.as_ref(), to: &second, due: Some(at(9)), skipped: &gaps, ..new };
    assert!(store.plan_review(&due).await.unwrap());
    for _ in 0..2 {
        store.review_not_opened("quarterly", at(9), "no audit", at(11)).await.unwrap();
        store.review_not_opened("quarterly", at(8), "another time", at(11)).await.unwrap();
    }
    let plan = only().await.unwrap();
    assert_eq!((plan.due, plan.reason.as_deref(), &plan.cursor), (Some(at(9)), Some("no audit"), &second));
    let late = at(9) + crate::model::trigger::LATE;
    let incidents = store.incidents(late).await.unwrap();
    assert_eq!(
        incidents.iter().map(|one| (one.kind.word(), &*one.job)).collect::<Vec<_>>(),
        [("review_not_opened", "weekly")]
    );
    assert_eq!(incidents[0].detail, "quarterly: no audit");

    let population = crate::review::testing::population();
    let mut opening = crate::review::testing::opening(&population);
    opening.fire_at = Some(at(9));
    let review = Review::opened(Uuid::from_u128(7), opening, population, at(20)).unwrap();
    store.open_review(&review).await.unwrap();
    let plan = only().await.unwrap();
    assert_eq!((plan.due, plan.reason.as_deref()), (None, None));
    // A clock that was set back decides the same time again.
    let third = to(21);
    let again = PlannedReview { from: Some(&plan), to: &third, due: Some(at(9)), skipped: &[], ..new };
    assert!(store.plan_review(&again).await.unwrap());
    assert_eq!(only().await.unwrap().due, None);
    let overdue = store.incidents(at(15 * 86_400)).await.unwrap();
    assert_eq!(overdue.iter().map(|one| one.kind.word()).collect::<Vec<_>>(), ["review_overdue"]);
    assert_eq!(overdue[0].detail, "quarterly, opened 2026-09-21: 6 of 6 accounts not decided");
    let before = store.incidents_before("weekly", "acme", at(15 * 86_400)).await.unwrap();
    assert_eq!(before, overdue);
    assert_eq!(store.incidents_before("daily", "acme", at(15 * 86_400)).await.unwrap(), []);
    let facts = bench.facts().await;
    assert_eq!(
        facts[..2],
        [facts::plan_review(&due), facts::review_not_opened("quarterly", at(9), "no audit")].concat()
    );
    assert_eq!(facts.len(), 3);
}
