//! Pure: what the ledger says of earlier removals in one place.

use chrono::{DateTime, TimeDelta, Utc};

use super::Outcome;
use crate::ledger::{
    Entry, Fact,
    fact::{Leaver, OffboardingBegun},
};

/// For how long a removal that was begun, and whose end nobody knows, may still reach the vendor. One call is tried for
/// five minutes at the most, and its last try takes one; what is older came to its end, or its process died before it asked.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(10);

/// A removal that was begun here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// What was begun.
    pub(super) what: OffboardingBegun,
    end: End,
}

/// How a removal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing is on record: it is under way, or its process died.
    Unrecorded,
    /// The API did not tell, or does it later.
    Unknown,
    Known,
}

/// What was begun in one place, in the order in which it was.
#[derive(Debug, Default)]
pub(super) struct History(Vec<Begun>);

impl History {
    /// The history of a workspace, and of an organization where it is known, from the ledger's entries on removals.
    pub(super) fn new(entries: Vec<Entry>, workspace: &str, organization: Option<&str>) -> Self {
        let mut all: Vec<Begun> = Vec::new();
        for entry in entries {
            match entry.fact {
                Fact::OffboardingBegun(what) => all.push(Begun { at: entry.at, what, end: End::Unrecorded }),
                Fact::OffboardingEnded(end) => {
                    let ended = |begun: &&mut Begun| begun.what.plan == end.plan && begun.what.leaver.user == end.user;
                    for begun in all.iter_mut().filter(ended) {
                        begun.end = if end.outcome == Outcome::Unknown.word() { End::Unknown } else { End::Known };
                    }
                }
                _ => {}
            }
        }
        let is_here = |what: &OffboardingBegun| {
            what.workspace == workspace || (organization.is_some() && what.organization.as_deref() == organization)
        };
        all.retain(|begun| is_here(&begun.what));
        Self(all)
    }

    /// A removal of somebody else than `users` that may be under way. Whoever removes one of them once more settles what
    /// is open of that one.
    pub(super) fn under_way(&self, users: &[&str], now: DateTime<Utc>) -> Option<&Begun> {
        let is_other = |begun: &&Begun| !users.contains(&begun.what.leaver.user.as_str());
        self.young(now).filter(|begun| begun.end == End::Unrecorded).find(is_other)
    }

    fn young(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Begun> {
        // A clock that was put back holds nobody up for longer.
        self.0.iter().filter(move |begun| (now - begun.at).abs() < UNDER_WAY)
    }

    /// The removals of a user of which nobody knows how they ended.
    pub(super) fn open(&self, user: &str) -> impl Iterator<Item = &OffboardingBegun> {
        self.0
            .iter()
            .filter(move |begun| begun.end != End::Known && begun.what.leaver.user == user)
            .map(|begun| &begun.what)
    }

    /// Whoever may be gone at any moment, because nobody knows how the removal ended and it may not have reached the vendor.
    pub(super) fn uncertain(&self, now: DateTime<Utc>) -> Vec<&str> {
        self.young(now).filter(|begun| begun.end != End::Known).map(|begun| begun.what.leaver.user.as_str()).collect()
    }

    /// Whoever was to be removed here, each once, the latest first.
    pub(super) fn leavers(&self) -> Vec<Leaver> {
        let mut found: Vec<Leaver> = Vec::new();
        for leaver in self.0.iter().rev().map(|begun| &begun.what.leaver) {
            if found.iter().all(|known| known.user != leaver.user) {
                found.push(leaver.clone());
            }
        }
        found
    }
}
