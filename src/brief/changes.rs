//! What changed since the previous audit.

use chrono::{DateTime, Utc};

use super::{cut, is_new};
use crate::{
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
    },
    words::{count, number},
};

/// Changes that [`Changes::lines`] phrases.
const NAMED: usize = 12;
/// Characters of a name or value in the sentence of a change.
const TEXT: usize = 200;

/// What changed since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// When the previous audit had been read.
    pub since: DateTime<Utc>,
    /// Users who became administrators.
    pub granted: usize,
    /// Users who are administrators no longer.
    pub revoked: usize,
    /// Changes of users, roles and profiles: those of administrators, and all others.
    pub access: usize,
    /// Open findings that the previous audit did not have.
    pub new_findings: usize,
    /// Findings of the previous audit that are gone.
    pub resolved: usize,
    /// The most important changes of access as sentences; at most 12 of [`access`](Self::access).
    pub lines: Vec<ChangeLine>,
    /// Whether what looks removed or resolved may still be there, because the read is incomplete.
    pub unsure: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    /// The change as a sentence without a full stop.
    pub sentence: String,
    /// Whether it is about who can administer.
    pub important: bool,
}

impl Changes {
    pub(super) fn of(audit: &Audit) -> Option<Self> {
        let previous = audit.drift.previous.as_ref()?;
        let changes = &audit.drift.changes;
        let of_kind = |kind| changes.iter().filter(|change| change.kind == kind).count();
        let resolved = of_kind(ChangeKind::FindingResolved);
        Some(Self {
            since: previous.finished_at,
            granted: of_kind(ChangeKind::AdministratorGranted),
            revoked: of_kind(ChangeKind::AdministratorRevoked),
            access: changes.len() - of_kind(ChangeKind::FindingNew) - resolved,
            new_findings: audit.open_findings().filter(|finding| is_new(finding)).count(),
            resolved,
            lines: changes.iter().filter(|change| is_of_access(change)).take(NAMED).map(line).collect(),
            unsure: !audit.directory.reading.is_complete(),
        })
    }

    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        self.access == 0 && self.new_findings == 0 && self.resolved == 0
    }

    /// The parts that are not zero: `+1 administrator`, `2 findings new`, `1 resolved`, `3 other changes`.
    pub(super) fn phrases(&self) -> Vec<String> {
        let mut phrases = Vec::new();
        if self.granted > 0 {
            phrases.push(format!("+{}", count(self.granted, "administrator")));
        }
        if self.revoked > 0 {
            phrases.push(format!("−{}", count(self.revoked, "administrator")));
        }
        if self.new_findings > 0 {
            phrases.push(format!("{} new", count(self.new_findings, "finding")));
        }
        if self.resolved > 0 {
            phrases.push(format!("{} resolved", number(self.resolved)));
        }
        let others = self.access - self.granted - self.revoked;
        if others > 0 {
            phrases.push(count(others, if phrases.is_empty() { "change" } else { "other change" }));
        }
        phrases
    }

    /// The changes in one sentence: `Since 23 February 2026, 08:00 UTC: +1 administrator, 2 findings new.`
    pub fn summary(&self) -> String {
        let since = self.since.format("%-d %B %Y, %H:%M UTC");
        let what = if self.is_none() { "nothing changed".to_owned() } else { self.phrases().join(", ") };
        let unsure = if self.unsure {
            " Because the read is incomplete, what looks removed or resolved may still be there."
        } else {
            ""
        };
        format!("Since {since}: {what}.{unsure}")
    }
}

/// Shown instead of changes in a first audit.
pub(super) const FIRST: &str = "This is the first audit of this workspace and job: there is nothing to compare with.";

/// Whether a change is one of access, and not of what is found of it.
pub(super) fn is_of_access(change: &Change) -> bool {
    !matches!(change.kind, ChangeKind::FindingNew | ChangeKind::FindingResolved)
}

fn line(change: &Change) -> ChangeLine {
    let important = matches!(
        change.kind,
        ChangeKind::AdministratorGranted | ChangeKind::AdministratorRevoked | ChangeKind::PrimaryUserChanged
    );
    ChangeLine { sentence: sentence(change), important }
}

/// A change as a sentence without a full stop: `Dana Reyes became Administrator (was Standard)`. Long names are cut.
pub fn sentence(change: &Change) -> String {
    let [subject, before, after] = [&change.subject, &change.before, &change.after].map(|text| cut(text, TEXT));
    let field = change.field;
    let was = if before.is_empty() { String::new() } else { format!(" (was {before})") };
    match change.kind {
        ChangeKind::AdministratorGranted if after.is_empty() || after == "Administrator" => {
            format!("{subject} became Administrator{was}")
        }
        ChangeKind::AdministratorGranted => format!("{subject} became administrator through profile {after}{was}"),
        ChangeKind::AdministratorRevoked if after.is_empty() => format!("{subject} is no longer Administrator"),
        ChangeKind::AdministratorRevoked => format!("{subject} is no longer Administrator (now {after})"),
        ChangeKind::PermissionAdded => format!("Profile {subject} gained the permission {}", either(&after, field)),
        ChangeKind::PermissionRemoved => format!("Profile {subject} lost the permission {}", either(&before, field)),
        ChangeKind::FindingNew => format!("New finding: {subject}{}", detail(&after)),
        ChangeKind::FindingResolved => format!("Resolved: {subject}{}", detail(&before)),
        ChangeKind::ProfileAdded | ChangeKind::ProfileRemoved => {
            format!("Profile {subject} {}", change.kind.phrase())
        }
        ChangeKind::RoleAdded | ChangeKind::RoleRemoved => format!("Role {subject} {}", change.kind.phrase()),
        ChangeKind::ProfileRenamed => format!("Profile {} was renamed{was}", either(&after, &subject)),
        ChangeKind::RoleRenamed => format!("Role {} was renamed{was}", either(&after, &subject)),
        ChangeKind::RoleMoved if after.is_empty() => format!("Role {subject} is now at the top of the hierarchy{was}"),
        ChangeKind::RoleMoved => format!("Role {subject} now reports to {after}{was}"),
        ChangeKind::PrimaryUserChanged if !after.is_empty() => {
            format!("{after} is now the primary user, the super admin{was}")
        }
        kind if after.is_empty() => format!("{subject} {}{was}", kind.phrase()),
        kind => format!("{subject} {}: {after}{was}", kind.phrase()),
    }
}

fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn detail(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
