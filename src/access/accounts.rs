//! Which users are declared accounts: those that the policy says are not people.
//!
//! An address or id precedes a pattern, then the first declaration stands. A pattern does not cover a user with full
//! power: whoever can administer has to be named. Deleted users are nobody's account.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::matrix::{AccessMatrix, MatrixRow};
use crate::model::{
    account::Account,
    email::comparable,
    pattern::Pattern,
    policy::Policy,
    users::{User, UserIndex},
};

/// The declared accounts of a workspace.
#[derive(Debug, Default)]
pub struct DeclaredAccounts<'a> {
    users: BTreeMap<UserIndex, &'a Account>,
    entries: Vec<DeclaredAccount<'a>>,
}

/// A declaration for this workspace, and what it matches.
#[derive(Debug)]
pub struct DeclaredAccount<'a> {
    /// The declaration.
    pub account: &'a Account,
    /// Whether its last day is over: then it does not apply.
    pub is_over: bool,
    /// Whether a user matches it.
    pub is_matched: bool,
    /// Users with full power that match its pattern, and that it therefore does not cover. Those that another
    /// declaration names are not among them.
    pub too_powerful: Vec<UserIndex>,
}

impl<'a> DeclaredAccounts<'a> {
    /// The declared accounts of a workspace under a policy.
    pub fn of(matrix: &AccessMatrix<'_>, policy: &'a Policy, workspace: &str, today: NaiveDate) -> Self {
        let is_here = |account: &&Account| account.workspace.as_deref().is_none_or(|name| name == workspace);
        let entry = |account| DeclaredAccount {
            account,
            is_over: Account::is_over(account, today),
            is_matched: false,
            too_powerful: Vec::new(),
        };
        let entries: Vec<_> = policy.accounts.iter().filter(is_here).map(entry).collect();
        if entries.is_empty() {
            return Self::default();
        }
        let subjects = Subjects::of(&entries);
        let mut declared = Self { users: BTreeMap::new(), entries };
        for row in matrix.rows().filter(|row| !row.user.status().is_deleted()) {
            declared.look_at(&row, &subjects);
        }
        declared
    }

    fn look_at(&mut self, row: &MatrixRow<'_>, subjects: &Subjects) {
        let (named, patterns) = subjects.matching(&row.user);
        let user = row.user.index();
        for number in named.iter().chain(&patterns) {
            self.entries[*number].is_matched = true;
        }
        let applies = |number: &&usize| !self.entries[**number].is_over;
        if let Some(number) = named.iter().find(applies) {
            self.users.insert(user, self.entries[*number].account);
        } else if let Some(number) = patterns.iter().find(applies).copied() {
            if row.power().is_full() {
                self.entries[number].too_powerful.push(user);
            } else {
                self.users.insert(user, self.entries[number].account);
            }
        }
    }

    /// The account that a user is declared to be. `None` for a person.
    pub fn get(&self, user: UserIndex) -> Option<&'a Account> {
        self.users.get(&user).copied()
    }

    /// The users that are declared accounts, by id.
    pub fn users(&self) -> impl ExactSizeIterator<Item = (UserIndex, &'a Account)> {
        self.users.iter().map(|(user, account)| (*user, *account))
    }

    /// The declarations for this workspace, in the policy's order.
    pub fn entries(&self) -> &[DeclaredAccount<'a>] {
        &self.entries
    }
}

/// The subjects of all declarations, ready to be looked up: the numbers of the entries.
struct Subjects {
    exact: HashMap<String, Vec<usize>>,
    patterns: Vec<(usize, Pattern)>,
}

impl Subjects {
    fn of(entries: &[DeclaredAccount<'_>]) -> Self {
        let mut subjects = Self { exact: HashMap::new(), patterns: Vec::new() };
        for (number, entry) in entries.iter().enumerate() {
            let subject = &entry.account.subject;
            match Pattern::parse(subject) {
                Ok(pattern) if !pattern.is_exact() => subjects.patterns.push((number, pattern)),
                _ => subjects.exact.entry(comparable(subject)).or_default().push(number),
            }
        }
        subjects
    }

    /// The entries that name a user, and those whose pattern matches it.
    fn matching(&self, user: &User<'_>) -> (Vec<usize>, Vec<usize>) {
        let keys = [Some(user.id().to_ascii_lowercase()), user.email().map(comparable)];
        let mut named: Vec<usize> =
            keys.iter().flatten().filter_map(|key| self.exact.get(key)).flatten().copied().collect();
        named.sort_unstable();
        let is_like = |pattern: &Pattern| {
            pattern.matches(user.id()) || user.email().is_some_and(|address| pattern.matches_address(address))
        };
        let patterns = self.patterns.iter().filter(|(_, pattern)| is_like(pattern)).map(|(number, _)| *number);
        (named, patterns.collect())
    }
}
