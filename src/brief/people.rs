//! Who can administer.

use std::collections::HashSet;

use crate::{
    access::{
        matrix::{AccessMatrix, MatrixRow},
        power::Power,
    },
    model::{audit::Audit, finding::Subject, users::UserIndex},
};

/// The most people that [`People`] names.
const NAMED: usize = 20;

/// Users of [`People::undecided`].
const UNDECIDED: usize = 3;
/// The rule that reports new full power.
const NEW_FULL_POWER: &str = "new-full-power";

/// Who can administer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The new ones first, then by name; at most 20.
    pub named: Vec<Person>,
    /// How many there are.
    pub all: usize,
    /// Those whose full power was new at an earlier audit and has not been approved; at
    /// most 3.
    pub(super) undecided: Vec<String>,
    /// How many of these there are.
    pub(super) all_undecided: usize,
}

/// An active user who can administer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user as a person would name it.
    pub label: String,
    /// The address; `None` if the API gave none.
    pub email: Option<String>,
    /// The profile's name on the master list; its id if it is not there.
    pub profile: String,
    /// How the power is held, if it is not by an administrator profile; else empty.
    pub otherwise: String,
    /// Whether it is the organization's primary user.
    pub primary: bool,
    /// Whether the invitation was accepted; `None` if the API did not say.
    pub confirmed: Option<bool>,
    /// Whether the power is new since the previous audit.
    pub new: bool,
}

impl Person {
    /// The profile and what is special about the person: `Administrator, primary user`; `Operations Lead, equal to
    /// Administrator`.
    pub fn notes(&self) -> String {
        let mut notes = vec![self.profile.as_str()];
        if !self.otherwise.is_empty() {
            notes.push(&self.otherwise);
        }
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
            .filter(MatrixRow::can_administer)
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
        let earlier = || {
            let users = open_undecided(audit).map(|index| audit.directory.users.get(index));
            users.filter(|user| !granted.contains(user.id()))
        };
        let undecided = earlier().take(UNDECIDED).map(|user| user.label().to_owned()).collect();
        let all_undecided = earlier().count();
        Self {
            undecided,
            all_undecided,
            named: rows.into_iter().map(|(known, row)| person(audit, matrix, &row, !known)).collect(),
            all,
        }
    }
}

/// The users whose new full power is neither approved nor accepted by an exception.
fn open_undecided(audit: &Audit) -> impl Iterator<Item = UserIndex> + '_ {
    let accepted: HashSet<UserIndex> = audit
        .findings
        .iter()
        .filter(|finding| finding.rule == NEW_FULL_POWER && !finding.is_open())
        .filter_map(|finding| if let Subject::User(user) = finding.subject { Some(user) } else { None })
        .collect();
    audit.drift.undecided.iter().copied().filter(move |user| !accepted.contains(user))
}

/// The ids of the users who could not administer at the previous audit and now can.
pub(super) fn granted(audit: &Audit) -> HashSet<&str> {
    let granted = audit.drift.changes.iter().filter(|change| change.kind.is_granted());
    granted.map(|change| change.subject_id.as_str()).collect()
}

fn person(audit: &Audit, matrix: &AccessMatrix<'_>, row: &MatrixRow<'_>, new: bool) -> Person {
    let stated = || row.profile.map(|profile| profile.stated.id.to_string()).unwrap_or_default();
    let primary = audit.directory.organization.primary_zuid.as_ref().map(AsRef::as_ref);
    Person {
        label: row.user.label().to_owned(),
        email: row.user.email().map(ToOwned::to_owned),
        profile: row.profile_name().map_or_else(stated, ToOwned::to_owned),
        otherwise: otherwise(matrix, row),
        primary: row.user.zuid().is_some() && row.user.zuid() == primary,
        confirmed: row.user.confirmed(),
        new,
    }
}

/// `equivalent to Administrator`, or `administrative role CEO`; empty for the holder of an administrator profile.
fn otherwise(matrix: &AccessMatrix<'_>, row: &MatrixRow<'_>) -> String {
    match row.profile_power {
        Power::Administrator => String::new(),
        Power::Equivalent => {
            let profile = row.profile.and_then(|profile| profile.master);
            let original = profile.and_then(|profile| matrix.yardstick().original(profile));
            format!("equivalent to {}", original.map_or("an administrator profile", |original| &original.name))
        }
        Power::Dangerous | Power::Ordinary | Power::Unknown => {
            format!("administrative role {}", row.role_name().unwrap_or_default())
        }
    }
}
