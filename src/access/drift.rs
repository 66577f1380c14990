//! Drift: what changed since the previous audit.
//!
//! What a store keeps of an audit to compare with the next is a [`SnapshotHeader`] and a stream of
//! [`SnapshotUser`]s in the order of ids. [`compare`] joins that stream with the directory as both pass by, so
//! that memory holds the changes and never a second population.

mod findings;
mod masters;
mod snapshot;
#[cfg(test)]
mod tests;
mod users;

pub use findings::mark_continuing;
pub use snapshot::{KnownFinding, SnapshotHeader, SnapshotUser, snapshot_users};

use super::matrix::AccessMatrix;
use crate::model::{
    change::{Change, ChangeKind, Drift, Previous},
    finding::{Finding, RuleOutcome},
    id::{ProfileId, numeric_order},
};

/// An audit as it is compared and kept.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// What was read, joined.
    pub matrix: &'a AccessMatrix<'a>,
    /// The ids of administrator profiles.
    pub administrator_profiles: &'a [ProfileId],
    /// What the rules found.
    pub findings: &'a [Finding],
    /// The result of each rule.
    pub outcomes: &'a [RuleOutcome],
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
}

/// What changed since the previous audit, the most important first, then by id.
///
/// `previous_users` come in the order of [`snapshot_users`]: by id as a number.
///
/// Nothing is reported as gone that may only have been missed: after an incomplete read, no user is reported as removed
/// and no finding as resolved. A finding of a rule that was not evaluated is not reported as resolved either.
///
/// # Errors
/// The first error of `previous_users`.
pub fn compare<'p, E>(
    current: &Current<'_>,
    previous: &SnapshotHeader,
    previous_users: impl IntoIterator<Item = Result<SnapshotUser<'p>, E>>,
) -> Result<Drift, E> {
    let mut changes = Vec::new();
    masters::compare(current, previous, &mut changes);
    users::compare(current, previous, previous_users, &mut changes)?;
    findings::compare(current, previous, &mut changes);
    // Stable: changes of one kind and subject stay in the order in which they were found.
    changes.sort_by(|a, b| (a.kind.cmp(&b.kind)).then_with(|| numeric_order(&a.subject_id, &b.subject_id)));
    let previous = Previous {
        id: previous.id.clone(),
        finished_at: previous.finished_at,
        users: previous.users,
        administrators: previous.administrators,
    };
    Ok(Drift { previous: Some(previous), changes })
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
