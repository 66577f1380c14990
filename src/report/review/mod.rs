//! A review by people as files: `review.json` for programs, and tables for auditors.

mod csv;
mod json;

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};

pub use self::json::{SCHEMA_VERSION, schema};
use crate::review::state::Review;

/// Writes a file of a review as of a moment.
type Writes = fn(&Review, DateTime<Utc>, &mut dyn Write) -> io::Result<()>;

/// The files, by their names, which are promises.
pub const FILES: [(&str, Writes); 4] = [
    ("review.json", json::write),
    ("decisions.csv", csv::decisions),
    ("attestations.csv", csv::attestations),
    ("remediation.csv", csv::remediation),
];

/// Writes what is left to do as CSV.
///
/// # Errors
/// If it cannot be written.
pub fn work(review: &Review, now: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    csv::work(review, now, out)
}

/// A time in UTC, to the millisecond.
fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Days between two moments, to a tenth.
fn days(time: chrono::Duration) -> String {
    let tenths = time.num_minutes() * 10 / (24 * 60);
    format!("{}.{}", tenths / 10, tenths % 10)
}
