//! Seals closed reviews whose process died before it could.

use chrono::{DateTime, TimeDelta, Utc};

use super::Daemon;
use crate::{
    ledger::Fact,
    review::state::{Stage, State},
    run::{bag::EvidenceError, ledger::WriteError, reviews::bag::seal},
    store::StoreError,
};

/// How long the process that closed a review has for its bag before another one seals it.
const GRACE: TimeDelta = TimeDelta::seconds(15);
/// How often the reviews are looked through.
const EVERY: TimeDelta = TimeDelta::seconds(5);
/// How long a review that could not be sealed is left alone.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

impl Daemon {
    /// Seals what was closed and has no bag. A review that was seen with its bag is not asked about again.
    pub(super) async fn seal_reviews(&self) -> Result<(), StoreError> {
        let now = self.now();
        let setup = self.setup();
        let Some(vault) = &setup.vault else { return Ok(()) };
        let (known, before) = {
            let mut state = self.state();
            // A clock that was put back does not stop it.
            if state.seals_again.is_some_and(|again| (again - AGAIN_AFTER..again).contains(&now)) {
                return Ok(());
            }
            state.seals_again = Some(now + EVERY);
            (state.sealed_reviews.clone(), state.failed_seal.take())
        };
        let closed = self.store.reviews(u32::MAX).await?.into_iter().filter(|summary| summary.state == State::Closed);
        for id in closed.map(|summary| summary.id).filter(|id| !known.contains(id)) {
            if self.store.last(Fact::REVIEW_SEALED, &id.to_string()).await?.is_some() {
                self.state().sealed_reviews.insert(id);
                continue;
            }
            let Some(review) = self.store.review(id).await? else { continue };
            if !matches!(review.stage(), Stage::Closed { at, .. } if is_left(*at, now)) {
                continue;
            }
            match seal(&*self.store, vault, &review, now).await {
                Ok(Some(bag)) => {
                    self.state().sealed_reviews.insert(id);
                    tracing::info!(review = %id, bag = bag.folder, "sealed a closed review that had no bag");
                }
                Ok(None) => {}
                Err(EvidenceError::Ledger(WriteError::Store(error))) => return Err(error),
                Err(error) => {
                    let error = error.to_string();
                    if before.as_ref() != Some(&error) {
                        tracing::error!(review = %id, error, "a closed review could not be sealed; it will be tried again");
                    }
                    let mut state = self.state();
                    (state.failed_seal, state.seals_again) = (Some(error), Some(now + AGAIN_AFTER));
                }
            }
        }
        Ok(())
    }
}

/// Whether the process that closed a review then had its time. A close in the future was of a clock that was ahead.
fn is_left(closed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (now - closed_at).abs() >= GRACE
}
