//! How a directory was read, and how completely: what an auditor asks first.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The record of one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// When the first call was made.
    pub started_at: DateTime<Utc>,
    /// When the last answer had come.
    pub finished_at: DateTime<Utc>,
    /// How often the user list was read: 1 unless a check disagreed.
    pub attempts: u32,
    /// Pages of users in the read that counts.
    pub pages: u32,
    /// Users a page was asked to hold.
    pub per_page: u32,
    /// Users that came on those pages, repeated ones included.
    pub rows: u64,
    /// Users on each of them, in their order.
    pub rows_per_page: Vec<u32>,
    /// Users among them that had come before, as the reader counted them.
    pub repeated: u64,
    /// Distinct users among them.
    pub users: u64,
    /// Calls made, repeated ones included, without those that were made ahead and turned out not to be needed: the sum of
    /// the next three.
    pub requests: u64,
    /// Answers of the API.
    pub answers: u64,
    /// Calls of the accounts server for a token, whose answers are kept nowhere.
    pub token_calls: u64,
    /// Calls that brought no answer.
    pub unanswered: u64,
    /// Calls repeated after a failure or a rate limit.
    pub retries: u64,
    /// Bytes of the API's answers, after decompression.
    pub bytes: u64,
    /// The query of the user list, as sent, without the page number.
    pub query: String,
    /// Each check and what it found.
    pub checks: Vec<Check>,
}

impl Reading {
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
    /// What came of it.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
    /// What was compared, in numbers; empty where nothing was.
    pub figures: String,
}

/// What a check compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Every user came on one page only.
    DistinctUsers,
    /// Every page held as many users as it said, and full pages came before the last.
    PageLength,
    /// `more_records` against the pages that came.
    MoreRecords,
    /// The first page once more after the rest.
    FirstPageAgain,
    /// The last page once more after the rest.
    LastPageAgain,
    /// The API's own list of administrators beside ours.
    Administrators,
    /// The account that read is among the users that it read.
    ReaderListed,
    /// The source said itself that its answer is partial.
    SourceComplete,
    /// This machine's clock beside the servers'.
    Clock,
}

impl CheckKind {
    /// What it compares, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::DistinctUsers => "each user on one page only",
            Self::PageLength => "each page as long as it says",
            Self::MoreRecords => "“more records” against the pages that came",
            Self::FirstPageAgain => "the first page once more after the rest",
            Self::LastPageAgain => "the last page once more after the rest",
            Self::Administrators => "the API's own list of administrators",
            Self::ReaderListed => "the account that read is among those it read",
            Self::SourceComplete => "the source's own word on completeness",
            Self::Clock => "this machine's clock beside the server's",
        }
    }
}

/// What came of a check.
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
    /// They disagree, however often it was read.
    Disagreed {
        /// What disagrees.
        detail: String,
    },
    /// It could not be made.
    NotEvaluated {
        /// Why not.
        detail: String,
    },
}

impl CheckOutcome {
    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Agreed => "agrees",
            Self::Repaired { .. } => "repaired",
            Self::Disagreed { .. } => "disagrees",
            Self::NotEvaluated { .. } => "not evaluated",
        }
    }

    /// What there is to say beyond the word; empty where it agrees.
    pub fn detail(&self) -> &str {
        match self {
            Self::Agreed => "",
            Self::Repaired { detail } | Self::Disagreed { detail } | Self::NotEvaluated { detail } => detail,
        }
    }
}
