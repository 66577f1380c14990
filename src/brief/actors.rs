//! Who should resolve a finding. Nobody is asked to resolve a finding about themselves.

use std::{collections::HashSet, fmt};

use super::people::granted;
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    model::{
        audit::Audit,
        email,
        finding::{Finding, Severity, Subject},
        id::{ProfileId, RoleId},
        users::{User, UserIndex},
    },
    words,
};

/// The most people that [`Who`] names.
const NAMED: usize = 3;

/// The rule that finds a read incomplete: to resolve its finding, rolecall has to run again.
const INCOMPLETE_READ: &str = "incomplete-read";

/// Who should resolve a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// One of the workspace's administrators.
    Administrators {
        /// The first of them.
        named: Vec<String>,
        /// How many there are.
        all: usize,
    },
    /// No administrator of the workspace is without a part in it.
    Outsider,
    /// The operator of rolecall.
    Operator,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrators { named, all } => f.write_str(&words::any_of(named, *all)),
            Self::Outsider => f.write_str("someone who is not an administrator, such as the security team"),
            Self::Operator => f.write_str("the operator of rolecall"),
        }
    }
}

/// The administrators who can be asked: active, confirmed, approved if the policy says who is, in no open finding of
/// severity high or critical, and not new in that power, which is to be looked at first.
pub(super) struct Actors<'a> {
    matrix: &'a AccessMatrix<'a>,
    trusted: Vec<MatrixRow<'a>>,
}

impl<'a> Actors<'a> {
    pub(super) fn of(audit: &'a Audit, matrix: &'a AccessMatrix<'a>) -> Self {
        let severe = audit.open_findings().filter(|finding| finding.severity >= Severity::High);
        let flagged: HashSet<UserIndex> = severe.filter_map(|finding| user_of(&finding.subject)).collect();
        let granted = granted(audit);
        let approved = |row: &MatrixRow<'_>| audit.policy.approves(row.user.email()) != Some(false);
        let trusted = |row: &MatrixRow<'_>| {
            row.is_active_administrator()
                && row.user.confirmed() != Some(false)
                && approved(row)
                && !flagged.contains(&row.user.index())
                && !granted.contains(row.user.id())
        };
        Self { matrix, trusted: matrix.rows().filter(trusted).collect() }
    }

    /// Who should resolve some findings of one rule.
    pub(super) fn for_findings(&self, rule: &str, findings: &[&Finding]) -> Who {
        if rule == INCOMPLETE_READ {
            return Who::Operator;
        }
        let concerned = Concerned::of(self.matrix, findings);
        let free = || self.trusted.iter().filter(|row| !concerned.includes(row));
        let named: Vec<String> = free().take(NAMED).map(|row| super::short(row.user.label()).into_owned()).collect();
        match free().count() {
            0 => Who::Outsider,
            all => Who::Administrators { named, all },
        }
    }
}

fn user_of(subject: &Subject) -> Option<UserIndex> {
    if let Subject::User(index) = subject { Some(*index) } else { None }
}

/// Whom some findings are about: users, as accounts and as people, and the holders of roles and profiles.
#[derive(Default)]
struct Concerned<'a> {
    users: HashSet<UserIndex>,
    people: HashSet<&'a str>,
    addresses: HashSet<String>,
    names: HashSet<&'a str>,
    roles: HashSet<&'a RoleId>,
    profiles: HashSet<&'a ProfileId>,
}

impl<'a> Concerned<'a> {
    fn of(matrix: &AccessMatrix<'a>, findings: &[&'a Finding]) -> Self {
        let mut concerned = Self::default();
        for finding in findings {
            match &finding.subject {
                Subject::Workspace => {}
                Subject::User(index) => concerned.add(matrix.row(*index).user),
                Subject::Role(id) => drop(concerned.roles.insert(id)),
                Subject::Profile(id) => drop(concerned.profiles.insert(id)),
            }
        }
        concerned
    }

    fn add(&mut self, user: User<'a>) {
        self.users.insert(user.index());
        self.people.extend(user.zuid());
        self.addresses.extend(user.email().map(email::comparable));
        self.names.insert(user.label());
    }

    /// Whether the findings are about this user: about the account, about another account of the same person as far
    /// as id, address or name tell, or about the role or profile that the user holds.
    fn includes(&self, row: &MatrixRow<'_>) -> bool {
        let user = row.user;
        self.users.contains(&user.index())
            || self.names.contains(user.label())
            || user.zuid().is_some_and(|zuid| self.people.contains(zuid))
            || user.email().is_some_and(|address| self.addresses.contains(&email::comparable(address)))
            || row.role.is_some_and(|role| self.roles.contains(&role.stated.id))
            || row.profile.is_some_and(|profile| self.profiles.contains(&profile.stated.id))
    }
}
