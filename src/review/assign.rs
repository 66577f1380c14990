//! Who decides about what: the first rule that matches an account names its reviewer.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    item::{Item, Named},
    person::{Address, People, Worker},
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

impl Rule {
    /// Who decides about an account by this rule, in the order of preference. `None` if it does not match.
    fn candidates(&self, item: &Item, worker: Option<&Worker>) -> Option<Vec<Address>> {
        let is_like = |pattern: &Pattern, named: Option<&Named>| {
            named.is_some_and(|named| {
                pattern.matches(&named.id) || named.name.as_deref().is_some_and(|name| pattern.matches(name))
            })
        };
        let holds = |pattern: &Option<Pattern>, test: &dyn Fn(&Pattern) -> bool| pattern.as_ref().is_none_or(test);
        let department = worker.and_then(|worker| worker.department.as_deref());
        let matches = holds(&self.workspace, &|pattern| pattern.matches(&item.workspace))
            && holds(&self.role, &|pattern| is_like(pattern, item.role.as_ref()))
            && holds(&self.profile, &|pattern| is_like(pattern, item.profile.as_ref()))
            && holds(&self.department, &|pattern| department.is_some_and(|name| pattern.matches(name)));
        let reviewer = match &self.reviewer {
            Choice::Person(address) => Some(address.clone()),
            Choice::Manager => worker.and_then(|worker| worker.manager.clone()),
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
pub struct Assigning<'a> {
    rules: &'a [Rule],
    owner: &'a Address,
    people: People<'a>,
    /// Who decides about the accounts of a person.
    decides: BTreeMap<Address, BTreeSet<Address>>,
}

impl<'a> Assigning<'a> {
    /// Begins.
    pub fn new(rules: &'a [Rule], owner: &'a Address, people: People<'a>) -> Self {
        Self { rules, owner, people, decides: BTreeMap::new() }
    }

    /// The reviewer of an account, and who else may be asked. Nobody gets their own account. Nobody gets the account of the
    /// person who decides about theirs, if somebody else can decide.
    ///
    /// # Errors
    /// [`NoReviewer`]
    pub fn next(&mut self, item: &Item) -> Result<(Address, Vec<Address>), NoReviewer> {
        let person = item.email.as_deref().map(Address::of);
        let worker = person.as_ref().and_then(|person| (self.people)(person));
        let mut candidates: Vec<Address> = Vec::new();
        for address in self.rules.iter().filter_map(|rule| rule.candidates(item, worker.as_ref())).flatten() {
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
        candidates.retain(|candidate| Some(candidate) != person.as_ref());
        let is_mutual = |candidate: &Address| {
            let decides = self.decides.get(candidate);
            decides.zip(person.as_ref()).is_some_and(|(decides, person)| decides.contains(person))
        };
        if candidates.is_empty() {
            return Err(NoReviewer::OnlySelf);
        }
        let place = candidates.iter().position(|candidate| !is_mutual(candidate)).unwrap_or(0);
        let reviewer = candidates.remove(place);
        if let Some(person) = person {
            self.decides.entry(person).or_default().insert(reviewer.clone());
        }
        Ok((reviewer, candidates))
    }
}
