//! For a period: every fire time that was due by the schedules in force then, beside the review, the bag and the delivery
//! that answer it. Worked out from the ledger and the names of the bags that are there, and by the schedules anew: a daemon
//! that never looked left no trace, and that is what is found.

mod answer;
mod page;
mod past;
mod table;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use self::past::Past;
pub use self::{page::page, table::table};
use crate::ledger::{
    Entry,
    fact::{BagName, NoMailReason},
};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The first moment of the period.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
    /// One job, or all of them.
    pub job: Option<&'a str>,
    /// A review that was recorded, or delivered to the last recipient, later than this after its fire time is late; so
    /// is one that came after the next.
    pub late_after: Duration,
    /// What was not due before it is not asked for.
    pub now: DateTime<Utc>,
    /// The bags that are there: by their folders, the SHA-256 of their sealed manifests; none where nobody looked.
    pub bags: Option<&'a BTreeMap<String, String>>,
}

/// What became of a fire time for one workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The review was made in time, completely, is proven and was delivered.
    OnTime,
    /// Nobody was asked to, and it was made.
    ByHand,
    /// It was due just now, or its report is still on its way.
    Pending,
    /// It was not made when it was due, and somebody made it by hand in time.
    MadeUp,
    /// It was made, and recorded or delivered late.
    Late,
    /// It was made, and somebody who should have it has no report of it.
    Undelivered,
    /// It was made, and there is no evidence of it.
    Unproven,
    /// It was made, and not everything could be read.
    Incomplete,
    /// It was not made.
    Missing,
}

impl State {
    /// All, the better ones first.
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

    /// The word for it.
    pub fn word(self) -> &'static str {
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

    /// Whether an auditor finds the control wanting here.
    pub fn is_gap(self) -> bool {
        matches!(self, Self::Undelivered | Self::Unproven | Self::Incomplete | Self::Missing)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One fire time of a job for one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The job; none for a review that was asked for by hand without one.
    pub job: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// The fire time; when it was begun where nobody had planned it.
    pub fire_at: DateTime<Utc>,
    /// The time zone of the schedule.
    pub zone: Tz,
    /// What became of it.
    pub state: State,
    /// Why it is not on time, and what else there is to say of it.
    pub reason: String,
    /// The run; none where there was none.
    pub run: Option<Uuid>,
    /// What was answered before its run failed; none where it did not, or nothing was.
    pub bag_of_failure: Option<BagName>,
    /// The review; none where none was made.
    pub review: Option<Review>,
}

impl Row {
    /// Its evidence: the review's, or where there is none what was answered before the run failed.
    pub fn bag(&self) -> Option<&BagName> {
        match &self.review {
            Some(review) => review.bag.as_ref(),
            None => self.bag_of_failure.as_ref(),
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
    /// The same as far as the ledger bears it out: not before the entries before it, which a clock that was set back
    /// would say.
    pub known_at: DateTime<Utc>,
    /// The number of its entry in the ledger.
    pub entry: u64,
    /// Whether everything could be read.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
    /// Findings that count.
    pub open_findings: u64,
    /// Its evidence.
    pub bag: Option<BagName>,
    /// Who has the report: a server accepted it for them.
    pub delivered: Vec<Delivered>,
    /// Who has not, and why.
    pub undelivered: Vec<(String, String)>,
    /// Messages of which nothing is known yet, by their `Message-ID`.
    pub waiting: Vec<String>,
    /// Why nobody was mailed; none where somebody was, or where an older rolecall did not say.
    pub no_mail_reason: Option<NoMailReason>,
    /// Whether nobody was mailed and nothing says why: an older rolecall recorded a review by hand.
    pub mail_is_unknown: bool,
}

impl Review {
    /// When the last of those who have the report got it; none where nobody has it.
    pub fn delivered_at(&self) -> Option<DateTime<Utc>> {
        self.delivered.iter().map(|delivered| delivered.at).max()
    }

    /// Who has the report.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.delivered.iter().map(|delivered| delivered.recipient.as_str())
    }
}

/// A report that a server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// For whom.
    pub recipient: String,
    /// When, as far as the ledger bears it out.
    pub at: DateTime<Utc>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// By job, workspace and fire time.
    pub rows: Vec<Row>,
    /// What limits the answer: from when on the ledger knows anything, schedules that cannot be read.
    pub remarks: Vec<String>,
}

impl Coverage {
    /// Works the answer out.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, question: &Question<'_>) -> Self {
        answer::answer(&Past::of(entries), question)
    }

    /// How many fire times each state has, without those that have none.
    pub fn counts(&self) -> Vec<(State, usize)> {
        let count = |state| self.rows.iter().filter(|row| row.state == state).count();
        State::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
    }

    /// The fire times that an auditor would ask about.
    pub fn gaps(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.state.is_gap())
    }

    /// How many fire times were due.
    pub fn due(&self) -> usize {
        self.rows.iter().filter(|row| row.state != State::ByHand).count()
    }
}
