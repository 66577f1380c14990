//! Accounts that are not people.

use std::fmt;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an account is that is not one person's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// A program signs in with it.
    #[default]
    Service,
    /// Several people sign in with it.
    Shared,
    /// It is kept for an emergency.
    BreakGlass,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Service, Self::Shared, Self::BreakGlass];

    /// Its name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Shared => "shared",
            Self::BreakGlass => "break-glass",
        }
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Declares accounts that are not people: what they are, who answers questions about them, why, until when.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// A user's address or id, or a pattern of addresses or ids.
    pub subject: String,
    /// What they are.
    pub kind: AccountKind,
    /// Who is responsible for them.
    pub owner: String,
    /// Why they exist.
    pub reason: String,
    /// The last day on which the declaration applies, in UTC.
    pub until: NaiveDate,
    /// The only workspace that it applies to. `None` if it applies to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

impl Account {
    /// Whether its last day is over.
    pub fn is_over(&self, today: NaiveDate) -> bool {
        self.until < today
    }
}
