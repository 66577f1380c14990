//! What people decided in reviews about the accounts of a workspace, as an audit knew it; and whether the state of an account
//! is what was decided.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::StatusKind;

/// The reviews of a workspace that an audit looks at: those in which people still decide, and those with decisions that no
/// audit has proven yet.
///
/// Evidence keeps it: a field that it does not have has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reviewed {
    /// The reviews, in the order of their opening.
    pub reviews: Vec<UnderReview>,
}

/// One of these reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderReview {
    /// Its id.
    pub review: Uuid,
    /// Its name in the configuration.
    pub name: String,
    /// Whether people still decide.
    pub is_open: bool,
    /// Whether a removal is to be carried out by another person than who decided it.
    #[serde(default)]
    pub four_eyes: bool,
    /// The accounts: all of the workspace while people decide, then those whose decisions are not proven.
    pub accounts: Vec<ReviewedAccount>,
}

/// An account as it was when the review was opened, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedAccount {
    /// The number of the item.
    pub item: u32,
    /// The user's id.
    pub user_id: String,
    /// How a person would name it.
    pub account: String,
    /// The role's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// The profile's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// Who is to decide.
    pub reviewer: String,
    /// The decision that stands. `None` if there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<AccountDecision>,
}

/// A decision about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDecision {
    /// What is wanted.
    #[serde(flatten)]
    pub wanted: Wanted,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Until when an audit has to show it. `None` if nothing has to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
}

/// What is to become of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wanted", rename_all = "lowercase")]
pub enum Wanted {
    /// It stays as it is.
    Keep,
    /// It is removed.
    Remove,
    /// It gets this role.
    Role {
        /// Its id.
        id: String,
        /// Its name, if it is known.
        name: Option<String>,
    },
    /// It gets this profile.
    Profile {
        /// Its id.
        id: String,
        /// Its name, if it is known.
        name: Option<String>,
    },
}

/// What an audit shows of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held<'a> {
    /// What the status means.
    pub status: StatusKind,
    /// The role's id.
    pub role: Option<&'a str>,
    /// The profile's id.
    pub profile: Option<&'a str>,
}

/// What a later audit shows of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// There is no such account any more.
    Gone,
    /// It is deleted.
    Deleted,
    /// It cannot sign in.
    Inactive,
    /// It has the role or profile that was decided.
    Changed,
}

impl Shown {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Deleted => "deleted",
            Self::Inactive => "inactive",
            Self::Changed => "changed",
        }
    }
}

impl Wanted {
    /// What the state of an account says about it: `held` is `None` if the account is not there any more. `None` if it was
    /// not carried out, or nothing has to be done.
    pub fn shown_by(&self, held: Option<Held<'_>>) -> Option<Shown> {
        let Some(Held { status, role, profile }) = held else {
            return Some(Shown::Gone).filter(|_| *self != Self::Keep);
        };
        match (self, status) {
            (Self::Keep, _) => None,
            (_, StatusKind::Deleted) => Some(Shown::Deleted),
            (Self::Remove, StatusKind::Inactive) => Some(Shown::Inactive),
            (Self::Remove, _) => None,
            (Self::Role { id, .. }, _) => (role == Some(id)).then_some(Shown::Changed),
            (Self::Profile { id, .. }, _) => (profile == Some(id)).then_some(Shown::Changed),
        }
    }
}
