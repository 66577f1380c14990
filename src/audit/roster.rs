//! The roster of an audit: whether it can be relied on, and who each user is in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::{input::JudgeInput, not_evaluated::NotEvaluated};
use crate::{
    access::{
        matrix::MatrixRow,
        roster::{Match, Member, People, Standing},
    },
    model::{
        email::comparable,
        policy::Policy,
        roster::{JudgedRoster, JudgedSource, Roster, Source},
        users::{User, UserIndex},
    },
    words::{counted, number},
};

const NOT_KEPT: &str = "the roster is not kept with this audit";

/// The roster of an audit.
#[derive(Debug, Default)]
pub(super) struct Employment<'a> {
    /// The people. `None` if the policy has no roster.
    people: Option<People<'a>>,
    /// Who the users are, by index.
    users: Vec<Identity>,
    /// Why the roster cannot be relied on. Empty if it can.
    unreliable: Vec<String>,
    /// Whether what is kept of the audit has no roster.
    is_lacking: bool,
}

/// Who a user is in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The user has no address.
    NoAddress,
    /// Nobody there.
    Nobody,
    /// The member at this place.
    One(usize),
    /// One of several people.
    Several,
}

impl<'a> Employment<'a> {
    /// Reads who everyone is in the roster. `None` for the numbers if the policy has no roster.
    pub(super) fn of(input: &JudgeInput<'a>) -> (Self, Option<JudgedRoster>) {
        if input.policy.roster.is_empty() {
            return (Self::default(), None);
        }
        if input.lacking.roster {
            return (Self { is_lacking: true, ..Self::default() }, None);
        }
        let Some(roster) = input.roster else {
            let unreliable = vec!["The roster was not read.".to_owned()];
            return (Self { unreliable, ..Self::default() }, None);
        };
        let people = People::new(roster, input.policy, input.now);
        let rows = || input.matrix.rows().map(|row| row.user);
        let identity = |address: Option<&str>| match address.map(str::trim).filter(|address| !address.is_empty()) {
            None => Identity::NoAddress,
            Some(address) => match people.places(address) {
                [] => Identity::Nobody,
                [one] => Identity::One(*one),
                _ => Identity::Several,
            },
        };
        let addresses: Vec<Option<&str>> = rows().map(|user| user.email()).collect();
        let users: Vec<Identity> = addresses.into_par_iter().map(identity).collect();
        let present = || rows().zip(&users).filter(|(user, _)| !user.status().is_deleted());
        let with_address = present().filter(|(_, one)| **one != Identity::NoAddress).count();
        let matched = present().filter(|(_, one)| matches!(one, Identity::One(_) | Identity::Several)).count();
        let before = |name: &str| input.previous.and_then(|previous| previous.rosters.get(name)).copied();
        let mut judged = judged(roster, input.policy, &people, input.now, before);
        (judged.users, judged.matched) = (with_address as u64, matched as u64);
        let mut unreliable = std::mem::take(&mut judged.unreliable);
        if unreliable.is_empty() && matched == 0 && with_address > 0 {
            unreliable.push(format!(
                "None of the {} of this workspace is in the roster by address; check its column of addresses.",
                counted(with_address, "user", "users")
            ));
        }
        for source in &mut judged.sources {
            // What was not relied on is nothing to compare with.
            source.kept = if unreliable.is_empty() { Some(source.current) } else { before(&source.name) };
        }
        if unreliable.is_empty() {
            let of = |(user, identity): (User<'_>, &Identity)| alias(user, *identity, &people);
            judged.aliases = rows().zip(&users).filter_map(of).collect();
        }
        judged.unreliable.clone_from(&unreliable);
        (Self { people: Some(people), users, unreliable, is_lacking: false }, Some(judged))
    }

    /// The people, if they can be relied on.
    pub(super) fn people(&self) -> Result<&People<'a>, NotEvaluated> {
        match &self.people {
            Some(people) if self.unreliable.is_empty() => Ok(people),
            _ if self.is_lacking => Err(NotEvaluated::because(NOT_KEPT)),
            _ if self.unreliable.is_empty() => Err(NotEvaluated::because("no roster is configured")),
            _ => Err(NotEvaluated::because("the roster cannot be relied on (see unreliable-roster)")),
        }
    }

    /// Why the roster cannot be relied on. Nothing if it can.
    pub(super) fn unreliable(&self) -> Result<&[String], NotEvaluated> {
        if self.is_lacking { Err(NotEvaluated::because(NOT_KEPT)) } else { Ok(&self.unreliable) }
    }

    /// Everyone in the roster who has the user's address.
    pub(super) fn candidates<'p>(&self, people: &'p People<'_>, row: &MatrixRow<'_>) -> Vec<&'p Member<'p>> {
        match self.identity(row.user.index()) {
            Identity::NoAddress | Identity::Nobody => Vec::new(),
            Identity::One(place) => people.members().get(place).into_iter().collect(),
            Identity::Several => row.user.email().map_or(Match::Nobody, |address| people.find(address)).all(),
        }
    }

    /// Who a user is.
    pub(super) fn identity(&self, user: UserIndex) -> Identity {
        self.users.get(user.0 as usize).copied().unwrap_or(Identity::NoAddress)
    }
}

/// What an audit would make of a roster, apart from the users of a workspace and from earlier audits.
pub fn judged_roster(roster: &Roster, policy: &Policy, now: DateTime<Utc>) -> JudgedRoster {
    judged(roster, policy, &People::new(roster, policy, now), now, |_| None)
}

/// The people of each source, and why the sources cannot be relied on. `before` has how many worked here at the last audit.
fn judged(
    roster: &Roster,
    policy: &Policy,
    people: &People<'_>,
    now: DateTime<Utc>,
    before: impl Fn(&str) -> Option<u64>,
) -> JudgedRoster {
    let sources: Vec<JudgedSource> = roster.sources.iter().map(|source| counts(source, people)).collect();
    let unreliable = policy.roster.iter().filter_map(|name| {
        match roster.sources.iter().zip(&sources).find(|(source, _)| source.name == *name) {
            None => Some(format!("The roster “{name}” was not read.")),
            Some((source, counts)) => problem(source, counts, roster, now, before(name)),
        }
    });
    let unreliable = unreliable.collect();
    JudgedRoster { sources, users: 0, matched: 0, unreliable, aliases: BTreeMap::new() }
}

/// The address of a user, if another one stands for the person in the roster, and that one.
fn alias(user: User<'_>, identity: Identity, people: &People<'_>) -> Option<(String, String)> {
    let Identity::One(place) = identity else { return None };
    let mut addresses = people.members().get(place)?.records().iter().flat_map(|record| &record.addresses);
    let (alias, address) = (user.email()?, addresses.next()?);
    // That of nearly everybody.
    if alias.eq_ignore_ascii_case(address) {
        return None;
    }
    let (alias, address) = (comparable(alias), comparable(address));
    (alias != address).then_some((alias, address))
}

/// How many people a source has.
fn counts(source: &Source, people: &People<'_>) -> JudgedSource {
    let of = || people.members().iter().filter(|one| one.records().iter().any(|record| record.roster == source.name));
    let left = of().filter(|one| matches!(one.standing, Standing::Left(_))).count();
    JudgedSource {
        name: source.name.clone(),
        people: of().count() as u64,
        current: people.current(&source.name),
        left: left as u64,
        kept: None,
    }
}

/// Why a source cannot be relied on; the first reason, because the others follow from it.
fn problem(
    source: &Source,
    counts: &JudgedSource,
    roster: &Roster,
    now: DateTime<Utc>,
    before: Option<u64>,
) -> Option<String> {
    let name = &source.name;
    if let Some(problem) = &source.problem {
        return Some(format!("The roster “{name}” cannot be read: {}.", problem.trim_end_matches('.')));
    }
    if !roster.records.iter().any(|record| record.roster == *name) {
        return Some(format!("The roster “{name}” is empty."));
    }
    if counts.current == 0 {
        return Some(format!("Nobody in the roster “{name}” works here; check its status and its dates."));
    }
    let age = source.as_of.map(|as_of| (now - as_of).num_days());
    if let Some(age) = age.filter(|age| *age > i64::from(source.bounds.max_age_days)) {
        return Some(format!(
            "The roster “{name}” is {} old; at most {} are allowed (max_age_days).",
            counted(age, "day", "days"),
            number(source.bounds.max_age_days)
        ));
    }
    let before = before.unwrap_or(0);
    let least = u128::from(before) * u128::from(100_u32.saturating_sub(source.bounds.max_shrink_percent));
    (u128::from(counts.current) * 100 < least).then(|| {
        format!(
            "The roster “{name}” has {} who work here, and had {} at the last audit; that is more than {} percent less \
             (max_shrink_percent).",
            counted(counts.current, "person", "people"),
            number(before),
            source.bounds.max_shrink_percent
        )
    })
}
