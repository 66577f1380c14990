//! Whether decisions were carried out: what a later audit shows, until when it has to, and how long it took.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{
    event::{Decision, Proven, Shown},
    item::{Item, ItemId},
    person::Address,
    state::{Course, Made, Review, Stage},
};
use crate::{
    access::drift::SnapshotUser,
    model::{
        bag::BagName,
        reviewed::{AccountDecision, Held, ReviewedAccount, UnderReview},
        status::Status,
    },
};

/// What became of a decision in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedOut<'a> {
    /// There is nothing to do: it is `keep`, or not decided.
    None,
    /// No audit shows it yet.
    Open {
        /// Until when an audit has to.
        due: DateTime<Utc>,
    },
    /// No audit showed it in time.
    Overdue {
        /// Until when one had to.
        due: DateTime<Utc>,
    },
    /// An audit shows it.
    Proven(&'a Proven),
}

impl CarriedOut<'_> {
    /// Its name; what is overdue is still open.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open { .. } | Self::Overdue { .. } => "open",
            Self::Proven(_) => "proven",
        }
    }
}

/// What is left to do about an item.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The item.
    pub item: &'a Item,
    /// What was decided.
    pub made: &'a Made,
    /// Until when an audit has to show it.
    pub due: DateTime<Utc>,
    /// Whether that is over.
    pub is_overdue: bool,
    /// Who must not carry it out: who decided on a removal, if another person has to. `None` if anybody may.
    pub not_by: Option<&'a Address>,
}

/// How long it took to carry decisions out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceLevel {
    /// How many decisions are proven.
    pub proven: usize,
    /// The median time from the decision to the audit that proves it. `None` if none is proven.
    pub median: Option<Duration>,
    /// The time within which 95 % were proven. `None` if none is proven.
    pub p95: Option<Duration>,
    /// The items that were proven too late, or are overdue.
    pub breaches: Vec<ItemId>,
}

impl Review {
    /// Until when a decision about an item has to be carried out.
    pub fn due_of(&self, item: &Item, made: &Made) -> DateTime<Utc> {
        let days = self.opening().remediation_days;
        let mut shortest = days.default;
        if item.is_privileged() {
            shortest = shortest.min(days.administrator);
        }
        if item.has_left {
            shortest = shortest.min(days.leaver);
        }
        made.at + Duration::days(i64::from(shortest))
    }

    /// Until when each decision has to be carried out that no audit has proven yet. None if it is cancelled.
    pub fn unproven_due(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let is_cancelled = matches!(self.stage(), Stage::Cancelled { .. });
        let open = self.items().filter(move |(_, course)| !is_cancelled && course.proof().is_none());
        open.filter_map(|(item, course)| course.work().map(|made| self.due_of(item, made)))
    }

    /// What became of an item's decision.
    pub fn carried_out<'a>(&self, item: &Item, course: &'a Course, now: DateTime<Utc>) -> CarriedOut<'a> {
        let Some(made) = course.work() else { return CarriedOut::None };
        if let Some((_, proven)) = course.proof() {
            return CarriedOut::Proven(proven);
        }
        let due = self.due_of(item, made);
        if due < now { CarriedOut::Overdue { due } } else { CarriedOut::Open { due } }
    }

    /// What was decided and no audit has proven, the most urgent first.
    pub fn work_list(&self, now: DateTime<Utc>) -> Vec<Work<'_>> {
        if matches!(self.stage(), Stage::Cancelled { .. }) {
            return Vec::new();
        }
        let mut list: Vec<Work<'_>> = Vec::new();
        for (item, course) in self.items() {
            let Some(made) = course.work().filter(|_| course.proof().is_none()) else { continue };
            let due = self.due_of(item, made);
            let is_removal = made.decision == Decision::Remove;
            let not_by = Some(&made.by).filter(|_| is_removal && self.opening().four_eyes);
            list.push(Work { item, made, due, is_overdue: due < now, not_by });
        }
        list.sort_by_key(|work| (work.due, work.item.item));
        list
    }

    /// How long it took to carry its decisions out.
    pub fn service_level(&self, now: DateTime<Utc>) -> ServiceLevel {
        let (mut took, mut breaches) = (Vec::new(), Vec::new());
        for (item, course) in self.items() {
            let Some(made) = course.work() else { continue };
            let end = match self.carried_out(item, course, now) {
                CarriedOut::Proven(proven) => {
                    took.push(proven.read_at - made.at);
                    proven.read_at
                }
                _ => now,
            };
            if end > self.due_of(item, made) {
                breaches.push(item.item);
            }
        }
        took.sort_unstable();
        // The nearest rank: the smallest time that at least this share of all does not exceed.
        let rank = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        ServiceLevel { proven: took.len(), median: rank(50), p95: rank(95), breaches }
    }

    /// What an audit of a workspace has to know of it. `None` if there is nothing to look at.
    pub fn looked_at(&self, workspace: &str) -> Option<UnderReview> {
        let is_open = *self.stage() == Stage::Open;
        let is_cancelled = matches!(self.stage(), Stage::Cancelled { .. });
        let is_meant = |(item, course): &(&Item, &Course)| {
            let is_unproven = course.work().is_some() && course.proof().is_none();
            item.workspace == workspace && !is_cancelled && (is_open || is_unproven)
        };
        let decision = |item: &Item, made: &Made| AccountDecision {
            wanted: made.decision.wanted(),
            by: made.by.to_string(),
            at: made.at,
            due: made.decision.is_work().then(|| self.due_of(item, made)),
        };
        let account = |(item, course): (&Item, &Course)| ReviewedAccount {
            item: item.item.0,
            user_id: item.user_id.clone(),
            account: item.label().to_owned(),
            role_id: item.role.as_ref().map(|role| role.id.clone()),
            profile_id: item.profile.as_ref().map(|profile| profile.id.clone()),
            reviewer: course.reviewer().to_string(),
            decision: course.decided().map(|made| decision(item, made)),
        };
        let accounts: Vec<ReviewedAccount> = self.items().filter(is_meant).map(account).collect();
        let (review, name, four_eyes) = (self.id(), self.opening().name.clone(), self.opening().four_eyes);
        (!accounts.is_empty()).then_some(UnderReview { review, name, is_open, four_eyes, accounts })
    }

    /// What a complete audit of a workspace proves: decisions made before its read began that it shows as carried out.
    pub fn proven_by(&self, shown: &ShownAudit<'_>) -> Vec<Proven> {
        if matches!(self.stage(), Stage::Cancelled { .. }) {
            return Vec::new();
        }
        let users: HashMap<&str, &SnapshotUser<'_>> = shown.users.iter().map(|user| (&*user.id, user)).collect();
        let is_open = |(item, course): &(&Item, &Course)| {
            item.workspace == shown.workspace
                && course.proof().is_none()
                && course.work().is_some_and(|made| made.at < shown.read_at)
        };
        let proven = |(item, course): (&Item, &Course)| {
            let found = shows(&course.work()?.decision, users.get(item.user_id.as_str()).copied())?;
            let (audit, bag) = (shown.audit, shown.bag.clone());
            Some(Proven { item: item.item, audit, bag, read_at: shown.read_at, shown: found })
        };
        self.items().filter(is_open).filter_map(proven).collect()
    }
}

/// A later complete audit of a workspace.
#[derive(Debug)]
pub struct ShownAudit<'a> {
    /// The workspace.
    pub workspace: &'a str,
    /// The audit.
    pub audit: Uuid,
    /// Its bag; `None` if no evidence was kept.
    pub bag: Option<BagName>,
    /// When its read began.
    pub read_at: DateTime<Utc>,
    /// The users.
    pub users: &'a [SnapshotUser<'a>],
}

/// What the state of an account says about a decision. `None` if it was not carried out.
fn shows(decision: &Decision, user: Option<&SnapshotUser<'_>>) -> Option<Shown> {
    let held = user.map(|user| Held {
        status: Status::from(&*user.status).kind(),
        role: user.role_id.as_deref(),
        profile: user.profile_id.as_deref(),
    });
    decision.wanted().shown_by(held)
}
