//! Rights that one person must not hold together, in different workspaces.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Account, Activity, People, Person, Workspace};
use crate::{
    access::{
        matrix::Joined,
        separation::{Access, Held, Sides},
    },
    model::{
        email,
        exception::{AboutFindings as _, Exception},
        finding::Severity,
        pattern::Pattern,
        policy::{Policy, RuleSetting},
        separation::Separation,
    },
    words::{counted, list},
};

/// The rule whose findings these are.
pub const RULE: &str = "conflicting-access";
/// The severity of a separation that names none: that of the rule.
const SEVERITY: Severity = Severity::High;
/// Parts of a side that a sentence names.
const NAMED: usize = 3;

/// A person who holds one side of a separation in one workspace and the other side in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The place of the person in [`People::persons`].
    pub person: usize,
    /// The separation's name.
    pub separation: String,
    /// How severe it is.
    pub severity: Severity,
    /// Where the person holds which side, as a sentence without a full stop.
    pub sentence: String,
    /// The exception that accepts it; `None` if it is open.
    pub accepted: Option<Exception>,
}

/// What the policy of a workspace says of separations.
#[derive(Debug, Default)]
pub(super) struct Terms {
    separations: BTreeMap<Separation, Severity>,
    /// The exceptions that are not only for one workspace.
    exceptions: Vec<Exception>,
}

impl Terms {
    pub(super) fn of(policy: &Policy) -> Self {
        let severity = |separation: &Separation| match policy.rules.get(RULE) {
            Some(RuleSetting::Off) => None,
            Some(RuleSetting::Severity(severity)) => Some(*severity),
            None => Some(separation.severity.unwrap_or(SEVERITY)),
        };
        let separations = policy.separations.iter().filter_map(|one| Some((one.clone(), severity(one)?)));
        let exceptions = policy.exceptions.iter().filter(|one| one.rule == RULE && one.workspace.is_none());
        Self { separations: separations.collect(), exceptions: exceptions.cloned().collect() }
    }

    /// The exception that accepts the conflicts of an account; of several, the one that lasts longest.
    fn exception(&self, account: &Account, today: NaiveDate) -> Option<&Exception> {
        let address = account.email.as_deref()?;
        let is_meant = |exception: &&Exception| match Pattern::parse(&exception.subject) {
            Ok(pattern) if !pattern.is_exact() => pattern.matches_address(address),
            _ => email::comparable(&exception.subject) == email::comparable(address),
        };
        let applying = self.exceptions.iter().filter(|exception| !exception.is_over(today)).filter(is_meant);
        applying.max_by_key(|exception| exception.until)
    }
}

/// What the separations say of the people.
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    pub(super) found: Vec<Conflict>,
    /// What could not be decided, as sentences without a full stop.
    pub(super) unknown: Vec<String>,
}

/// The conflicts of the people under the policies of the workspaces, which have the same places.
pub(super) fn conflicts(workspaces: &[Workspace], persons: &[Person], terms: &[Terms]) -> Conflicts {
    let mut separations: BTreeMap<&Separation, Severity> = BTreeMap::new();
    for (separation, severity) in terms.iter().flat_map(|terms| &terms.separations) {
        let known = separations.entry(separation).or_insert(*severity);
        *known = (*known).max(*severity);
    }
    let today = workspaces.iter().filter_map(|workspace| workspace.read_at).max().unwrap_or_default().date_naive();
    let mut conflicts = Conflicts::default();
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for (separation, severity) in separations {
        let sides = Sides::new(separation);
        for (place, person) in persons.iter().enumerate().filter(|(_, person)| person.active_in().len() > 1) {
            let active: Vec<&Account> =
                person.accounts.iter().filter(|account| account.activity == Activity::Active).collect();
            let accesses: Vec<Access<'_>> = active.iter().map(|account| access(workspaces, account)).collect();
            match sides.held(&accesses) {
                Held::Apart => {}
                Held::NotKnown(why) => *unknown.entry(format!("{}: {why}", separation.name)).or_default() += 1,
                Held::Together { first, second } => {
                    let at = |held: &(usize, String)| active[held.0].workspace;
                    // What one workspace alone shows is a finding of its audit.
                    if first.iter().any(|one| second.iter().any(|other| at(one) != at(other))) {
                        let side = |held: &[(usize, String)]| said(workspaces, &active, held);
                        let involved = first.iter().chain(&second).map(|(place, _)| active[*place]);
                        conflicts.found.push(Conflict {
                            person: place,
                            separation: separation.name.clone(),
                            severity,
                            sentence: format!("{}: {}, and {}", separation.name, side(&first), side(&second)),
                            accepted: accepted(terms, involved, today),
                        });
                    }
                }
            }
        }
    }
    conflicts.found.sort_by(|one, other| {
        let order = |conflict: &Conflict| (conflict.accepted.is_some(), std::cmp::Reverse(conflict.severity));
        (order(one), one.person, &one.separation).cmp(&(order(other), other.person, &other.separation))
    });
    let said = |(why, people): (String, usize)| {
        format!("{why}, so it was not evaluated for {}", counted(people, "person", "people"))
    };
    conflicts.unknown = unknown.into_iter().map(said).collect();
    conflicts
}

/// The exception that ends first, if the policy of every workspace in which the person holds a side has one.
fn accepted<'a>(terms: &[Terms], involved: impl Iterator<Item = &'a Account>, today: NaiveDate) -> Option<Exception> {
    let each: Option<Vec<&Exception>> =
        involved.map(|account| terms[account.workspace].exception(account, today)).collect();
    each?.into_iter().min_by_key(|exception| exception.until).cloned()
}

/// What an account gives.
fn access<'a>(workspaces: &'a [Workspace], account: &Account) -> Access<'a> {
    let workspace = &workspaces[account.workspace];
    Access {
        role: account.role.map(|place| {
            let role = &workspace.roles[place];
            Joined { stated: &role.stated, master: role.master.as_ref() }
        }),
        profile: account.profile.map(|place| {
            let profile = &workspace.profiles[place];
            Joined { stated: &profile.stated, master: profile.master.as_ref() }
        }),
    }
}

/// `the profile “Administrator” in acme-us`.
fn said(workspaces: &[Workspace], active: &[&Account], held: &[(usize, String)]) -> String {
    let part = |(place, what): &(usize, String)| format!("{what} in {}", workspaces[active[*place].workspace].name);
    let parts: Vec<String> = held.iter().take(NAMED).map(part).collect();
    list(&parts, held.len())
}

impl Conflict {
    /// The sentence, and who accepted it until when.
    pub fn said(&self) -> String {
        match &self.accepted {
            None => self.sentence.clone(),
            Some(exception) => {
                format!("{} (accepted by {} until {})", self.sentence, exception.approved_by, exception.until)
            }
        }
    }
}

impl People {
    /// The conflicts that no exception accepts, the most severe first.
    pub fn open_conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.iter().filter(|conflict| conflict.accepted.is_none())
    }

    /// The names of the separations that a person breaks.
    pub fn separations_of(&self, person: usize) -> Vec<&str> {
        let of_person = self.conflicts.iter().filter(|conflict| conflict.person == person);
        of_person.map(|conflict| conflict.separation.as_str()).collect()
    }
}
