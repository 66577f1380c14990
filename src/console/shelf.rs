//! What pages are made of, kept in memory as long as it is the latest: indexed audits and reviews, within a bound.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{history::History, index::Indexed};
use crate::{
    access::drift::Said,
    review::state::{Review, State},
    store::{AuditRecord, Database, StoreError, snapshot},
};

/// The most users of all audits in memory. A single audit may have more.
pub(super) const USERS: usize = 600_000;
/// The most audits in memory.
pub(super) const AUDITS: usize = 24;
/// Audits whose differences are the history of users.
const COMPARED: u32 = 13;
/// The most histories in memory.
const HISTORIES: usize = 24;
/// The most finished reviews in memory.
const REVIEWS: usize = 8;

/// The most audits of which it is remembered what they said.
const SAID: usize = 100;

/// An audit that is, or will be, in memory; `None` if its snapshot was deleted.
type Slot = Arc<OnceCell<Option<Arc<Indexed>>>>;

/// Reads the store, and remembers.
pub struct Shelf {
    store: Arc<dyn Database>,
    /// The one that was used last is the last one.
    audits: Mutex<VecDeque<(Uuid, Slot)>>,
    reviews: Mutex<VecDeque<Arc<Review>>>,
    said: Mutex<VecDeque<(Uuid, Option<Said>)>>,
    /// Held while one is read: only one is read at a time.
    histories: tokio::sync::Mutex<VecDeque<Told>>,
}

/// A history, and the last audit in it.
struct Told {
    job: Option<String>,
    workspace: String,
    last: Uuid,
    history: Arc<History>,
}

impl Shelf {
    /// An empty shelf.
    pub fn new(store: Arc<dyn Database>) -> Self {
        Self {
            store,
            audits: Mutex::default(),
            reviews: Mutex::default(),
            said: Mutex::default(),
            histories: tokio::sync::Mutex::default(),
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Database> {
        &self.store
    }

    /// The last complete audit of a workspace by one of these jobs, or on demand without a job.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn latest_of(&self, jobs: &[&str], workspace: &str) -> Result<Option<AuditRecord>, StoreError> {
        let mut latest: Option<AuditRecord> = None;
        for job in jobs.iter().copied().map(Some).chain([None]) {
            let found = self.store.completed(job, workspace, 1).await?.into_iter().next();
            if let Some(found) = found
                && latest.as_ref().is_none_or(|latest| latest.finished_at < found.finished_at)
            {
                latest = Some(found);
            }
        }
        Ok(latest)
    }

    /// An audit. `None` if there is none, or its snapshot was deleted.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit(&self, id: Uuid) -> Result<Option<Arc<Indexed>>, StoreError> {
        let slot = self.slot(id);
        let indexed = slot.get_or_try_init(|| self.index(id)).await?.clone();
        self.make_room();
        Ok(indexed)
    }

    /// What the report of an audit said first. `None` if that was not kept, or cannot be read back.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn said(&self, id: Uuid) -> Result<Option<Said>, StoreError> {
        let known = {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.iter().find(|(known, _)| *known == id).map(|(_, said)| said.clone())
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let said = match self.store.kept(id).await? {
            None => None,
            Some(kept) => {
                let header = tokio::task::spawn_blocking(move || snapshot::header(&kept));
                let header = header.await.map_err(|error| StoreError::Snapshot { reason: error.to_string() })?;
                // The page of the workspace says what is wrong with the snapshot.
                header.ok().and_then(|header| header.said)
            }
        };
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back((id, said.clone()));
        if all.len() > SAID {
            all.pop_front();
        }
        Ok(said)
    }

    /// Whether an audit is in memory.
    pub(super) fn has(&self, id: Uuid) -> bool {
        let audits = self.audits.lock().unwrap_or_else(PoisonError::into_inner);
        audits.iter().any(|(known, slot)| *known == id && slot.initialized())
    }

    /// The place of an audit, which others wait for while one reads it.
    fn slot(&self, id: Uuid) -> Slot {
        let mut audits = self.audits.lock().unwrap_or_else(PoisonError::into_inner);
        let found = audits.iter().position(|(known, _)| *known == id).and_then(|place| audits.remove(place));
        let entry = found.unwrap_or_else(|| (id, Slot::default()));
        audits.push_back(entry.clone());
        entry.1
    }

    async fn index(&self, id: Uuid) -> Result<Option<Arc<Indexed>>, StoreError> {
        let Some(kept) = self.store.kept(id).await? else { return Ok(None) };
        let indexed = tokio::task::spawn_blocking(move || {
            let header = snapshot::header(&kept)?;
            Indexed::of(kept.record.clone(), header, snapshot::users(&kept))
        });
        let indexed = indexed.await.map_err(|error| StoreError::Snapshot { reason: error.to_string() })??;
        Ok(Some(Arc::new(indexed)))
    }

    /// How the users of a workspace changed over the audits of a job up to this one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn history(&self, audit: &Arc<Indexed>) -> Result<Arc<History>, StoreError> {
        let AuditRecord { job, workspace, id, .. } = &audit.record;
        let mut histories = self.histories.lock().await;
        let place = histories.iter().position(|told| told.job == *job && told.workspace == *workspace);
        if let Some(told) = place.and_then(|place| histories.get(place)).filter(|told| told.last == *id) {
            return Ok(Arc::clone(&told.history));
        }
        let mut records = self.store.completed(job.as_deref(), workspace, COMPARED).await?;
        records.reverse();
        let told = place.and_then(|place| histories.remove(place));
        // What is known already is continued, if the audit that it ends with is one of these.
        let known = told.and_then(|told| records.iter().position(|record| record.id == told.last).map(|at| (at, told)));
        let (from, mut history) =
            known.map_or_else(|| (0, History::default()), |(at, told)| (at, Arc::unwrap_or_clone(told.history)));
        let mut before: Option<Arc<Indexed>> = None;
        for record in records.into_iter().skip(from) {
            let now = if record.id == *id { Some(Arc::clone(audit)) } else { self.index(record.id).await? };
            let Some(now) = now else { continue };
            if let Some(before) = before {
                let (told, after) = (history, Arc::clone(&now));
                let added = tokio::task::spawn_blocking(move || {
                    let mut told = told;
                    told.add(&before, &after);
                    told
                });
                history = added.await.map_err(|error| StoreError::Snapshot { reason: error.to_string() })?;
            }
            before = Some(now);
        }
        let history = Arc::new(history);
        let told = Told { job: job.clone(), workspace: workspace.clone(), last: *id, history: Arc::clone(&history) };
        histories.push_back(told);
        if histories.len() > HISTORIES {
            histories.pop_front();
        }
        Ok(history)
    }

    fn make_room(&self) {
        let mut audits = self.audits.lock().unwrap_or_else(PoisonError::into_inner);
        let users = |(_, slot): &(Uuid, Slot)| slot.get().and_then(Option::as_ref).map_or(0, |indexed| indexed.len());
        let mut all: usize = audits.iter().map(users).sum();
        while audits.len() > 1 && (all > USERS || audits.len() > AUDITS) {
            all -= audits.pop_front().as_ref().map_or(0, users);
        }
    }

    /// A review in which nothing happens any more. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finished(&self, id: Uuid) -> Result<Option<Arc<Review>>, StoreError> {
        let known = {
            let reviews = self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
            reviews.iter().find(|review| review.id() == id).cloned()
        };
        if known.is_some() {
            return Ok(known);
        }
        let Some(review) = self.store.review(id).await?.map(Arc::new) else { return Ok(None) };
        let summary = review.summary();
        if matches!(summary.state, State::Closed | State::Cancelled) && summary.unproven == 0 {
            let mut reviews = self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
            reviews.push_back(Arc::clone(&review));
            if reviews.len() > REVIEWS {
                reviews.pop_front();
            }
        }
        Ok(Some(review))
    }
}
