//! How administrators and open findings developed over the past audits.

use chrono::{DateTime, Utc};

use super::Counts;
use crate::{
    model::audit::Audit,
    words::{count, number},
};

/// The numbers of the latest complete audits and of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trend {
    /// The oldest first; at least two.
    pub points: Vec<TrendPoint>,
}

/// The numbers of one audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendPoint {
    /// When its read ended.
    pub at: DateTime<Utc>,
    /// How many could administer.
    pub administrators: u64,
    /// How many findings were open.
    pub findings: u64,
}

impl Trend {
    /// `None` if there is no past audit.
    pub(super) fn of(audit: &Audit, counts: &Counts) -> Option<Self> {
        let past = audit.past.iter().map(|past| TrendPoint {
            at: past.finished_at,
            administrators: past.administrators,
            findings: past.open_findings,
        });
        let now = TrendPoint {
            at: audit.directory.reading.finished_at,
            administrators: counts.administrators as u64,
            findings: counts.open_total as u64,
        };
        (!audit.past.is_empty()).then(|| Self { points: past.chain([now]).collect() })
    }

    /// `12 audits since 2 March 2026`.
    pub fn period(&self) -> String {
        let first = self.points.first().map_or(DateTime::UNIX_EPOCH, |point| point.at);
        format!("{} since {}", count(self.points.len(), "audit"), first.format("%-d %B %Y"))
    }

    /// Who could administer: `5 → 6; lowest 4, highest 6`, or `unchanged at 6`.
    pub fn administrators(&self) -> String {
        self.said(|point| point.administrators)
    }

    /// The open findings, likewise.
    pub fn findings(&self) -> String {
        self.said(|point| point.findings)
    }

    fn said(&self, value: impl Fn(&TrendPoint) -> u64) -> String {
        let values = || self.points.iter().map(&value);
        let [first, last, lowest, highest] = [values().next(), values().next_back(), values().min(), values().max()]
            .map(|value| number(value.unwrap_or(0)));
        if lowest == highest {
            return format!("unchanged at {last}");
        }
        format!("{first} → {last}; lowest {lowest}, highest {highest}")
    }
}
