//! The lease of a run: the process that works on it renews it; once it expires, another process may claim the run.

use std::time::Duration;

use crate::{
    clock::{Clock, time_delta},
    model::run::Claim,
    store::{Database, StoreError},
};

/// Renews the lease until another process has claimed the run.
pub async fn keep(store: &dyn Database, claim: &Claim, lease: Duration, clock: &Clock) -> StoreError {
    loop {
        tokio::time::sleep(lease / 3).await;
        match store.prolong(claim, clock.now(), time_delta(lease)).await {
            Ok(()) => {}
            Err(lost @ StoreError::Lost { .. }) => return lost,
            // The lease is longer than a short outage of the store.
            Err(error) => tracing::warn!(run = %claim.run.id, %error, "the lease could not be prolonged"),
        }
    }
}
