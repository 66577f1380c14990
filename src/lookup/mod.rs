//! Pure: users, roles, profiles, permissions and findings, as rows for look-ups.
//!
//! A role is row-level data access; a profile is feature permissions. No row has a field called just `name` or `id`, so
//! that the two cannot be confused.

pub mod findings;
pub mod people;
pub mod permissions;
pub mod profiles;
pub mod roles;

/// What was asked for does not exist, or is ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No user has this id or address.
    #[error("no user has the id or address “{0}”")]
    NoUser(String),
    /// More than one user has this address.
    #[error("{} users have the address “{text}”; choose one by id: {}", candidates.len(), candidates.join(", "))]
    SeveralUsers {
        /// What was asked for.
        text: String,
        /// The users, with their ids.
        candidates: Vec<String>,
    },
    /// No user has this status, and the vendor does not define it.
    #[error("unknown status “{text}”; expected {known}")]
    NoStatus {
        /// What was asked for.
        text: String,
        /// The known statuses.
        known: String,
    },
    /// No role has this id or name.
    #[error("no role has the id or name “{text}”; the roles are {known}")]
    NoRole {
        /// What was asked for.
        text: String,
        /// The roles.
        known: String,
    },
    /// No profile has this id or name.
    #[error("no profile has the id or name “{text}”; the profiles are {known}")]
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
    /// A stable code for programs.
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
