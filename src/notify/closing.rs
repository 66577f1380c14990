//! Closes delivered runs and queues the pings about them, in one write each: a ping survives a restart as the run does.

use chrono::{DateTime, Utc};

use super::heartbeat::{self, Beat};
use crate::{
    model::run::{MessageState, Run, RunState},
    store::{Database, StoreError},
};

/// Closes the delivered runs and returns those that this call has closed. Jobs for which `is_watched` is true are pinged.
///
/// # Errors
/// [`StoreError`]; runs that were not closed yet stay delivered.
pub async fn close_delivered(
    store: &dyn Database,
    is_watched: &(dyn Fn(&str) -> bool + Sync),
    now: DateTime<Utc>,
) -> Result<Vec<Run>, StoreError> {
    let mut closed = Vec::new();
    for run in store.delivered().await? {
        let beat = if is_watched(&run.job) { beat(store, &run).await? } else { None };
        let about = match beat {
            // All runs of a fire time together send one success.
            Some(Beat::Success) | None => String::new(),
            Some(Beat::Failure | Beat::Start) => format!("run {} closed {}", run.id, now.timestamp_millis()),
        };
        let ping = beat.map(|beat| heartbeat::notification(&run, beat, &about));
        if store.close(run.id, ping.as_slice(), now).await? {
            closed.push(run);
        }
    }
    Ok(closed)
}

/// The ping for a run that is delivered: success once all runs of its fire time are delivered, to everybody and complete.
async fn beat(store: &dyn Database, run: &Run) -> Result<Option<Beat>, StoreError> {
    let mut all_delivered = true;
    for sibling in store.siblings(&run.job, run.fire_at).await? {
        all_delivered &= matches!(sibling.state, RunState::Delivered | RunState::Closed);
        let messages = store.messages(sibling.id).await?;
        let rejected = messages.iter().any(|message| message.state == MessageState::Rejected);
        let incomplete = store.audit(sibling.id).await?.is_some_and(|audit| !audit.complete);
        if rejected || incomplete {
            return Ok(Some(Beat::Failure));
        }
    }
    Ok(all_delivered.then_some(Beat::Success))
}
