//! Drift: what changed since the previous completed audit of the same job and workspace.

use chrono::{DateTime, Utc};

/// What changed since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// The audit that was compared with; none for the first one.
    pub previous: Option<Previous>,
    /// The changes, the weightiest first.
    pub changes: Vec<Change>,
}

/// The audit that was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its id.
    pub id: String,
    /// When it had been read.
    pub finished_at: DateTime<Utc>,
    /// How many users it had.
    pub users: u64,
    /// How many of them were active administrators.
    pub administrators: u64,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// `user`, `role`, `profile`, `organization` or `finding`.
    pub subject_type: &'static str,
    /// The subject's id.
    pub subject_id: String,
    /// The subject as a person would name it.
    pub subject: String,
    /// What changed of it; empty where it came or went.
    pub field: &'static str,
    /// The value before; empty where there was none.
    pub before: String,
    /// The value now; empty where there is none.
    pub after: String,
}

/// Kinds of change, the weightiest first: this is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// A user, known before or new, now has an administrator profile.
    AdministratorGranted,
    /// A user no longer has one.
    AdministratorRevoked,
    /// The organization has another primary user (super admin).
    PrimaryUserChanged,
    /// A permission was added to a profile.
    PermissionAdded,
    /// A permission was taken from a profile.
    PermissionRemoved,
    /// A user came.
    UserAdded,
    /// A user is active again.
    UserReactivated,
    /// A user is no longer listed, or is listed as deleted.
    UserRemoved,
    /// A user was switched off, or has another status word.
    StatusChanged,
    /// A user has another profile.
    ProfileChanged,
    /// A user has another role.
    RoleChanged,
    /// A user has another address.
    EmailChanged,
    /// A user accepted the invitation.
    Confirmed,
    /// A user has another name.
    NameChanged,
    /// A profile came.
    ProfileAdded,
    /// A profile went.
    ProfileRemoved,
    /// A profile has another name.
    ProfileRenamed,
    /// A role came.
    RoleAdded,
    /// A role went.
    RoleRemoved,
    /// A role has another name.
    RoleRenamed,
    /// A role reports to another role.
    RoleMoved,
    /// A finding that the previous audit did not have.
    FindingNew,
    /// A finding of the previous audit that is gone.
    FindingResolved,
}

impl ChangeKind {
    /// The word in `changes.csv`.
    pub fn word(self) -> &'static str {
        match self {
            Self::AdministratorGranted => "administrator-granted",
            Self::AdministratorRevoked => "administrator-revoked",
            Self::PrimaryUserChanged => "primary-user-changed",
            Self::PermissionAdded => "permission-added",
            Self::PermissionRemoved => "permission-removed",
            Self::UserAdded => "user-added",
            Self::UserReactivated => "user-reactivated",
            Self::UserRemoved => "user-removed",
            Self::StatusChanged => "status-changed",
            Self::ProfileChanged => "profile-changed",
            Self::RoleChanged => "role-changed",
            Self::EmailChanged => "email-changed",
            Self::Confirmed => "confirmed",
            Self::NameChanged => "name-changed",
            Self::ProfileAdded => "profile-added",
            Self::ProfileRemoved => "profile-removed",
            Self::ProfileRenamed => "profile-renamed",
            Self::RoleAdded => "role-added",
            Self::RoleRemoved => "role-removed",
            Self::RoleRenamed => "role-renamed",
            Self::RoleMoved => "role-moved",
            Self::FindingNew => "finding-new",
            Self::FindingResolved => "finding-resolved",
        }
    }

    /// What happened, as a phrase after the subject's name.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::AdministratorGranted => "became Administrator",
            Self::AdministratorRevoked => "is no longer Administrator",
            Self::PrimaryUserChanged => "has another primary user (super admin)",
            Self::PermissionAdded => "gained a permission",
            Self::PermissionRemoved => "lost a permission",
            Self::UserReactivated => "is active again",
            Self::StatusChanged => "has another status",
            Self::ProfileChanged => "has another profile",
            Self::RoleChanged => "has another role",
            Self::EmailChanged => "has another e-mail address",
            Self::Confirmed => "accepted the invitation",
            Self::NameChanged => "has another name",
            Self::UserAdded | Self::ProfileAdded | Self::RoleAdded => "is new",
            Self::UserRemoved | Self::ProfileRemoved | Self::RoleRemoved => "was removed",
            Self::ProfileRenamed | Self::RoleRenamed => "was renamed",
            Self::RoleMoved => "reports to another role",
            Self::FindingNew => "is a new finding",
            Self::FindingResolved => "is resolved",
        }
    }
}
