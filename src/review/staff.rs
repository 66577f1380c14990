//! The people behind the addresses of a workspace: by the roster of its audit, and without one by the addresses alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::person::{Address, Worker};
use crate::{
    access::roster::{Addresses, Match, Member, People, Standing},
    model::{policy::Policy, roster::Roster},
};

/// The people of a workspace.
pub(super) struct Staff<'a> {
    addresses: Addresses<'a>,
    people: Option<People<'a>>,
}

impl<'a> Staff<'a> {
    /// The people of a roster at a time. Without a roster, nothing is known of anybody.
    pub(super) fn new(roster: Option<&'a Roster>, policy: &'a Policy, now: DateTime<Utc>) -> Self {
        let people = roster.map(|roster| People::new(roster, policy, now));
        Self { addresses: Addresses::of(policy), people }
    }

    /// Whether the roster names a manager of anybody.
    pub(super) fn has_managers(&self) -> bool {
        self.members().any(|member| !member.manager().is_empty())
    }

    /// Whether the roster names the department of anybody.
    pub(super) fn has_departments(&self) -> bool {
        self.members().any(|member| !member.departments().is_empty())
    }

    fn members(&self) -> impl Iterator<Item = &Member<'a>> {
        self.people.iter().flat_map(People::members)
    }

    /// The person behind an address. If several people have it, everything that is true of only one of them is unknown.
    pub(super) fn worker(&self, address: &Address) -> Worker {
        let everyone = self.people.as_ref().map_or(Match::Nobody, |people| people.find(address.as_str()));
        let records = everyone.all().into_iter().flat_map(|member| member.records().iter());
        let written = records.flat_map(|record| &record.addresses).map(String::as_str);
        let mut addresses: BTreeSet<Address> = written
            .chain([address.as_str()])
            .filter_map(|one| self.addresses.key(one))
            .map(|key| Address::from(key.into_owned()))
            .collect();
        addresses.remove(address);
        let only = everyone.one();
        Worker {
            addresses: addresses.into_iter().collect(),
            departments: only.map_or_else(Vec::new, |one| one.departments().into_iter().map(str::to_owned).collect()),
            manager: only.and_then(|one| self.manager(one)),
            has_left: self.has_left(address),
        }
    }

    /// Whether the roster says that the person has left: everybody, if several have the address.
    pub(super) fn has_left(&self, address: &Address) -> bool {
        let everyone = self.people.as_ref().map_or(Match::Nobody, |people| people.find(address.as_str())).all();
        !everyone.is_empty() && everyone.iter().all(|one| matches!(one.standing, Standing::Left(_)))
    }

    /// The manager of a person, by the address at work: who is in the roster, is one person, and has not left.
    fn manager(&self, member: &Member<'_>) -> Option<Address> {
        let written = Some(member.manager()).filter(|written| written.contains('@'))?;
        let manager = self.people.as_ref()?.find(written).one()?;
        let works = !matches!(manager.standing, Standing::Left(_));
        manager.record().addresses.first().filter(|_| works).map(|address| Address::of(address))
    }
}
