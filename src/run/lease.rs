//! The lease of a run: the process that works on it prolongs it; once it expires, another process may claim the run.

use std::time::Duration;

use crate::{
    clock::{Clock, time_delta},
    model::run::Claim,
    store::{Database, StoreError},
};

/// Prolongs the lease again and again; ends when another process has the run.
pub async fn keep(store: &dyn Database, claim: &Claim, lease: Duration, clock: &Clock) -> StoreError {
    loop {
        tokio::time::sleep(lease / 3).await;
        match store.prolong(claim, clock.now() + time_delta(lease)).await {
            Ok(()) => {}
            Err(lost @ StoreError::Lost { .. }) => return lost,
            // The lease outlives a store that is away for a moment.
            Err(error) => tracing::warn!(run = %claim.run.id, %error, "the lease could not be prolonged"),
        }
    }
}
