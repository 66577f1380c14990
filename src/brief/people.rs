//! Who can administer.

use std::collections::HashSet;

use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    model::{audit::Audit, change::ChangeKind},
};

/// The most people that [`People`] names.
const NAMED: usize = 20;

/// Who can administer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The new ones first, then by name; at most 20.
    pub named: Vec<Person>,
    /// How many there are.
    pub all: usize,
}

/// An active user with an administrator profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user as a person would name it.
    pub label: String,
    /// The address; `None` if the API gave none.
    pub email: Option<String>,
    /// The profile's name on the master list; its id if it is not there.
    pub profile: String,
    /// Whether it is the organization's primary user.
    pub primary: bool,
    /// Whether the invitation was accepted; `None` if the API did not say.
    pub confirmed: Option<bool>,
    /// Whether the power is new since the previous audit.
    pub new: bool,
}

impl Person {
    /// The profile and what is special about the person: `Administrator, primary user`.
    pub fn notes(&self) -> String {
        let mut notes = vec![self.profile.as_str()];
        if self.primary {
            notes.push("primary user");
        }
        if self.confirmed == Some(false) {
            notes.push("invitation not accepted");
        }
        notes.join(", ")
    }
}

impl People {
    pub(super) fn of(audit: &Audit, matrix: &AccessMatrix<'_>) -> Self {
        let granted = granted(audit);
        let mut rows: Vec<(bool, MatrixRow<'_>)> = matrix
            .rows()
            .filter(MatrixRow::is_active_administrator)
            .map(|row| (!granted.contains(row.user.id()), row))
            .collect();
        let all = rows.len();
        let by_news_and_name = |a: &(bool, MatrixRow<'_>), b: &(bool, MatrixRow<'_>)| {
            (a.0, a.1.user.label()).cmp(&(b.0, b.1.user.label())).then_with(|| a.1.user.index().cmp(&b.1.user.index()))
        };
        // Otherwise all users of a workspace in which everybody is an administrator would be sorted.
        if rows.len() > NAMED {
            rows.select_nth_unstable_by(NAMED, by_news_and_name);
            rows.truncate(NAMED);
        }
        rows.sort_by(by_news_and_name);
        Self { named: rows.into_iter().map(|(known, row)| person(audit, &row, !known)).collect(), all }
    }
}

/// The ids of the users who became administrators since the previous audit.
pub(super) fn granted(audit: &Audit) -> HashSet<&str> {
    let granted = audit.drift.changes.iter().filter(|change| change.kind == ChangeKind::AdministratorGranted);
    granted.map(|change| change.subject_id.as_str()).collect()
}

fn person(audit: &Audit, row: &MatrixRow<'_>, new: bool) -> Person {
    let stated = || row.profile.map(|profile| profile.stated.id.to_string()).unwrap_or_default();
    let primary = audit.directory.organization.primary_zuid.as_ref().map(AsRef::as_ref);
    Person {
        label: row.user.label().to_owned(),
        email: row.user.email().map(ToOwned::to_owned),
        profile: row.profile_name().map_or_else(stated, ToOwned::to_owned),
        primary: row.user.zuid().is_some() && row.user.zuid() == primary,
        confirmed: row.user.confirmed(),
        new,
    }
}
