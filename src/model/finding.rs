//! Findings, and the result of each rule.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    id::{ProfileId, RoleId},
    rule_name::RuleName,
    users::UserIndex,
};

/// Ordered: `Info < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Info,
    /// Fix when convenient.
    Low,
    /// Fix before the next review.
    Medium,
    /// Fix this week.
    High,
    /// Fix now.
    Critical,
}

impl Severity {
    /// All severities, most severe first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// As written in files and on the command line.
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
        found.ok_or_else(|| format!("invalid severity `{text}`; expected critical, high, medium, low or info"))
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The workspace as a whole.
    Workspace,
    /// A user of the directory.
    User(UserIndex),
    /// A role, in the role list or not.
    Role(RoleId),
    /// A profile, in the profile list or not.
    Profile(ProfileId),
}

impl Subject {
    /// As written in `subject_type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User(_) => "user",
            Self::Role(_) => "role",
            Self::Profile(_) => "profile",
        }
    }
}

/// Whether a finding is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingStatus {
    /// No exception accepts it.
    Open,
    /// Accepted by the exception at this index of the policy's exceptions.
    Excepted(usize),
}

impl FindingStatus {
    /// As written in `status`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Excepted(_) => "excepted",
        }
    }
}

/// One defect that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleName,
    /// After the policy's overrides.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// One sentence for the reader of the report. Contains no secret.
    pub message: Cow<'static, str>,
    /// Whether an exception accepts it.
    pub status: FindingStatus,
    /// Whether the previous audit had it too. `None` if there was no previous audit.
    pub continuing: Option<bool>,
    /// The index of the policy's planned fixes, if it is open and one is for it.
    pub planned: Option<usize>,
}

impl Finding {
    /// Whether no exception accepts it.
    pub fn is_open(&self) -> bool {
        self.status == FindingStatus::Open
    }
}

/// A rule and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: RuleName,
    /// Its result.
    pub result: RuleResult,
}

/// The result of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleResult {
    /// It looked at everything and found nothing.
    Passed,
    /// It found something, open or accepted.
    Failed {
        /// Open findings.
        open: usize,
        /// Findings that an exception accepts.
        excepted: usize,
        /// What it could not look at, and why. Empty if it looked at everything.
        not_evaluated: String,
    },
    /// It could not look, or not at everything, and found nothing in the rest. Says why.
    NotEvaluated(String),
    /// Switched off by the policy.
    SwitchedOff,
}

impl RuleResult {
    /// Why the rule could not be evaluated, or not for everything; `None` if it looked at everything, or is switched off.
    pub fn not_evaluated(&self) -> Option<&str> {
        match self {
            Self::NotEvaluated(reason) => Some(reason),
            Self::Failed { not_evaluated, .. } if !not_evaluated.is_empty() => Some(not_evaluated),
            Self::Passed | Self::Failed { .. } | Self::SwitchedOff => None,
        }
    }
}
