//! Drift: what changed since the previous audit.
//!
//! What a store keeps of an audit to compare with the next is a [`SnapshotHeader`] and a stream of
//! [`SnapshotUser`]s in the order of ids. [`compare_access`] joins that stream with the directory as both pass by, so
//! that memory holds the changes and never a second population.

mod departed;
mod findings;
mod masters;
mod policy;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod users;

pub use crate::model::change::KnownFinding;
pub use findings::{known_findings, mark_continuing};
pub use snapshot::{Said, SnapshotHeader, SnapshotUser, snapshot_users};

use std::collections::HashSet;

use super::matrix::{AccessMatrix, MatrixRow};
use crate::model::{
    change::{Change, ChangeKind, Departed, Drift, LastPower, Previous, Untold},
    finding::{Finding, RuleOutcome},
    id::{ProfileId, numeric_order},
    policy::Policy,
    roster::Roster,
    rule::RuleList,
    users::UserIndex,
};

/// A workspace as it was read, before it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What was read, joined.
    pub matrix: &'a AccessMatrix<'a>,
    /// The ids of administrator profiles.
    pub administrator_profiles: &'a [ProfileId],
    /// The policy that it is judged by.
    pub policy: &'a Policy,
    /// The rules that judge it.
    pub rules: &'a RuleList,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
}

/// An audit as it is compared and kept.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// What was read.
    pub seen: Seen<'a>,
    /// The users of [`Drift::undecided`].
    pub undecided: &'a [UserIndex],
    /// What the rules found.
    pub findings: &'a [Finding],
    /// The result of each rule.
    pub outcomes: &'a [RuleOutcome],
}

/// What the rules find under the policy of the previous audit: what it has and this audit has not is no longer counted,
/// and not resolved.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// What they find in this audit's directory.
    pub findings: &'a [Finding],
    /// The result of each rule.
    pub outcomes: &'a [RuleOutcome],
}

/// What changed in who can do what, and in the policy, since the previous audit.
#[derive(Debug, PartialEq, Eq)]
pub struct AccessDrift {
    /// The active users whose full power is newer than the first audit, by id.
    new_power: Vec<UserIndex>,
    newly_known: usize,
    untold: Untold<UserIndex>,
    departed: Vec<Departed>,
    previous: Previous,
    changes: Vec<Change>,
}

/// Compares who can do what with the previous audit, before it is judged.
///
/// `previous_users` come in the order of [`snapshot_users`]: by id as a number. After an incomplete read, no user is
/// reported as removed who may only have been missed.
///
/// # Errors
/// The first error of `previous_users`.
pub fn compare_access<'p, E>(
    seen: &Seen<'_>,
    previous: &SnapshotHeader,
    previous_users: impl IntoIterator<Item = Result<SnapshotUser<'p>, E>>,
) -> Result<AccessDrift, E> {
    let mut changes = Vec::new();
    masters::compare(seen, previous, &mut changes);
    policy::compare(seen, previous, &mut changes);
    let compared = users::compare(seen, previous, previous_users, &mut changes)?;
    Ok(AccessDrift {
        new_power: new_power(seen, previous, &compared.granted),
        newly_known: compared.newly_known,
        untold: compared.untold,
        departed: departed::departed(seen, &previous.departed, compared.departed),
        previous: Previous {
            id: previous.id.clone(),
            finished_at: previous.finished_at,
            users: previous.users,
            administrators: compared.administrators,
        },
        changes,
    })
}

/// The users who got full power now, or earlier and were not decided about, and still have it.
fn new_power(seen: &Seen<'_>, previous: &SnapshotHeader, granted: &[UserIndex]) -> Vec<UserIndex> {
    let granted: HashSet<UserIndex> = granted.iter().copied().collect();
    let untold = previous.untold.users.iter().filter(|(_, last)| *last == LastPower::Undecided).map(|(id, _)| id);
    let known: HashSet<&str> = previous.undecided.iter().chain(untold).map(String::as_str).collect();
    let users = seen.matrix.rows().filter(MatrixRow::can_administer).map(|row| row.user);
    users.filter(|user| granted.contains(&user.index()) || known.contains(user.id())).map(|user| user.index()).collect()
}

impl AccessDrift {
    /// Adds what changed in where the rosters are and how they are read and relied on. Rosters that only one of the audits had
    /// are changes of the policy.
    #[must_use]
    pub fn with_rosters(mut self, previous: &SnapshotHeader, now: Option<&Roster>) -> Self {
        policy::compare_rosters(&previous.roster_terms, now, &mut self.changes);
        self
    }

    /// What changed in who can do what, and in the policy.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Those whose new full power a policy does not approve. An exception accepts it, too; it is left to
    /// the rule that reports these users, so that they are remembered when it ends.
    pub fn undecided(&self, matrix: &AccessMatrix<'_>, policy: &Policy) -> Vec<UserIndex> {
        let is_open = |user: &&UserIndex| policy.approves(matrix.row(**user).user.email()) != Some(true);
        self.new_power.iter().filter(is_open).copied().collect()
    }
}

/// What changed since the previous audit, the most important first, then by id.
///
/// After an incomplete read, no finding is reported as resolved. A finding of a rule that was not evaluated is not
/// reported as resolved either, nor one about a subject whose fields could not be read.
///
/// `before` is what the rules find under the previous policy; `None` if the policy is the same, or not known.
pub fn compare_findings(
    current: &Current<'_>,
    previous: &SnapshotHeader,
    before: Option<Before<'_>>,
    access: AccessDrift,
) -> Drift {
    let AccessDrift { previous: earlier, mut changes, newly_known, untold, departed, .. } = access;
    let unknown = findings::compare(current, previous, before, &untold, &mut changes);
    // Stable: changes of one kind and subject stay in the order in which they were found.
    changes.sort_by(|a, b| (a.kind.cmp(&b.kind)).then_with(|| numeric_order(&a.subject_id, &b.subject_id)));
    let undecided = current.undecided.to_vec();
    Drift { previous: Some(earlier), changes, newly_known, undecided, departed, unknown, untold }
}

/// Whom or what a change is about.
#[derive(Clone, Copy)]
struct About<'a> {
    kind: &'static str,
    id: &'a str,
    label: &'a str,
}

impl About<'_> {
    fn change(&self, kind: ChangeKind, field: &'static str, before: &str, after: &str) -> Change {
        Change {
            kind,
            subject_type: self.kind,
            subject_id: self.id.to_owned(),
            subject: self.label.to_owned(),
            field,
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }
}
