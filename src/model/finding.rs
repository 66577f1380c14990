//! What rules yield.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    id::{ProfileId, RoleId},
    users::UserIndex,
};

/// How grave a finding is. Ordered: `Info < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know; nothing to do.
    Info,
    /// To tidy up.
    Low,
    /// To look into before the next review.
    Medium,
    /// To act on this week.
    High,
    /// To act on now.
    Critical,
}

impl Severity {
    /// All, gravest first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word in files and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|severity| severity.word() == text);
        found.ok_or_else(|| format!("“{text}” is no severity: critical, high, medium, low or info"))
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The workspace as a whole.
    Workspace,
    /// A user of the directory.
    User(UserIndex),
    /// A role, whether or not the master list has it.
    Role(RoleId),
    /// A profile, whether or not the master list has it.
    Profile(ProfileId),
}

impl Subject {
    /// The word in `subject_type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User(_) => "user",
            Self::Role(_) => "role",
            Self::Profile(_) => "profile",
        }
    }
}

/// Whether a finding counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingStatus {
    /// It counts.
    Open,
    /// Somebody accepted it: the place of the exception in the policy.
    Excepted(usize),
}

impl FindingStatus {
    /// The word in `status`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Excepted(_) => "excepted",
        }
    }
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How grave it is, after the policy's overrides.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// One sentence for the reader of the report; names no secret.
    pub message: Cow<'static, str>,
    /// Whether it counts.
    pub status: FindingStatus,
    /// Whether the previous audit had it too; none where there was none.
    pub continuing: Option<bool>,
}

impl Finding {
    /// Whether it counts.
    pub fn is_open(&self) -> bool {
        self.status == FindingStatus::Open
    }
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule's name.
    pub rule: &'static str,
    /// What came of it.
    pub result: RuleResult,
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleResult {
    /// It looked at everything and found nothing.
    Passed,
    /// It found something: open and excepted.
    Failed {
        /// Findings that count.
        open: usize,
        /// Findings that somebody accepted.
        excepted: usize,
        /// What it could not look at, and why; empty where it looked at everything.
        not_evaluated: String,
    },
    /// It could not be evaluated, or not for everything, and found nothing in the rest.
    NotEvaluated(String),
    /// The policy switches it off.
    SwitchedOff,
}
