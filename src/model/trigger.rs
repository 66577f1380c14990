//! The trigger of an audit: its fire time, and the incidents since a report was last delivered. A review that was missed,
//! failed, incomplete or not delivered is itself reported.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// A review that starts later than this after its fire time is late.
pub const LATE: Duration = Duration::minutes(15);

/// The fire time that an audit belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// When it was due.
    pub fire_at: DateTime<Utc>,
    /// When a worker first claimed it.
    pub began_at: DateTime<Utc>,
    /// How often it was claimed: more than 1 if it was resumed or retried.
    pub attempt: u32,
    /// Whether a person or another scheduler started it on demand: then it was due when they started it.
    pub by_hand: bool,
    /// The incidents before it, the oldest first.
    pub incidents: Vec<Incident>,
}

impl Trigger {
    /// When it was due, and whether it was late, retried or on demand.
    pub fn sentence(&self) -> String {
        let due = self.fire_at.format("%a %-d %b %Y, %H:%M UTC");
        let usual = if self.by_hand { "on demand" } else { "on time" };
        self.delay().map_or_else(|| format!("{due}; {usual}"), |delay| format!("{due}; {delay}"))
    }

    /// The delay and the number of attempts; `None` if it was on time at the first attempt.
    pub fn delay(&self) -> Option<String> {
        let late = self.began_at - self.fire_at;
        let late = (late > LATE).then(|| format!("started {} late", span(late)));
        let again = (self.attempt > 1).then(|| format!("completed on attempt {}", self.attempt));
        let parts: Vec<String> = late.into_iter().chain(again).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// A length of time in its largest unit that leaves at least two: `90 min`, `25 h`, `3 days`.
pub fn span(length: Duration) -> String {
    match (length.num_minutes(), length.num_hours(), length.num_days()) {
        (minutes, hours, _) if hours < 2 => format!("{minutes} min"),
        (_, hours, days) if days < 2 => format!("{hours} h"),
        (_, _, days) => format!("{days} days"),
    }
}

/// Something that should have happened and did not, such as a missed review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What kind of thing.
    pub kind: IncidentKind,
    /// The job.
    pub job: String,
    /// The workspace; `None` if it is about the job as a whole.
    pub workspace: Option<String>,
    /// The run; `None` if there was none.
    pub run: Option<Uuid>,
    /// The fire time, or the first of several.
    pub at: DateTime<Utc>,
    /// Details: an error, a recipient, a reason.
    pub detail: String,
}

/// The kinds of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentKind {
    /// Fire times without a review.
    Skipped,
    /// A review is due and not yet done.
    Overdue,
    /// A review was given up.
    Failed,
    /// The workspace could not be read in full.
    Incomplete,
    /// A report or notice was not accepted by the recipient's server.
    Undelivered,
    /// The clock is behind fire times that were already decided: until it catches up, nothing is due.
    ClockSetBack,
    /// A review by people is due and could not be opened.
    ReviewNotOpened,
    /// A review by people is not closed in time.
    ReviewOverdue,
    /// A decision of a review by people is not carried out in time.
    NotCarriedOut,
}

impl IncidentKind {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::Skipped,
        Self::Overdue,
        Self::Failed,
        Self::Incomplete,
        Self::Undelivered,
        Self::ClockSetBack,
        Self::ReviewNotOpened,
        Self::ReviewOverdue,
        Self::NotCarriedOut,
    ];

    /// The word for it, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Overdue => "overdue",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Undelivered => "undelivered",
            Self::ClockSetBack => "clock_set_back",
            Self::ReviewNotOpened => "review_not_opened",
            Self::ReviewOverdue => "review_overdue",
            Self::NotCarriedOut => "not_carried_out",
        }
    }

    /// What happened, for people.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Skipped => "no review took place",
            Self::Overdue => "the review is overdue",
            Self::Failed => "the review failed",
            Self::Incomplete => "the review was incomplete",
            Self::Undelivered => "not delivered",
            Self::ClockSetBack => "the clock was set back",
            Self::ReviewNotOpened => "a review by people is due and is not open",
            Self::ReviewOverdue => "a review by people is overdue",
            Self::NotCarriedOut => "decisions of a review by people are not carried out in time",
        }
    }
}

impl Incident {
    /// The incident as one sentence.
    pub fn sentence(&self) -> String {
        let Self { kind, at, detail, .. } = self;
        let colon = if detail.is_empty() { "" } else { ": " };
        format!("{}: {}{colon}{detail}", at.format("%a %-d %b %Y, %H:%M UTC"), kind.phrase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(late: Duration, attempt: u32) -> Trigger {
        let fire_at = DateTime::UNIX_EPOCH;
        Trigger { fire_at, began_at: fire_at + late, attempt, by_hand: false, incidents: Vec::new() }
    }

    #[test]
    fn only_a_delayed_or_retried_review_has_a_delay() {
        assert_eq!(trigger(Duration::minutes(15), 1).delay(), None);
        assert_eq!(trigger(Duration::minutes(16), 1).delay().unwrap(), "started 16 min late");
        assert_eq!(trigger(Duration::hours(25), 3).delay().unwrap(), "started 25 h late, completed on attempt 3");
        assert_eq!(trigger(Duration::days(4), 1).delay().unwrap(), "started 4 days late");
    }
}
