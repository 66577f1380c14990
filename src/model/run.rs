//! A run: one fire time of one job for one workspace, and the steps that it goes through.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The steps of a run, in their order. Each is stored before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Waiting for somebody to take it.
    Due,
    /// Somebody has taken it and reads the workspace.
    Claimed,
    /// The workspace is read.
    Read,
    /// What was read is judged.
    Judged,
    /// The audit is kept, and its messages wait in the outbox.
    Recorded,
    /// Each message was accepted or refused for good.
    Delivered,
    /// Nothing is left to do.
    Closed,
    /// It was given up.
    Failed,
}

impl RunState {
    /// All, in their order.
    pub const ALL: [Self; 8] = [
        Self::Due,
        Self::Claimed,
        Self::Read,
        Self::Judged,
        Self::Recorded,
        Self::Delivered,
        Self::Closed,
        Self::Failed,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Claimed => "claimed",
            Self::Read => "read",
            Self::Judged => "judged",
            Self::Recorded => "recorded",
            Self::Delivered => "delivered",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id, which is also the id of its audit.
    pub id: Uuid,
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it was due.
    pub fire_at: DateTime<Utc>,
    /// The step it is at.
    pub state: RunState,
    /// How often it was taken: more than 1 where it was resumed or tried again.
    pub attempt: u32,
    /// When it was first taken; `None` before.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, well or not; `None` before.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it is tried again at the earliest; `None` if it may be now.
    pub not_before: Option<DateTime<Utc>>,
    /// Why the last attempt failed; `None` if none did.
    pub error: Option<String>,
}

/// One time that a run was taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it ended; `None` while it is in progress, or if its process died.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it failed; `None` if it did not.
    pub error: Option<String>,
}

/// The right to work on a run: every write of the worker names it, and one that is no longer valid changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run as it was when it was taken.
    pub run: Run,
    /// Which claim of this run it is.
    pub fence: u64,
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    /// It is to be sent, or sent again.
    Waiting,
    /// A server accepted it.
    Accepted,
    /// It was refused for good, or nobody accepted it for too long.
    Rejected,
}

impl MessageState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// The state of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Accepted, Self::Rejected].into_iter().find(|state| state.word() == word)
    }
}

/// A stretch of fire times that became no runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The job.
    pub job: String,
    /// The first fire time.
    pub first: DateTime<Utc>,
    /// The last fire time.
    pub last: DateTime<Utc>,
    /// How many.
    pub count: u64,
    /// Why they became no runs.
    pub reason: String,
}
