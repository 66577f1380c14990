//! The reviews that were read last. Reading one with many accounts takes long, and what is reviewed never changes: only what has
//! happened since has to be read again.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::review::{event::Event, state::Review};

/// How many accounts the reviews that are kept have together, but for the last one, which is always kept.
const MOST: usize = 200_000;

/// The reviews that were read last; copies share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<Vec<Arc<Review>>>>);

impl Known {
    /// A review as it was read last. `None` if that is not known, or if it has fewer events: then another store was put in the
    /// place of this one.
    pub(super) fn get(&self, id: Uuid, events: u64) -> Option<Arc<Review>> {
        self.with(|all| all.iter().find(|review| review.id() == id && review.events() <= events).cloned())
    }

    /// Keeps a review, and forgets those that were not read for longest. Returns it.
    pub(super) fn put(&self, review: Review) -> Review {
        let kept = Arc::new(review.clone());
        self.with(|all| {
            all.retain(|one| one.id() != kept.id());
            let mut items = kept.items().len();
            let fitting = all.iter().rev().take_while(|one| {
                items += one.items().len();
                items <= MOST
            });
            let fitting = fitting.count();
            all.drain(..all.len() - fitting);
            all.push(kept);
        });
        review
    }

    /// What is kept is whole even if a thread panicked: each change is one call.
    fn with<T>(&self, change: impl FnOnce(&mut Vec<Arc<Review>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A review with what has happened since it was read. `None` if that cannot have happened to it.
pub(super) fn followed(known: &Review, since: &[(DateTime<Utc>, Event)]) -> Option<Review> {
    let mut review = known.clone();
    since.iter().all(|(at, event)| review.apply(event, *at).is_ok()).then_some(review)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::testing::{item, opened, opened_with, population_of};

    #[test]
    fn the_reviews_that_were_not_read_for_longest_are_forgotten() {
        let known = Known::default();
        let large = |id: u128| {
            let items = (1..=80_000).map(|number| item(number, &format!("user-{number}"), "ana"));
            opened_with(id, population_of(items.collect()))
        };
        for review in [opened(1), large(2), large(3), opened(4)] {
            known.put(review);
        }
        let is_known = |id: u128| known.get(Uuid::from_u128(id), 1).is_some();
        assert_eq!([1, 2, 3, 4].map(is_known), [true; 4]);
        known.put(known.get(Uuid::from_u128(2), 1).unwrap().as_ref().clone());
        known.put(large(5));
        assert_eq!([1, 2, 3, 4, 5].map(is_known), [false, true, false, true, true]);
        assert!(known.get(Uuid::from_u128(5), 0).is_none(), "the store has fewer events");
    }
}
