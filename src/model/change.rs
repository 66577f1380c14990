//! Drift: what changed since the previous completed audit of the same job and workspace.

use chrono::{DateTime, Utc};

/// What changed since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// The audit that was compared with. `None` for the first audit.
    pub previous: Option<Previous>,
    /// The changes, the most important first.
    pub changes: Vec<Change>,
}

/// The audit that was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The id of the audit.
    pub id: String,
    /// When its read ended.
    pub finished_at: DateTime<Utc>,
    /// How many users it had, of every status.
    pub users: u64,
    /// How many of them were active administrators.
    pub administrators: u64,
}

/// One change of the workspace or of its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// `user`, `role`, `profile`, `organization` or `finding`.
    pub subject_type: &'static str,
    /// The subject's id.
    pub subject_id: String,
    /// The subject as a person would name it.
    pub subject: String,
    /// The field that changed. Empty if the subject was added or removed.
    pub field: &'static str,
    /// The value before. Empty if there was none.
    pub before: String,
    /// The value now. Empty if there is none.
    pub after: String,
}

/// Kinds of change, the most important first: this is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// A new or existing user received an administrator profile.
    AdministratorGranted,
    /// A user no longer has an administrator profile.
    AdministratorRevoked,
    /// The organization has another primary user (super admin).
    PrimaryUserChanged,
    /// A permission was added to a profile.
    PermissionAdded,
    /// A permission was removed from a profile.
    PermissionRemoved,
    /// A user was added.
    UserAdded,
    /// A user is active again.
    UserReactivated,
    /// A user is no longer listed, or is listed as deleted.
    UserRemoved,
    /// A user was disabled or has another status.
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
    /// A profile was added.
    ProfileAdded,
    /// A profile was removed.
    ProfileRemoved,
    /// A profile has another name.
    ProfileRenamed,
    /// A role was added.
    RoleAdded,
    /// A role was removed.
    RoleRemoved,
    /// A role has another name.
    RoleRenamed,
    /// A role reports to another role.
    RoleMoved,
    /// A finding that the previous audit did not have.
    FindingNew,
    /// A finding of the previous audit that this one does not have.
    FindingResolved,
}

impl ChangeKind {
    /// As written in `changes.csv`.
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
