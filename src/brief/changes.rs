//! What changed since the previous audit.

use chrono::{DateTime, Utc};

use super::{cut, is_new, policy, short};
use crate::{
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
        directory::Directory,
    },
    words::{count, number},
};

/// Changes that [`Changes::lines`] phrases.
const NAMED: usize = 12;
/// Users with new full power that the verdict names.
const IN_VERDICT: usize = 3;
/// Characters of a name or value in the sentence of a change.
const TEXT: usize = 200;

/// What changed since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// When the previous audit had been read.
    pub since: DateTime<Utc>,
    /// Users who could not administer and now can.
    pub granted: usize,
    /// Users who could administer and no longer can.
    pub revoked: usize,
    /// Changes of users, roles and profiles, those of who can administer included, and one line for each of the two
    /// changes of the policy.
    pub access: usize,
    /// How the policy is looser, in a few words: `12 rules switched off (no-role, …)`. Empty if it does not.
    pub loosened: String,
    /// How it is stricter, or says something else.
    pub tightened: String,
    /// Open findings that the previous audit did not have.
    pub new_findings: usize,
    /// Findings of the previous audit that are gone.
    pub resolved: usize,
    /// Findings of the previous audit that are only gone because the policy changed.
    pub not_counted: usize,
    /// Findings that an exception accepts since the previous audit.
    pub accepted: usize,
    /// Findings that an exception accepted at the previous audit, and that are open again.
    pub reopened: usize,
    /// The users who could not administer and now can, and how: `Orla Yarrow became Administrator`; at most 3 of
    /// [`granted`](Self::granted).
    pub(super) new_power: Vec<NewPower>,
    /// The new primary user (super admin), as a sentence without a full stop. `None` if it is the same.
    pub(super) new_primary: Option<String>,
    /// The most important changes of access as sentences; at most 12 of [`access`](Self::access).
    pub lines: Vec<ChangeLine>,
    /// Whether what looks removed or resolved may still be there, because the read is incomplete.
    pub unsure: bool,
    /// Records with a field that could not be read, and so could not be compared.
    pub unread: usize,
}

/// Somebody who can administer since the previous audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewPower {
    /// The user as a person would name it.
    pub(super) name: String,
    /// How, as a phrase after the name: `became Administrator`.
    pub(super) how: String,
}

impl NewPower {
    fn of(change: &Change) -> Self {
        let how = granted_how(change.kind, change.field, &short(&change.after));
        Self { name: short(&change.subject).into_owned(), how }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    /// The change as a sentence without a full stop.
    pub sentence: String,
    /// Whether it is about who can administer.
    pub important: bool,
}

/// Whether the organization has another primary user.
fn is_of_primary(change: &Change) -> bool {
    change.kind == ChangeKind::PrimaryUserChanged
}

impl Changes {
    pub(super) fn of(audit: &Audit) -> Option<Self> {
        let previous = audit.drift.previous.as_ref()?;
        let changes = &audit.drift.changes;
        let of_kind = |kind| changes.iter().filter(|change| change.kind == kind).count();
        let of_policy = |kind| policy::summary(changes.iter().filter(|change| change.kind == kind));
        let (loosened, tightened) = (of_policy(ChangeKind::PolicyLoosened), of_policy(ChangeKind::PolicyChanged));
        let others = changes.iter().filter(|change| is_of_access(change)).count();
        let policy_lines =
            [policy_line("The policy is looser", &loosened), policy_line("The policy changed", &tightened)];
        let policy_lines: Vec<ChangeLine> = policy_lines.into_iter().flatten().collect();
        // Who got or lost full power comes first, then the policy, then the rest.
        let access = || changes.iter().filter(|change| is_of_access(change));
        let of_power = |change: &&Change| change.kind.is_granted() || change.kind.is_revoked() || is_of_primary(change);
        let lines = access().filter(of_power).take(NAMED - policy_lines.len()).map(line);
        let lines: Vec<ChangeLine> = lines
            .chain(policy_lines.clone())
            .chain(access().filter(|change| !of_power(change)).map(line))
            .take(NAMED)
            .collect();
        Some(Self {
            since: previous.finished_at,
            granted: changes.iter().filter(|change| change.kind.is_granted()).count(),
            revoked: changes.iter().filter(|change| change.kind.is_revoked()).count(),
            access: others + policy_lines.len(),
            loosened,
            tightened,
            new_findings: audit.open_findings().filter(|finding| is_new(finding)).count(),
            resolved: of_kind(ChangeKind::FindingResolved),
            not_counted: of_kind(ChangeKind::FindingNotCounted),
            accepted: of_kind(ChangeKind::FindingAccepted),
            reopened: changes.iter().filter(|change| change.is_reopened()).count(),
            new_power: changes
                .iter()
                .filter(|change| change.kind.is_granted())
                .take(IN_VERDICT)
                .map(NewPower::of)
                .collect(),
            new_primary: changes.iter().find(|change| is_of_primary(change)).map(sentence),
            lines,
            unsure: !audit.directory.reading.is_complete(),
            unread: unread(&audit.directory),
        })
    }

    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        let of_findings = [self.new_findings, self.reopened, self.resolved, self.not_counted, self.accepted];
        self.access == 0 && of_findings.iter().all(|count| *count == 0)
    }

    /// The parts that are not zero: `+1 administrator`, `policy is looser`, `2 new findings`, `1 resolved`, `3 other
    /// changes`.
    pub(super) fn phrases(&self) -> Vec<String> {
        let mut phrases = Vec::new();
        if self.granted > 0 {
            phrases.push(format!("+{}", count(self.granted, "administrator")));
        }
        if self.revoked > 0 {
            phrases.push(format!("−{}", count(self.revoked, "administrator")));
        }
        if self.new_primary.is_some() {
            phrases.push("new primary user".to_owned());
        }
        if !self.loosened.is_empty() {
            phrases.push("policy is looser".to_owned());
        }
        if self.new_findings > 0 {
            phrases.push(count(self.new_findings, "new finding"));
        }
        if self.reopened > 0 {
            phrases.push(format!("{} open again", count(self.reopened, "finding")));
        }
        if self.resolved > 0 {
            phrases.push(format!("{} resolved", number(self.resolved)));
        }
        if self.not_counted > 0 {
            phrases.push(format!("{} no longer counted (policy changed)", number(self.not_counted)));
        }
        if self.accepted > 0 {
            phrases.push(format!("{} newly accepted", number(self.accepted)));
        }
        if !self.tightened.is_empty() {
            phrases.push("policy changed".to_owned());
        }
        let of_policy = usize::from(!self.loosened.is_empty()) + usize::from(!self.tightened.is_empty());
        let named = self.granted + self.revoked + usize::from(self.new_primary.is_some()) + of_policy;
        let others = self.access - named;
        if others > 0 {
            phrases.push(count(others, if phrases.is_empty() { "change" } else { "other change" }));
        }
        phrases
    }

    /// The changes in one sentence: `Since 23 February 2026, 08:00 UTC: +1 administrator, 2 new findings.`
    pub fn summary(&self) -> String {
        let since = self.since.format("%-d %B %Y, %H:%M UTC");
        let what = if self.is_none() { "nothing changed".to_owned() } else { self.phrases().join(", ") };
        let unsure = if self.unsure {
            " Because the read is incomplete, what looks removed or resolved may still be there."
        } else {
            ""
        };
        let unread = match self.unread {
            0 => String::new(),
            unread => format!(" {} could not be compared in full.", count(unread, "record")),
        };
        format!("Since {since}: {what}.{unsure}{unread}")
    }
}

/// How many records have a field that could not be read.
fn unread(directory: &Directory) -> usize {
    let users = directory.users.iter().filter(|user| !user.unread().is_empty()).count();
    users + directory.unread.roles.len() + directory.unread.profiles.len()
}

/// Shown instead of changes in a first audit.
pub(super) const FIRST: &str = "This is the first audit of this workspace and job: there is nothing to compare with.";

/// Whether a change is one of access, and not of the policy or of what is found.
fn is_of_access(change: &Change) -> bool {
    !change.kind.is_of_finding() && !change.kind.is_of_policy()
}

/// The changes of the policy as one line. `None` if there is none.
fn policy_line(what: &str, summary: &str) -> Option<ChangeLine> {
    (!summary.is_empty()).then(|| ChangeLine { sentence: format!("{what}: {summary}"), important: true })
}

fn line(change: &Change) -> ChangeLine {
    let kind = change.kind;
    let important = kind.is_granted() || kind.is_revoked() || kind == ChangeKind::PrimaryUserChanged;
    ChangeLine { sentence: sentence(change), important }
}

/// A change as a sentence without a full stop: `Dana Reyes became Administrator (was Standard)`. Long names are cut.
pub fn sentence(change: &Change) -> String {
    let [subject, before, after] = [&change.subject, &change.before, &change.after].map(|text| cut(text, TEXT));
    let field = change.field;
    let was = if before.is_empty() { String::new() } else { format!(" (was {before})") };
    match change.kind {
        kind if kind.is_granted() => format!("{subject} {}{was}", granted_how(kind, field, &after)),
        kind if kind.is_revoked() => format!("{subject} {}", revoked_how(kind, field, &before, &after)),
        kind if kind.is_of_policy() => format!("Policy: {}", policy::sentence(change)),
        ChangeKind::PermissionAdded | ChangeKind::PermissionRemoved if change.is_of_role_power() => {
            format!("Role {subject} {}", change.phrase())
        }
        ChangeKind::PermissionAdded => format!("Profile {subject} gained the permission {}", either(&after, field)),
        ChangeKind::PermissionRemoved => format!("Profile {subject} lost the permission {}", either(&before, field)),
        ChangeKind::FindingNew if change.is_reopened() => format!("Open again: {subject}{}", detail(&after)),
        ChangeKind::FindingNew => format!("New finding: {subject}{}", detail(&after)),
        ChangeKind::FindingResolved => format!("Resolved: {subject}{}", detail(&before)),
        ChangeKind::FindingAccepted => format!("Accepted by an exception: {subject}"),
        ChangeKind::FindingNotCounted => {
            format!("No longer counted because the policy changed: {subject}{}", detail(&before))
        }
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
        ChangeKind::NameChanged if !before.is_empty() && !after.is_empty() => format!("{before} is now called {after}"),
        ChangeKind::NameChanged if before.is_empty() => format!("{subject} has a name now"),
        ChangeKind::NameChanged => format!("{subject} has no name any more{was}"),
        kind if after.is_empty() => format!("{subject} {}{was}", kind.phrase()),
        kind => format!("{subject} {}: {after}{was}", kind.phrase()),
    }
}

/// `became Administrator`, or what else gave full power.
fn granted_how(kind: ChangeKind, field: &str, after: &str) -> String {
    match (kind, field) {
        (ChangeKind::AdministratorGranted, "status") => format!("is {after} again and can administer"),
        (_, "status") => format!("is {after} again and has full power"),
        (ChangeKind::AdministratorGranted, _) if after.is_empty() || after == "Administrator" => {
            "became Administrator".to_owned()
        }
        (ChangeKind::AdministratorGranted, _) => format!("became administrator through profile {after}"),
        (_, "permissions") => {
            format!("got full power: profile {after} now permits everything that Administrator permits")
        }
        (_, "admin_user") => format!("got full power: role {after} is now administrative"),
        (_, field) => format!("got full power through {field} {after}"),
    }
}

fn revoked_how(kind: ChangeKind, field: &str, before: &str, after: &str) -> String {
    let now = if after.is_empty() { String::new() } else { format!(" (now {after})") };
    match (kind, field) {
        (ChangeKind::AdministratorRevoked, _) => format!("is no longer Administrator{now}"),
        (_, "permissions") => format!("no longer has full power: profile {before} permits less than Administrator"),
        (_, "admin_user") => format!("no longer has full power: role {before} is no longer administrative"),
        (_, "status") => format!("no longer has full power{now}"),
        (_, field) => format!("no longer has full power through {field} {before}{now}"),
    }
}

fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn detail(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
