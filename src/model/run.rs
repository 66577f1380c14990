//! A run: one fire time of one job for one workspace, and the steps that it goes through.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The steps of a run, in their order. Each is stored before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Waiting for a worker.
    Due,
    /// A worker has claimed it and reads the workspace.
    Claimed,
    /// The workspace is read.
    Read,
    /// What was read is judged.
    Judged,
    /// The audit is kept, and its messages wait in the outbox.
    Recorded,
    /// Each message was accepted or permanently refused.
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
    /// How often it was claimed: more than 1 if it was resumed or retried.
    pub attempt: u32,
    /// When it was first claimed; `None` before that.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, successfully or not; `None` before that.
    pub finished_at: Option<DateTime<Utc>>,
    /// The earliest time of the next attempt; `None` if it may start now.
    pub not_before: Option<DateTime<Utc>>,
    /// Why the last attempt failed; `None` if none did.
    pub error: Option<String>,
}

/// One attempt at a run.
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
    /// The run as it was when it was claimed.
    pub run: Run,
    /// Which claim of this run it is.
    pub fence: u64,
}

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    /// It waits to be sent or retried.
    Waiting,
    /// A server accepted it.
    Accepted,
    /// It was permanently refused, or not accepted for too long.
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

/// Consecutive fire times that did not become runs.
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
    /// Why they did not become runs.
    pub reason: String,
}
