//! Accepted findings, and findings whose fix is planned.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Rules whose findings no exception accepts unless `may_except` of the policy names the rule: a person who left and still
/// has access, and users that were not read.
pub const PROTECTED: [&str; 2] = ["incomplete-read", "leaver-active"];

/// Accepts findings: who approved it, why, until when.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exception {
    /// The rule whose findings it accepts.
    pub rule: String,
    /// A user's id or address, a role's or profile's id or name, or `workspace`; or a pattern of one of them.
    pub subject: String,
    /// The only workspace that it applies to. `None` if it applies to all.
    pub workspace: Option<String>,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// The last day on which it applies, in UTC.
    pub until: NaiveDate,
    /// Where it was requested, such as `SEC-142`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A finding that is known and will be fixed by a date. It stays open until then, and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedFix {
    /// The rule whose finding it is.
    pub rule: String,
    /// As that of an [`Exception`].
    pub subject: String,
    /// The only workspace that it applies to. `None` if it applies to all.
    pub workspace: Option<String>,
    /// Who fixes it.
    pub owner: String,
    /// What will be done.
    pub reason: String,
    /// The day by which it is fixed, in UTC.
    pub until: NaiveDate,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// What says something about the findings of a rule about a subject.
pub trait AboutFindings: Ord {
    /// The rule.
    fn rule(&self) -> &str;
    /// The subject, or a pattern of subjects.
    fn subject(&self) -> &str;
    /// The only workspace. `None` if it applies to all.
    fn workspace(&self) -> Option<&str>;
    /// The last day.
    fn until(&self) -> NaiveDate;

    /// Whether it applies to a workspace.
    fn is_for(&self, workspace: &str) -> bool {
        self.workspace().is_none_or(|name| name == workspace)
    }

    /// Whether its last day is over.
    fn is_over(&self, today: NaiveDate) -> bool {
        self.until() < today
    }
}

macro_rules! about_findings {
    ($name:ty) => {
        impl AboutFindings for $name {
            fn rule(&self) -> &str {
                &self.rule
            }

            fn subject(&self) -> &str {
                &self.subject
            }

            fn workspace(&self) -> Option<&str> {
                self.workspace.as_deref()
            }

            fn until(&self) -> NaiveDate {
                self.until
            }
        }
    };
}

about_findings!(Exception);
about_findings!(PlannedFix);
