//! A run belongs to whoever works on it for as long as something is heard of them.

use std::time::Duration;

use crate::{
    clock::Clock,
    model::run::Claim,
    store::{Database, StoreError},
};

/// A length of time as the store counts it.
pub fn length(time: Duration) -> chrono::Duration {
    chrono::Duration::from_std(time).unwrap_or(chrono::Duration::MAX)
}

/// Prolongs the lease again and again; ends when somebody else has the run.
pub async fn keep(store: &dyn Database, claim: &Claim, lease: Duration, clock: &Clock) -> StoreError {
    loop {
        tokio::time::sleep(lease / 3).await;
        match store.prolong(claim, clock.now() + length(lease)).await {
            Ok(()) => {}
            Err(lost @ StoreError::Lost { .. }) => return lost,
            // The lease outlives a store that is away for a moment.
            Err(error) => tracing::warn!(run = %claim.run.id, %error, "the lease could not be prolonged"),
        }
    }
}
