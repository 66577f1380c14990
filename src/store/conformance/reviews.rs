//! Reviews by people: kept with their ledger entries, read back as they were, one of a name at a time.

use super::*;
use crate::{
    review::{
        event::{Decision, Event},
        state::{Review, State},
        testing::{attests, closes, decides, opened},
    },
    store::{facts, reviews::Reviews as _},
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
