//! Whether this machine's clock is behind the ledger: then it was set back, and an audit made now would seem to have
//! been made earlier.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::{
    ledger::{Entry, timeline::TOLERANCE},
    model::trigger::{Incident, IncidentKind},
    store::{Database, StoreError},
};

/// How many of the last entries are compared with the clock: the very last one may have been written by the same clock.
const ENTRIES: u32 = 200;

/// A clock that is behind the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockBehind {
    /// What the clock says.
    pub now: DateTime<Utc>,
    /// The latest time among the last entries of the ledger.
    pub ledger: DateTime<Utc>,
}

/// Compares the clock with the last entries of the ledger. `None` if the clock is right.
///
/// # Errors
/// [`StoreError`]
pub async fn check(store: &dyn Database, now: DateTime<Utc>) -> Result<Option<ClockBehind>, StoreError> {
    let head = store.head().await?;
    let lines = store.entries(head.number.saturating_sub(ENTRIES.into()), ENTRIES).await?;
    // A line that is not an entry is found by `evidence verify`.
    let times = lines.iter().filter_map(|line| serde_json::from_str::<Entry>(&line.text).ok()).map(|entry| entry.at);
    let latest = times.max().filter(|latest| now < *latest - TOLERANCE);
    Ok(latest.map(|ledger| ClockBehind { now, ledger }))
}

impl fmt::Display for ClockBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the clock says {}, but the ledger has an entry of {}: it was set back, or was ahead then. The ledger keeps both \
             times, and this audit does not count as made before that entry",
            minute(self.now),
            minute(self.ledger)
        )
    }
}

impl ClockBehind {
    /// The same as an incident, for the report.
    pub fn incident(&self, job: &str) -> Incident {
        Incident {
            kind: IncidentKind::ClockSetBack,
            job: job.to_owned(),
            workspace: None,
            run: None,
            at: self.now,
            detail: format!("the ledger already has an entry of {}", minute(self.ledger)),
        }
    }
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
