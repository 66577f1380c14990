//! The coverage as CSV, from which an auditor samples.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Coverage, Question, Review, Row};
use crate::report::{
    csv::{builder, quoted},
    guarded,
};

const COLUMNS: [&str; 21] = [
    "job",
    "workspace",
    "fire_at",
    "fire_at_local",
    "time_zone",
    "state",
    "gap",
    "reason",
    "run",
    "read_from",
    "recorded_at",
    "complete",
    "users",
    "open_findings",
    "bag",
    "bag_sha256",
    "delivered_to",
    "delivered_at",
    "period",
    "failed_attempts",
    "time_proven_at",
];

/// Writes the table: RFC 4180, UTF-8, one row for each scheduled time and workspace. Times are in UTC except
/// `fire_at_local`; `period` is the requested period as an interval of ISO 8601, `failed_attempts` the bags of attempts that failed,
/// `time_proven_at` the earliest time by which a timestamp of a third party proves that the review existed.
///
/// # Errors
/// If it cannot be written.
pub fn table(coverage: &Coverage, question: &Question<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = builder().from_writer(out);
    writer.write_record(COLUMNS)?;
    let period = format!("{}/{}", stamp(question.from), stamp(question.to));
    for row in &coverage.rows {
        let cells = cells(row, &period);
        writer.write_record(cells.iter().map(|cell| quoted(&guarded(cell)).into_owned()))?;
    }
    writer.flush()
}

fn cells(row: &Row, period: &str) -> [String; 21] {
    let review = row.review.as_ref();
    let bag = row.bag();
    let local = row.fire_at.with_timezone(&row.zone);
    [
        row.job.clone().unwrap_or_default(),
        row.workspace.clone(),
        stamp(row.fire_at),
        local.to_rfc3339_opts(SecondsFormat::Secs, false),
        row.zone.to_string(),
        row.state.value().to_owned(),
        row.state.is_gap().to_string(),
        row.reason.clone(),
        row.run.map(|run| run.to_string()).unwrap_or_default(),
        review.map(|review| stamp(review.read_from)).unwrap_or_default(),
        review.map(|review| stamp(review.recorded_at)).unwrap_or_default(),
        review.map(|review| review.complete.to_string()).unwrap_or_default(),
        review.map(|review| review.users.to_string()).unwrap_or_default(),
        review.map(|review| review.open_findings.to_string()).unwrap_or_default(),
        bag.map(|bag| bag.folder.clone()).unwrap_or_default(),
        bag.map(|bag| bag.sha256.clone()).unwrap_or_default(),
        review.map(|review| review.recipients().collect::<Vec<_>>().join(";")).unwrap_or_default(),
        review.and_then(Review::delivered_at).map(stamp).unwrap_or_default(),
        period.to_owned(),
        row.failures.iter().map(|bag| bag.folder.as_str()).collect::<Vec<_>>().join(";"),
        review.and_then(|review| review.proven_at).map(stamp).unwrap_or_default(),
    ]
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
