//! The period of an export, and which reviews belong to it.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
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
    /// Whole days in UTC; `None` if the last one is before the first.
    pub fn of_days(first: NaiveDate, last: NaiveDate) -> Option<Self> {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let after = last.checked_add_days(Days::new(1)).filter(|_| first <= last)?;
        Some(Self { from: midnight(first), to: midnight(after) })
    }

    /// The first and the last day.
    pub fn days(&self) -> (NaiveDate, NaiveDate) {
        (self.from.date_naive(), (self.to - Duration::nanoseconds(1)).date_naive())
    }

    /// Whether a moment belongs to it.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        (self.from..self.to).contains(&at)
    }

    /// Whether a review belongs to it.
    pub fn holds(&self, recorded: &Recorded) -> bool {
        self.contains(due(recorded))
    }
}

/// What an export states of its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The period.
    #[serde(flatten)]
    pub period: Period,
    /// Until when it is covered; `None` if an older rolecall made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<DateTime<Utc>>,
    /// The program that made it; `None` if an older rolecall did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// When a review was due; when its read began, if it has no fire time.
pub(super) fn due(recorded: &Recorded) -> DateTime<Utc> {
    recorded.fire_at.unwrap_or(recorded.read_from)
}
