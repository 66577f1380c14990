//! How a directory was read, and how completely: an auditor's first question.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The record of one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// When the first call was made.
    pub started_at: DateTime<Utc>,
    /// When the last answer was complete.
    pub finished_at: DateTime<Utc>,
    /// How often everything was read: 1 unless a check disagreed.
    pub attempts: u32,
    /// Pages of users in the last read.
    pub pages: u32,
    /// The requested page size, in users.
    pub per_page: u32,
    /// Users on those pages, repeated ones included.
    pub rows: u64,
    /// Users on each page, in the order of pages.
    pub rows_per_page: Vec<u32>,
    /// Users among them whose id came before.
    pub repeated: u64,
    /// Distinct users among them.
    pub users: u64,
    /// Calls made, repeated ones included, without those that were made ahead and not needed: the sum of the next three.
    pub requests: u64,
    /// Answers of the API.
    pub answers: u64,
    /// Token requests, whose answers are not recorded.
    pub token_calls: u64,
    /// Calls that got no answer.
    pub unanswered: u64,
    /// Calls repeated after a failure or a rate limit.
    pub retries: u64,
    /// Bytes of the API's answers, decompressed.
    pub bytes: u64,
    /// The query of the user list, as sent, without the page number.
    pub query: String,
    /// Each check and what it found.
    pub checks: Vec<Check>,
}

impl Reading {
    /// What is kept of a read: its times, how many users it found, and what disagreed.
    pub fn kept(started_at: DateTime<Utc>, finished_at: DateTime<Utc>, users: u64, checks: Vec<Check>) -> Self {
        Self {
            started_at,
            finished_at,
            attempts: 1,
            pages: 0,
            per_page: 0,
            rows: users,
            rows_per_page: Vec::new(),
            repeated: 0,
            users,
            requests: 0,
            answers: 0,
            token_calls: 0,
            unanswered: 0,
            retries: 0,
            bytes: 0,
            query: String::new(),
            checks,
        }
    }

    /// Whether every check that could be made agreed in the end.
    pub fn is_complete(&self) -> bool {
        self.problems().next().is_none()
    }

    /// The checks that still disagree.
    pub fn problems(&self) -> impl Iterator<Item = (&Check, &str)> {
        self.checks.iter().filter_map(|check| match &check.outcome {
            CheckOutcome::Disagreed { detail } => Some((check, detail.as_str())),
            _ => None,
        })
    }
}

/// One check of a read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was compared.
    pub kind: CheckKind,
    /// The result.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
    /// What was compared, in numbers; empty if nothing was.
    pub figures: String,
}

/// What a check compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Every user is on one page only.
    DistinctUsers,
    /// Every page held as many users as it said, and every page before the last was full.
    PageLength,
    /// `more_records` against the pages that were read.
    MoreRecords,
    /// The first page, read again after the rest.
    FirstPageAgain,
    /// The last page, read again after the rest.
    LastPageAgain,
    /// The API's own list of administrators against ours.
    Administrators,
    /// The account that read is one of the users that it read.
    ReaderListed,
    /// Whether the source itself calls its answer partial.
    SourceComplete,
    /// Every record has an id of its own, and its fields can be read. Only listed if there is something to say.
    Records,
    /// The lists of roles and profiles end. Only listed if one does not.
    Lists,
    /// This machine's clock against the servers'.
    Clock,
}

impl CheckKind {
    /// What it compares, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::DistinctUsers => "each user on one page only",
            Self::PageLength => "each page as long as it says",
            Self::MoreRecords => "“more records” against the pages that were read",
            Self::FirstPageAgain => "the first page, read again after the rest",
            Self::LastPageAgain => "the last page, read again after the rest",
            Self::Administrators => "the API's own list of administrators",
            Self::ReaderListed => "the account that read is one of the users",
            Self::SourceComplete => "whether the source calls its answer complete",
            Self::Records => "each record readable, with an id of its own",
            Self::Lists => "the lists of roles and profiles to their end",
            Self::Clock => "this machine's clock against the server's",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum CheckOutcome {
    /// Both sides agree.
    Agreed,
    /// They disagreed, and agreed after everything was read again.
    Repaired {
        /// What disagreed at first.
        detail: String,
    },
    /// They disagree, however often everything was read.
    Disagreed {
        /// What disagrees.
        detail: String,
    },
    /// The check could not be made.
    NotEvaluated {
        /// Why not.
        detail: String,
    },
}

impl CheckOutcome {
    /// One word for it, for people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Agreed => "agrees",
            Self::Repaired { .. } => "repaired",
            Self::Disagreed { .. } => "disagrees",
            Self::NotEvaluated { .. } => "not evaluated",
        }
    }

    /// What there is to say beyond the word; empty if both sides agree.
    pub fn detail(&self) -> &str {
        match self {
            Self::Agreed => "",
            Self::Repaired { detail } | Self::Disagreed { detail } | Self::NotEvaluated { detail } => detail,
        }
    }
}
