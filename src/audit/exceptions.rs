//! Accepted findings: which exception matches which finding, and which matches none.

use std::{borrow::Cow, collections::HashMap};

use super::input::JudgeInput;
use crate::model::{directory::Directory, email, finding::Subject, policy::Exception};

/// The word for the workspace as the subject of an exception.
const WORKSPACE: &str = "workspace";

/// The exceptions of a policy, found by rule and subject.
pub(super) struct Exceptions<'a> {
    entries: Vec<Entry<'a>>,
    by_rule: HashMap<&'a str, HashMap<Cow<'a, str>, Vec<usize>>>,
    role_names: HashMap<&'a str, usize>,
    profile_names: HashMap<&'a str, usize>,
}

/// One exception that is for this workspace.
pub(super) struct Entry<'a> {
    /// The exception.
    pub(super) exception: &'a Exception,
    /// Its place in the policy.
    place: usize,
    /// Whether its last day is over.
    pub(super) expired: bool,
    /// Whether a finding matched it.
    pub(super) matched: bool,
}

impl<'a> Exceptions<'a> {
    pub(super) fn new(input: &JudgeInput<'a>, directory: &'a Directory) -> Self {
        let today = input.now.date_naive();
        let for_here =
            |exception: &Exception| exception.workspace.as_deref().is_none_or(|name| name == input.workspace);
        let places = input.policy.exceptions.iter().enumerate();
        let entries: Vec<Entry<'a>> = places
            .filter(|(_, exception)| for_here(exception))
            .map(|(place, exception)| Entry { exception, place, expired: exception.until < today, matched: false })
            .collect();
        let mut by_rule: HashMap<&str, HashMap<Cow<'a, str>, Vec<usize>>> = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let subjects = by_rule.entry(entry.exception.rule.as_str()).or_default();
            subjects.entry(key(&entry.exception.subject)).or_default().push(number);
        }
        let role_names = count(directory.roles.iter().map(|role| role.name.trim()));
        let profile_names = count(directory.profiles.iter().map(|profile| profile.name.trim()));
        Self { entries, by_rule, role_names, profile_names }
    }

    /// The place in the policy of an exception that accepts a finding. Also remembers which exceptions matched.
    pub(super) fn accept(&mut self, by: &str, subject: &Subject, directory: &Directory) -> Option<usize> {
        let subjects = self.by_rule.get(by)?;
        let mut numbers = Vec::new();
        let mut look_up = |text: &str| numbers.extend(subjects.get(text).into_iter().flatten().copied());
        match subject {
            Subject::Workspace => look_up(WORKSPACE),
            Subject::User(index) => {
                let user = directory.users.get(*index);
                look_up(user.id());
                user.email().map(email::comparable).iter().for_each(|address| look_up(address));
            }
            Subject::Role(id) => {
                look_up(id.as_str());
                let role = directory.roles.iter().find(|role| role.id == *id);
                role.and_then(|role| alone(&self.role_names, &role.name)).into_iter().for_each(look_up);
            }
            Subject::Profile(id) => {
                look_up(id.as_str());
                let profile = directory.profiles.iter().find(|profile| profile.id == *id);
                profile.and_then(|profile| alone(&self.profile_names, &profile.name)).into_iter().for_each(look_up);
            }
        }
        let mut accepted = None;
        for number in numbers {
            let entry = &mut self.entries[number];
            entry.matched = true;
            if !entry.expired && accepted.is_none() {
                accepted = Some(entry.place);
            }
        }
        accepted
    }

    /// The exceptions for this workspace, in the policy's order.
    pub(super) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }
}

/// An exception's subject as it is looked up: addresses in lower case, names as written.
fn key(subject: &str) -> Cow<'_, str> {
    if subject.contains('@') { email::comparable(subject).into() } else { subject.trim().into() }
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// A name, if only one role or profile has it. If two share it, an exception must state the id: otherwise a new
/// namesake would be accepted along with the old one.
fn alone<'n>(names: &HashMap<&str, usize>, name: &'n str) -> Option<&'n str> {
    let name = name.trim();
    (names.get(name) == Some(&1)).then_some(name)
}
