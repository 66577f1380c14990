//! Reviews by people: kept with their ledger entries, read back as they were, one of a name at a time.

use super::*;
use crate::{
    model::notification::Subject,
    review::{
        event::{Decision, Event},
        messages::Said,
        state::{Review, State},
        testing::{attests, closes, decides, opened},
    },
    store::{facts, queue::Sent, reviews::Reviews as _},
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
