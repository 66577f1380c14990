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
    /// Whether nobody knows how it ended.
    pub(super) is_open: bool,
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
                Fact::OffboardingBegun(what) => all.push(Begun { at: entry.at, what, is_open: true }),
                Fact::OffboardingEnded(end) => {
                    let ended = |begun: &&mut Begun| begun.what.plan == end.plan && begun.what.leaver.user == end.user;
                    for begun in all.iter_mut().filter(ended) {
                        begun.is_open = end.outcome == Outcome::Unknown.word();
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
        // A clock that was put back holds nobody up for longer.
        let is_young = |begun: &&Begun| (now - begun.at).abs() < UNDER_WAY;
        let is_other = |begun: &&Begun| !users.contains(&begun.what.leaver.user.as_str());
        self.0.iter().filter(|begun| begun.is_open).filter(is_young).find(is_other)
    }

    /// The removals of a user whose end nobody knows.
    pub(super) fn open(&self, user: &str) -> impl Iterator<Item = &OffboardingBegun> {
        self.0.iter().filter(move |begun| begun.is_open && begun.what.leaver.user == user).map(|begun| &begun.what)
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
