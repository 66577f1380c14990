//! Coverage of a period: every time at which a review was scheduled, beside the review, the bag and the delivery that cover
//! it. Derived from the ledger and the names of the bags. The scheduled times are computed from the schedules in force: a
//! daemon that did not run left no trace, and that is what has to be found.

mod answer;
mod by_people;
mod page;
mod past;
mod proven;
mod table;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use self::past::Past;
pub use self::{
    by_people::{Course, ReviewRow, review_table},
    page::page,
    table::table,
};
use crate::ledger::{
    Entry, Head,
    fact::{BagName, NoMailReason},
};

/// A request for a coverage.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The first moment of the period.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
    /// One job, or all of them.
    pub job: Option<&'a str>,
    /// A review that was recorded, or delivered to the last recipient, later than this after its scheduled time is late;
    /// so is one after the next scheduled time.
    pub late_after: Duration,
    /// Reviews that are due later than this are left out.
    pub now: DateTime<Utc>,
    /// The existing bags: by folder, the SHA-256 of the sealed manifest; `None` if that was not checked.
    pub bags: Option<&'a BTreeMap<String, String>>,
    /// By folder, the address that a review was read from, where it is not a host of the vendor.
    pub foreign: &'a BTreeMap<String, String>,
}

/// No review was read from an address that is not the vendor's, or nobody looked.
pub static NONE_FOREIGN: BTreeMap<String, String> = BTreeMap::new();

/// The state of a scheduled time for one workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The review was made in time, is complete, has its evidence and was delivered.
    OnTime,
    /// A review that was not scheduled.
    ByHand,
    /// It is due now, or its report is being delivered.
    Pending,
    /// It was missed at its scheduled time, and caught up on demand before the next.
    MadeUp,
    /// It was made, but recorded or delivered late.
    Late,
    /// It was made, but a recipient did not get the report.
    Undelivered,
    /// It was made, but its evidence is missing.
    Unproven,
    /// It was made, but not everything could be read.
    Incomplete,
    /// It was not made.
    Missing,
}

impl State {
    /// All states, the best first.
    pub const ALL: [Self; 9] = [
        Self::OnTime,
        Self::ByHand,
        Self::Pending,
        Self::MadeUp,
        Self::Late,
        Self::Undelivered,
        Self::Unproven,
        Self::Incomplete,
        Self::Missing,
    ];

    /// The value in coverage.csv. Programs read it: it does not change.
    pub fn value(self) -> &'static str {
        match self {
            Self::OnTime => "on time",
            Self::ByHand => "by hand",
            Self::Pending => "pending",
            Self::MadeUp => "made up",
            Self::Late => "late",
            Self::Undelivered => "undelivered",
            Self::Unproven => "unproven",
            Self::Incomplete => "incomplete",
            Self::Missing => "missing",
        }
    }

    /// The words for readers.
    pub fn label(self) -> &'static str {
        match self {
            Self::ByHand => "on demand",
            Self::MadeUp => "caught up",
            Self::Undelivered => "not delivered",
            Self::Unproven => "no evidence",
            Self::OnTime | Self::Pending | Self::Late | Self::Incomplete | Self::Missing => self.value(),
        }
    }

    /// Whether it is a gap in the control.
    pub fn is_gap(self) -> bool {
        matches!(self, Self::Undelivered | Self::Unproven | Self::Incomplete | Self::Missing)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// One scheduled time of a job for one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The job; `None` for a review on demand without one.
    pub job: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// The scheduled time; for a review on demand, when it began.
    pub fire_at: DateTime<Utc>,
    /// The time zone of the schedule.
    pub zone: Tz,
    /// Its state.
    pub state: State,
    /// Why it is not on time, and other remarks.
    pub reason: String,
    /// The run; `None` if there was none.
    pub run: Option<Uuid>,
    /// The answers before each attempt of its run that failed, oldest first; an attempt without answers has none.
    pub failures: Vec<BagName>,
    /// The review; `None` if none was made.
    pub review: Option<Review>,
}

impl Row {
    /// Its evidence: the review's, or the answers before the run failed.
    pub fn bag(&self) -> Option<&BagName> {
        match &self.review {
            Some(review) => review.bag.as_ref(),
            None => self.failures.last(),
        }
    }
}

/// A review that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// When the read began.
    pub read_from: DateTime<Utc>,
    /// When it was recorded, as its entry says.
    pub recorded_at: DateTime<Utc>,
    /// The same, but not before the entries before it: a clock may have been set back.
    pub known_at: DateTime<Utc>,
    /// The number of its entry in the ledger.
    pub entry: u64,
    /// When a timestamp proves that it was recorded, or its bag sealed; `None` if only the machine's own clock says so.
    pub proven_at: Option<DateTime<Utc>>,
    /// Whether everything could be read.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
    /// Open findings.
    pub open_findings: u64,
    /// Its evidence.
    pub bag: Option<BagName>,
    /// The recipients for whom a server accepted the report.
    pub delivered: Vec<Delivered>,
    /// The recipients without the report, and why.
    pub undelivered: Vec<(String, String)>,
    /// Messages that are not sent yet, by their `Message-ID`.
    pub waiting: Vec<String>,
    /// Why no mail was sent; `None` if one was, or if an older rolecall did not record it.
    pub no_mail_reason: Option<NoMailReason>,
    /// Whether no mail was sent for an unknown reason: an older rolecall recorded a review on demand.
    pub mail_is_unknown: bool,
}

impl Review {
    /// When the last recipient got the report; `None` if nobody has it.
    pub fn delivered_at(&self) -> Option<DateTime<Utc>> {
        self.delivered.iter().map(|delivered| delivered.at).max()
    }

    /// The recipients who have the report.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.delivered.iter().map(|delivered| delivered.recipient.as_str())
    }
}

/// A report that a server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// For whom.
    pub recipient: String,
    /// When, but not before earlier entries of the ledger.
    pub at: DateTime<Utc>,
}

/// The coverage of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// By job, workspace and scheduled time.
    pub rows: Vec<Row>,
    /// Reviews by people, by name and time.
    pub reviews: Vec<ReviewRow>,
    /// Its limits: when the ledger begins, schedules that cannot be read.
    pub remarks: Vec<String>,
}

impl Coverage {
    /// Derives the coverage from the entries of a ledger.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, question: &Question<'_>) -> Self {
        answer::answer(&Past::of(entries, question.now), question)
    }

    /// How many rows have each state; states without rows are left out.
    pub fn counts(&self) -> Vec<(State, usize)> {
        let count = |state| self.rows.iter().filter(|row| row.state == state).count();
        State::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
    }

    /// The rows that are gaps.
    pub fn gaps(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.state.is_gap())
    }

    /// The reviews by people that are gaps.
    pub fn review_gaps(&self) -> impl Iterator<Item = &ReviewRow> {
        self.reviews.iter().filter(|row| row.state.is_gap())
    }

    /// How many reviews were due.
    pub fn due(&self) -> usize {
        self.rows.iter().filter(|row| row.state != State::ByHand).count()
    }
}

/// The table of the reviews by people.
pub const DECISIONS: &str = "coverage-reviews.csv";

/// The page and the table, by the names of their files; with reviews by people their table, too.
///
/// # Errors
/// [`CoverageError`]
pub fn files(
    coverage: &Coverage,
    question: &Question<'_>,
    head: &Head,
) -> Result<Vec<(&'static str, Vec<u8>)>, CoverageError> {
    let page = page(coverage, question, head)?;
    let mut content = Vec::new();
    table(coverage, question, &mut content)?;
    let mut files = vec![("coverage.html", page.into_bytes()), ("coverage.csv", content)];
    if !coverage.reviews.is_empty() {
        let mut content = Vec::new();
        review_table(&coverage.reviews, &mut content)?;
        files.push((DECISIONS, content));
    }
    Ok(files)
}

/// The coverage cannot be written, which is a defect of rolecall.
#[derive(Debug, thiserror::Error)]
pub enum CoverageError {
    /// The page.
    #[error("the coverage cannot be written: {0}")]
    Page(#[from] askama::Error),
    /// The table.
    #[error("the coverage cannot be written: {0}")]
    Table(#[from] std::io::Error),
}

/// A time in a sentence.
fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
