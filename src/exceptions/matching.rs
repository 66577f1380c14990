//! Which exception or planned fix is for which finding, and which is for none.

use std::{borrow::Cow, cmp::Reverse, collections::HashMap};

use chrono::{Datelike as _, NaiveDate};

use crate::model::{
    directory::Directory,
    email,
    exception::{AboutFindings, Exception, PlannedFix},
    finding::Subject,
    pattern::Pattern,
};

/// The word for the workspace as the subject of an exception.
pub(super) const WORKSPACE: &str = "workspace";

/// The exceptions of a policy for one workspace.
pub type Exceptions<'a> = Entries<'a, Exception>;
/// The planned fixes of a policy for one workspace.
pub type PlannedFixes<'a> = Entries<'a, PlannedFix>;

/// Exceptions or planned fixes for one workspace, found by rule and subject. Their order in the policy does not matter.
#[derive(Debug)]
pub struct Entries<'a, Item> {
    list: Vec<Entry<'a, Item>>,
    by_rule: HashMap<&'a str, OfRule<'a>>,
    role_names: HashMap<&'a str, usize>,
    profile_names: HashMap<&'a str, usize>,
}

/// One exception or planned fix.
#[derive(Debug)]
pub struct Entry<'a, Item> {
    /// The exception or planned fix.
    pub item: &'a Item,
    /// Its place in the policy.
    place: usize,
    /// Whether its last day is over.
    pub expired: bool,
    /// Whether a finding matched it.
    pub matched: bool,
    is_exact: bool,
}

/// The entries of one rule.
#[derive(Debug, Default)]
struct OfRule<'a> {
    exact: HashMap<Cow<'a, str>, Vec<usize>>,
    patterns: Vec<(Pattern, usize)>,
}

/// How entries stand to each other.
pub trait Ranked: AboutFindings {
    /// Whether it still applies after its last day.
    const OUTLASTS: bool;

    /// Of several that match one finding, the least applies.
    fn rank(&self) -> i32;
}

impl Ranked for Exception {
    const OUTLASTS: bool = false;

    fn rank(&self) -> i32 {
        // The one that lasts longest.
        -self.until.num_days_from_ce()
    }
}

impl Ranked for PlannedFix {
    const OUTLASTS: bool = true;

    fn rank(&self) -> i32 {
        self.until.num_days_from_ce()
    }
}

impl<'a, Item: Ranked> Entries<'a, Item> {
    /// Those of a policy that are for a workspace.
    pub fn new(items: &'a [Item], workspace: &str, today: NaiveDate, directory: &'a Directory) -> Self {
        let mut here: Vec<(&Item, usize)> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.is_for(workspace))
            .map(|(place, item)| (item, place))
            .collect();
        here.sort_unstable();
        let mut list = Vec::with_capacity(here.len());
        let mut by_rule: HashMap<&str, OfRule<'_>> = HashMap::new();
        for (number, (item, place)) in here.into_iter().enumerate() {
            let of_rule = by_rule.entry(item.rule()).or_default();
            let pattern = Pattern::parse(item.subject()).ok().filter(|pattern| !pattern.is_exact());
            let is_exact = pattern.is_none();
            list.push(Entry { item, place, expired: item.is_over(today), matched: false, is_exact });
            match pattern {
                Some(pattern) => of_rule.patterns.push((pattern, number)),
                None => of_rule.exact.entry(key(item.subject())).or_default().push(number),
            }
        }
        let role_names = count(directory.roles.iter().map(|role| role.name.trim()));
        let profile_names = count(directory.profiles.iter().map(|profile| profile.name.trim()));
        Self { list, by_rule, role_names, profile_names }
    }

    /// The place in the policy of the entry that applies to a finding. Also remembers which entries matched.
    pub fn find(&mut self, rule: &str, subject: &Subject, directory: &Directory) -> Option<usize> {
        let of_rule = self.by_rule.get(rule)?;
        let mut numbers = Vec::new();
        match subject {
            Subject::Workspace => of_rule.look_up(&mut numbers, WORKSPACE),
            Subject::User(index) => {
                let user = directory.users.get(*index);
                of_rule.look_up(&mut numbers, user.id());
                user.email().into_iter().for_each(|address| of_rule.look_up_address(&mut numbers, address));
            }
            Subject::Role(id) => {
                of_rule.look_up(&mut numbers, id.as_str());
                if let Some(listed) = directory.roles.iter().find(|one| one.id == *id) {
                    of_rule.look_up_name(&mut numbers, &listed.name, &self.role_names);
                }
            }
            Subject::Profile(id) => {
                of_rule.look_up(&mut numbers, id.as_str());
                if let Some(listed) = directory.profiles.iter().find(|one| one.id == *id) {
                    of_rule.look_up_name(&mut numbers, &listed.name, &self.profile_names);
                }
            }
        }
        for number in &numbers {
            self.list[*number].matched = true;
        }
        let applying = numbers.into_iter().filter(|number| Item::OUTLASTS || !self.list[*number].expired);
        let best = applying.min_by_key(|number| {
            let entry = &self.list[*number];
            (Reverse(entry.is_exact), entry.item.rank(), *number)
        });
        best.map(|number| self.list[number].place)
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry<'a, Item>] {
        &self.list
    }
}

impl OfRule<'_> {
    /// Adds what matches an id, or the word for the workspace.
    fn look_up(&self, numbers: &mut Vec<usize>, text: &str) {
        numbers.extend(self.exact.get(text).into_iter().flatten());
        self.look_through(numbers, |pattern| pattern.matches(text));
    }

    fn look_up_address(&self, numbers: &mut Vec<usize>, address: &str) {
        if !self.exact.is_empty() {
            numbers.extend(self.exact.get(email::comparable(address).as_str()).into_iter().flatten());
        }
        self.look_through(numbers, |pattern| pattern.matches_address(address));
    }

    /// Adds what matches a name. If two roles or profiles share it, an exception must state the id: otherwise a new
    /// namesake would be accepted along with the old one. A pattern is for several on purpose.
    fn look_up_name(&self, numbers: &mut Vec<usize>, name: &str, names: &HashMap<&str, usize>) {
        let name = name.trim();
        if names.get(name) == Some(&1) {
            numbers.extend(self.exact.get(name).into_iter().flatten());
        }
        self.look_through(numbers, |pattern| pattern.matches(name));
    }

    fn look_through(&self, numbers: &mut Vec<usize>, is_match: impl Fn(&Pattern) -> bool) {
        numbers.extend(self.patterns.iter().filter(|(pattern, _)| is_match(pattern)).map(|(_, number)| number));
    }
}

/// An exact subject as it is looked up: addresses in lower case, names as written.
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
