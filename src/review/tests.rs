//! What people may decide, what is refused and why, and that nothing else can happen.

mod decisions;
mod opening;
mod properties;
mod sheets;

use super::{
    event::*,
    item::*,
    person::*,
    refusal::*,
    state::*,
    testing::{address, at, attests, bag, closes, decides, item, named, opened, opened_with, population_of},
};
use crate::model::actor::Actor;

/// Applies an event that is refused, and says why, one line for each item.
fn refused(review: &mut Review, event: &Event, seconds: i64) -> Vec<Refusal> {
    let before = review.clone();
    let error = review.apply(event, at(seconds)).unwrap_err();
    assert_eq!(*review, before, "a refused event changed something");
    error.0
}

/// Why an event is refused that is about one thing.
fn why(review: &mut Review, event: &Event) -> Why {
    let [Refusal { why, .. }] = refused(review, event, 100).try_into().unwrap();
    why
}

/// Applies events that are allowed.
fn happens(review: &mut Review, events: &[Event]) {
    for event in events {
        review.apply(event, at(50)).unwrap();
    }
}

fn without_reason(event: Event) -> Event {
    let Event::Decided(decided) = event else { unreachable!("{event:?}") };
    Event::Decided(Decided { reason: Some(" ".to_owned()), ..decided })
}
