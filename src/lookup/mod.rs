//! Pure: what a directory says of users, roles, profiles and permissions, as rows to look things up in.
//!
//! A role is row-level data access; a profile is feature permissions. A row never has a field called only `name` or
//! `id`, so that no reader can take the one for the other.

pub mod people;
pub mod permissions;
pub mod profiles;
pub mod roles;

/// What was asked for is not in the directory, or not one thing in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No user has this id or address.
    #[error("no user has the id or the address “{0}”")]
    NoUser(String),
    /// More than one user has this address.
    #[error("“{text}” is the address of {} users; name one by id: {}", candidates.len(), candidates.join(", "))]
    SeveralUsers {
        /// What was asked for.
        text: String,
        /// Who they are, each with its id.
        candidates: Vec<String>,
    },
    /// No user has this status, and the vendor has no such word.
    #[error("no status is called “{text}”; there are: {known}")]
    NoStatus {
        /// What was asked for.
        text: String,
        /// The words.
        known: String,
    },
    /// No role has this id or name.
    #[error("no role has the id or the name “{text}”; there are: {known}")]
    NoRole {
        /// What was asked for.
        text: String,
        /// The roles.
        known: String,
    },
    /// No profile has this id or name.
    #[error("no profile has the id or the name “{text}”; there are: {known}")]
    NoProfile {
        /// What was asked for.
        text: String,
        /// The profiles.
        known: String,
    },
    /// No profile has a permission of this name.
    #[error("no permission has “{0}” in its name or label")]
    NoPermission(String),
}

impl LookupError {
    /// One stable word for it, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoUser(_) => "no_such_user",
            Self::SeveralUsers { .. } => "ambiguous_user",
            Self::NoStatus { .. } => "no_such_status",
            Self::NoRole { .. } => "no_such_role",
            Self::NoProfile { .. } => "no_such_profile",
            Self::NoPermission(_) => "no_such_permission",
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
