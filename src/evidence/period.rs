//! The period of an export, and which reviews belong to it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::fact::Recorded;

/// The file in which an export states its period: only the bags of that period are in it.
pub const PERIOD: &str = "period.json";

/// A period: bags of reviews that were due from `from` up to `to` are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first moment.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
}

impl Period {
    /// Whether a review belongs to it.
    pub fn holds(&self, recorded: &Recorded) -> bool {
        (self.from..self.to).contains(&due(recorded))
    }
}

/// When a review was due; when its read began, if it has no fire time.
pub(super) fn due(recorded: &Recorded) -> DateTime<Utc> {
    recorded.fire_at.unwrap_or(recorded.read_from)
}
