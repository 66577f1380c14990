//! Pure: what the ledger says about earlier removals from one workspace or organization.

use chrono::{DateTime, TimeDelta, Utc};

use super::Outcome;
use crate::ledger::{
    Entry, Fact,
    fact::{Leaver, OffboardingBegun},
};

/// How long a removal without a recorded outcome may still reach the vendor. One call is tried for at most five minutes,
/// and its last try takes one; an older removal has ended, or its process died before the request.
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
    /// No outcome is recorded: it is in progress, or its process died.
    Unrecorded,
    /// The API's answer was unclear, or the removal takes effect later.
    Unknown,
    Known,
}

/// The removals from one place, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct History(Vec<Begun>);

impl History {
    /// The history of a workspace, and of its organization if that is known, from the ledger's entries about removals.
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

    /// A removal that may be in progress of a user who is not in `users`. A new removal of one of `users` settles that
    /// user's own open removals.
    pub(super) fn under_way(&self, users: &[&str], now: DateTime<Utc>) -> Option<&Begun> {
        let is_other = |begun: &&Begun| !users.contains(&begun.what.leaver.user.as_str());
        self.young(now).filter(|begun| begun.end == End::Unrecorded).find(is_other)
    }

    fn young(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Begun> {
        // A clock that was set back must not extend the wait.
        self.0.iter().filter(move |begun| (now - begun.at).abs() < UNDER_WAY)
    }

    /// The removals of a user whose outcome is unknown.
    pub(super) fn open(&self, user: &str) -> impl Iterator<Item = &OffboardingBegun> {
        self.0
            .iter()
            .filter(move |begun| begun.end != End::Known && begun.what.leaver.user == user)
            .map(|begun| &begun.what)
    }

    /// Users who may disappear at any moment: the outcome of their removal is unknown, and it may still reach the vendor.
    pub(super) fn uncertain(&self, now: DateTime<Utc>) -> Vec<&str> {
        self.young(now).filter(|begun| begun.end != End::Known).map(|begun| begun.what.leaver.user.as_str()).collect()
    }

    /// The users whose removal began here, each once, the latest first.
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
