//! The reviews that are not finished, read once and kept until something happens to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::viewer::{Seat, people};
use crate::{
    review::{
        person::Address,
        state::{Review, Summary},
    },
    store::{Database, StoreError},
};

/// A review as of its latest event.
#[derive(Debug, Clone)]
struct Known {
    events: u64,
    review: Arc<Review>,
    people: Arc<BTreeMap<Address, Seat>>,
    /// When it was noticed that nothing happens in it any more.
    finished: Option<Instant>,
}

/// How long the people of a review may read it after its end.
const READ_ON: Duration = Duration::from_hours(1);

/// The reviews that are not finished.
#[derive(Debug, Default)]
pub struct Reviews(Mutex<BTreeMap<Uuid, Known>>);

impl Reviews {
    /// The reviews that a person is part of. Who closes a review or decided in it may read it for a while after its end.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn seats(&self, store: &dyn Database, address: &Address) -> Result<BTreeMap<Uuid, Seat>, StoreError> {
        let summaries = store.unfinished_reviews().await?;
        let mut seats = BTreeMap::new();
        for summary in &summaries {
            let known = self.known(store, summary).await?;
            if let Some(seat) = known.and_then(|known| known.people.get(address).copied()) {
                seats.insert(summary.id, seat);
            }
        }
        self.with(|kept| {
            let is_finished = |id: &Uuid| !summaries.iter().any(|summary| summary.id == *id);
            kept.retain(|id, known| {
                !is_finished(id) || known.finished.get_or_insert_with(Instant::now).elapsed() < READ_ON
            });
            let ended = kept.iter().filter(|(id, known)| is_finished(id) && known.people.contains_key(address));
            seats.extend(ended.map(|(id, _)| (*id, Seat::default())));
        });
        Ok(seats)
    }

    /// A review that is not finished, as its summary says it is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn get(&self, store: &dyn Database, summary: &Summary) -> Result<Option<Arc<Review>>, StoreError> {
        Ok(self.known(store, summary).await?.map(|known| known.review))
    }

    /// Keeps a review that was just changed, so that it need not be read again.
    pub fn put(&self, review: Arc<Review>) {
        let (id, known) = (review.id(), Known::of(review));
        self.with(|kept| {
            if kept.get(&id).is_none_or(|before| before.events < known.events) {
                kept.insert(id, known);
            }
        });
    }

    async fn known(&self, store: &dyn Database, summary: &Summary) -> Result<Option<Known>, StoreError> {
        let kept = self.with(|kept| kept.get(&summary.id).filter(|known| known.events >= summary.events).cloned());
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(review) = store.review(summary.id).await? else { return Ok(None) };
        let known = Known::of(Arc::new(review));
        self.with(|kept| kept.insert(summary.id, known.clone()));
        Ok(Some(known))
    }

    /// What is kept is whole even if a thread panicked: each change is one call.
    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Uuid, Known>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn of(review: Arc<Review>) -> Self {
        let people = Arc::new(people(&review));
        Self { events: review.summary().events, review, people, finished: None }
    }
}
