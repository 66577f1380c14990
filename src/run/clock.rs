//! Whether this machine's clock stands before what the ledger has already: then somebody set it back, and what is done
//! now would seem to have been done earlier.

use chrono::{DateTime, Utc};

use crate::{
    ledger::{Entry, clock::TOLERANCE},
    model::trigger::{Incident, IncidentKind},
    store::{Database, StoreError},
};

/// When the last entry of the ledger was written, where that lies ahead of the clock; none where the clock is right.
///
/// # Errors
/// [`StoreError`]
pub async fn ahead(store: &dyn Database, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let head = store.head().await?;
    let last = store.entry(head.number).await?;
    // A line that is no entry is found by whoever verifies.
    let last = last.and_then(|line| serde_json::from_str::<Entry>(&line.text).ok());
    Ok(last.map(|entry| entry.at).filter(|at| now < *at - TOLERANCE))
}

/// What there is to say of it to whoever starts a review.
pub fn warning(ahead: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!(
        "the clock says {}, and the ledger has an entry of {}: it was set back, or was ahead then. The ledger keeps both, and \
         this review does not count as made before that entry",
        minute(now),
        minute(ahead)
    )
}

/// The same as a lapse, for the report.
pub fn incident(job: &str, ahead: DateTime<Utc>, now: DateTime<Utc>) -> Incident {
    Incident {
        kind: IncidentKind::ClockSetBack,
        job: job.to_owned(),
        workspace: None,
        run: None,
        at: now,
        detail: format!("the ledger has an entry of {} already", minute(ahead)),
    }
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
