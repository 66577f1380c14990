//! Drift: what changed since the previous completed audit of the same job and workspace.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::users::UserIndex;

/// What changed since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// The audit that was compared with. `None` for the first audit.
    pub previous: Option<Previous>,
    /// The changes, the most important first.
    pub changes: Vec<Change>,
    /// How many users can administer of whom the previous audit could not know it, because the API did not say what their
    /// profile or role gives: they are not new.
    pub newly_known: usize,
    /// The active users whose full power is newer than the first audit and that has not been approved: by id.
    pub undecided: Vec<UserIndex>,
    /// Who had an account at an earlier audit and has none now: the latest first, up to [`Departed::KEPT`].
    pub departed: Vec<Departed>,
    /// The findings of the previous audit about which nothing is known, because fields could not be read.
    pub unknown: Vec<KnownFinding>,
    /// What an earlier audit knew about who can administer and the API does not tell now.
    pub untold: Untold<UserIndex>,
}

/// What an earlier audit knew about who can administer and the API does not tell now: what is new when it tells it again is
/// compared with that.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Untold<U> {
    /// The users, by id, and what was last known of each.
    pub users: Vec<(U, LastPower)>,
    /// Whether the API told which roles are administrative.
    pub roles: bool,
    /// The ids of profiles whose permissions the API told, and of roles of which it told whether they are administrative.
    #[serde(default)]
    pub ids: BTreeSet<String>,
}

impl<U> Default for Untold<U> {
    fn default() -> Self {
        Self { users: Vec::new(), roles: false, ids: BTreeSet::new() }
    }
}

impl<U> Untold<U> {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && !self.roles && self.ids.is_empty()
    }
}

/// What was last known of a user's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LastPower {
    /// The user was active and had full power.
    Full,
    /// The same, newer than the first audit and not approved.
    Undecided,
    /// The user did not have full power, could not use it, or had no account.
    Less,
}

/// A finding of an audit, without reference to its directory. Small, because there can be one for each user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownFinding {
    /// The rule's name.
    pub rule: Box<str>,
    /// `user`, `role`, `profile` or `workspace`.
    pub subject_type: Box<str>,
    /// The subject's id; the workspace's name for the workspace.
    pub subject_id: Box<str>,
    /// The subject as a person would name it.
    pub subject: Box<str>,
    /// The sentence.
    pub message: Box<str>,
    /// Whether no exception accepted it.
    pub open: bool,
}

/// Somebody whose account an earlier audit listed, and who has none now. Beside the accounts in other workspaces, it shows
/// whom a removal forgot there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Departed {
    /// The address.
    pub email: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the audit read that no longer listed the account.
    pub missed_at: DateTime<Utc>,
}

impl Departed {
    /// The most that are remembered.
    pub const KEPT: usize = 10_000;
    /// For how many days they are.
    pub const DAYS: i64 = 400;
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
    /// How many of them could administer, as the policy of this audit sees it.
    pub administrators: u64,
}

/// The numbers of an earlier complete audit of the same job and workspace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Past {
    /// When its read ended.
    pub finished_at: DateTime<Utc>,
    /// How many active administrators there were.
    pub administrators: u64,
    /// How many findings were open.
    pub open_findings: u64,
}

/// One change of the workspace or of its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// `user`, `role`, `profile`, `organization`, `policy` or `finding`.
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

impl Change {
    /// Whether a role got or lost administrative power. Its kind is the one of a permission.
    pub fn is_of_role_power(&self) -> bool {
        self.field == "admin_user" && matches!(self.kind, ChangeKind::PermissionAdded | ChangeKind::PermissionRemoved)
    }

    /// What stands in `before` of a finding that is new because the policy looks for it now.
    pub const NOT_LOOKED_FOR: &str = "not looked for";

    /// Whether it is a finding that is new because the policy looks for it now.
    pub fn is_newly_looked_for(&self) -> bool {
        self.kind == ChangeKind::FindingNew && self.before == Self::NOT_LOOKED_FOR
    }

    /// Whether it is a finding that an exception accepted, and that is open again.
    pub fn is_reopened(&self) -> bool {
        self.kind == ChangeKind::FindingNew && self.before == "excepted"
    }

    /// What happened, as a phrase after the subject's name.
    pub fn phrase(&self) -> &'static str {
        match self.kind {
            ChangeKind::PermissionAdded if self.is_of_role_power() => "became administrative",
            ChangeKind::PermissionRemoved if self.is_of_role_power() => "is not administrative any more",
            ChangeKind::FindingNew if self.is_reopened() => "is open again",
            kind => kind.phrase(),
        }
    }
}

/// Kinds of change, the most important first: this is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// A user who could not administer now can, by an administrator profile.
    AdministratorGranted,
    /// A user who could not administer now can, in another way: by a profile that permits everything that Administrator
    /// permits, or by an administrative role.
    FullPowerGranted,
    /// A user who could administer by an administrator profile no longer can.
    AdministratorRevoked,
    /// A user who could administer in another way no longer can.
    FullPowerRevoked,
    /// The organization has another primary user (super admin).
    PrimaryUserChanged,
    /// The policy is looser: less is a finding by it.
    PolicyLoosened,
    /// The policy is stricter, or says something else.
    PolicyChanged,
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
    /// A finding of the previous audit, open or accepted, that this one does not have, by the previous policy either.
    FindingResolved,
    /// A finding that was open and that an exception accepts now.
    FindingAccepted,
    /// A finding that this audit does not have because the policy changed: what was found is still there.
    FindingNotCounted,
}

impl ChangeKind {
    /// Whether a user who could not administer now can.
    pub fn is_granted(self) -> bool {
        matches!(self, Self::AdministratorGranted | Self::FullPowerGranted)
    }

    /// Whether it is a change of what is found, and not of who can do what.
    pub fn is_of_finding(self) -> bool {
        matches!(self, Self::FindingNew | Self::FindingResolved | Self::FindingAccepted | Self::FindingNotCounted)
    }

    /// Whether it is a change of the policy.
    pub fn is_of_policy(self) -> bool {
        matches!(self, Self::PolicyLoosened | Self::PolicyChanged)
    }

    /// Whether a user who could administer no longer can.
    pub fn is_revoked(self) -> bool {
        matches!(self, Self::AdministratorRevoked | Self::FullPowerRevoked)
    }

    /// As written in `changes.csv`.
    pub fn word(self) -> &'static str {
        match self {
            Self::AdministratorGranted => "administrator-granted",
            Self::FullPowerGranted => "full-power-granted",
            Self::AdministratorRevoked => "administrator-revoked",
            Self::FullPowerRevoked => "full-power-revoked",
            Self::PrimaryUserChanged => "primary-user-changed",
            Self::PolicyLoosened | Self::PolicyChanged => "policy-changed",
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
            Self::FindingAccepted => "finding-accepted",
            Self::FindingNotCounted => "finding-not-counted",
        }
    }

    /// What happened, as a phrase after the subject's name.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::AdministratorGranted => "became Administrator",
            Self::FullPowerGranted => "got full power",
            Self::AdministratorRevoked => "is no longer Administrator",
            Self::FullPowerRevoked => "no longer has full power",
            Self::PrimaryUserChanged => "has another primary user (super admin)",
            Self::PolicyLoosened => "is looser",
            Self::PolicyChanged => "changed in the policy",
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
            Self::FindingAccepted => "is accepted by an exception",
            Self::FindingNotCounted => "is no longer counted: the policy changed",
        }
    }
}
