//! Rights that one person must not hold together.

use serde::{Deserialize, Serialize};

use super::finding::Severity;

/// Nobody may hold something of the first side and something of the second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Separation {
    /// Its name in reports.
    pub name: String,
    /// One of the two.
    pub first: Right,
    /// The other.
    pub second: Right,
    /// The severity of its findings. `None` if it is that of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// A right, by name or pattern; letters in any case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// A permission, by its name or label.
    Permission(String),
    /// A profile, by its id or name.
    Profile(String),
    /// A role, by its id or name.
    Role(String),
}

impl Right {
    /// The name or pattern.
    pub fn pattern(&self) -> &str {
        match self {
            Self::Permission(pattern) | Self::Profile(pattern) | Self::Role(pattern) => pattern,
        }
    }

    /// What kind of right it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Permission(_) => "permission",
            Self::Profile(_) => "profile",
            Self::Role(_) => "role",
        }
    }
}
