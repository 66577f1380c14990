//! Who decides about what: the first rule that matches an account names its reviewer.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    accounts::{is_of, key, keys},
    item::{Item, Masters, Named},
    person::{Address, Worker},
    staff::Staff,
};
use crate::model::pattern::Pattern;

/// A rule. All conditions that it has must hold.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The workspace's name. `None` for any.
    pub workspace: Option<Pattern>,
    /// The role's name or id. `None` for any.
    pub role: Option<Pattern>,
    /// The profile's name or id. `None` for any.
    pub profile: Option<Pattern>,
    /// The department in the roster. `None` for any.
    pub department: Option<Pattern>,
    /// Who decides.
    pub reviewer: Choice,
    /// Who decides if the reviewer may not. `None` if nobody is named.
    pub alternate: Option<Address>,
}

/// How a rule names the reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This person.
    Person(Address),
    /// The manager in the roster. The rule does not match an account without one.
    Manager,
}

/// What a rule reads of the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Who is whose manager.
    Manager,
    /// Who is in which department.
    Department,
}

impl Rule {
    /// What it reads of the roster. `None` if it needs none.
    pub fn need(&self) -> Option<Need> {
        let department = self.department.as_ref().map(|_| Need::Department);
        if self.reviewer == Choice::Manager { Some(Need::Manager) } else { department }
    }

    /// Who decides about an account by this rule, in the order of preference. `None` if it does not match.
    fn candidates(&self, item: &Item, worker: &Worker) -> Option<Vec<Address>> {
        let is_like = |pattern: &Pattern, named: Option<&Named>| {
            named.is_some_and(|named| {
                pattern.matches(&named.id) || named.name.as_deref().is_some_and(|name| pattern.matches(name))
            })
        };
        let holds = |pattern: &Option<Pattern>, test: &dyn Fn(&Pattern) -> bool| pattern.as_ref().is_none_or(test);
        let matches = holds(&self.workspace, &|pattern| pattern.matches(&item.workspace))
            && holds(&self.role, &|pattern| is_like(pattern, item.role.as_ref()))
            && holds(&self.profile, &|pattern| is_like(pattern, item.profile.as_ref()))
            && holds(&self.department, &|pattern| worker.departments.iter().any(|name| pattern.matches(name)));
        let reviewer = match &self.reviewer {
            Choice::Person(address) => Some(address.clone()),
            Choice::Manager => worker.manager.clone(),
        };
        let reviewer = reviewer.filter(|_| matches)?;
        Some([Some(reviewer), self.alternate.clone()].into_iter().flatten().collect())
    }
}

/// Why an account cannot get a reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReviewer {
    /// No rule matches.
    NoRule,
    /// Everybody who could decide is the person whose account it is.
    OnlySelf,
}

/// Gives each account its reviewer, in order.
pub(super) struct Assigning<'a> {
    rules: &'a [Rule],
    owner: &'a Address,
    /// Who decides about the accounts of a person.
    decides: BTreeMap<String, BTreeSet<Address>>,
}

impl<'a> Assigning<'a> {
    /// Begins.
    pub(super) fn new(rules: &'a [Rule], owner: &'a Address) -> Self {
        Self { rules, owner, decides: BTreeMap::new() }
    }

    /// The reviewer of an account, and who else may be asked. Nobody gets their own account. Nobody who has left, and nobody
    /// whose own account the person decides about, gets it if somebody else can decide.
    ///
    /// # Errors
    /// [`NoReviewer`]
    pub(super) fn next(
        &mut self,
        item: &Item,
        worker: &Worker,
        (masters, staff): (&Masters, &Staff<'_>),
    ) -> Result<(Address, Vec<Address>), NoReviewer> {
        let mut candidates: Vec<Address> = Vec::new();
        for address in self.rules.iter().filter_map(|rule| rule.candidates(item, worker)).flatten() {
            if !candidates.contains(&address) {
                candidates.push(address);
            }
        }
        if candidates.is_empty() {
            return Err(NoReviewer::NoRule);
        }
        if !candidates.contains(self.owner) {
            candidates.push(self.owner.clone());
        }
        candidates.retain(|candidate| !is_of(Some(masters), item, candidate));
        if candidates.is_empty() {
            return Err(NoReviewer::OnlySelf);
        }
        if candidates.iter().any(|candidate| !staff.has_left(candidate)) {
            candidates.retain(|candidate| !staff.has_left(candidate));
        }
        let is_mutual = |candidate: &Address| {
            let decides = self.decides.get(&key(Some(masters), candidate));
            decides.is_some_and(|decides| decides.iter().any(|one| is_of(Some(masters), item, one)))
        };
        let place = candidates.iter().position(|candidate| !is_mutual(candidate)).unwrap_or(0);
        let reviewer = candidates.remove(place);
        for own in keys(Some(masters), item) {
            self.decides.entry(own).or_default().insert(reviewer.clone());
        }
        Ok((reviewer, candidates))
    }
}
