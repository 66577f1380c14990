//! The facts of the ledger, indexed for the coverage.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Delivered, Review, by_people::ByPeople, proven::Proven};
use crate::ledger::{
    Entry, Fact,
    fact::{BagName, Delivery, NoMailReason, Recorded, Terms},
    timeline::{SetBack, Timeline},
};

/// Job, workspace and fire time.
pub(super) type Key<'a> = (&'a str, &'a str, DateTime<Utc>);
/// The schedules of a job and since when each is in force; `None` for no schedule.
pub(super) type Since<'a> = (DateTime<Utc>, Option<&'a Terms>);

/// The facts. Times of entries are the ones that the ledger confirms ([`Timeline::read`]).
#[derive(Default)]
pub(super) struct Past<'a> {
    pub(super) begun: Option<DateTime<Utc>>,
    /// The schedules by job.
    pub(super) schedules: BTreeMap<&'a str, Vec<Since<'a>>>,
    /// Runs of the schedule.
    pub(super) runs: BTreeMap<Key<'a>, Uuid>,
    recorded: BTreeMap<Uuid, Made<'a>>,
    /// By run: what reports the reviews of its fire time together.
    combined: BTreeMap<Uuid, Combined<'a>>,
    pub(super) failed: BTreeMap<Uuid, &'a str>,
    /// How often a run was given up; it can be tried again on demand.
    given_up: BTreeMap<Uuid, usize>,
    /// The answers received before each attempt of a run failed, oldest first.
    failures: BTreeMap<Uuid, Vec<&'a BagName>>,
    pub(super) skipped: Vec<Skipped<'a>>,
    /// By `Message-ID`: the result of the delivery, and when.
    deliveries: BTreeMap<&'a str, (DateTime<Utc>, &'a Delivery)>,
    /// Reviews on demand, by job and workspace.
    by_hand: BTreeMap<(&'a str, &'a str), Vec<Uuid>>,
    /// Bags that were removed because of their age.
    pub(super) removed: BTreeSet<&'a str>,
    pub(super) set_back: Vec<SetBack>,
    /// What timestamps of third parties prove.
    pub(super) proven: Proven<'a>,
    /// Reviews by people.
    pub(super) by_people: ByPeople<'a>,
    /// What a clock that was ahead wrote, in a sentence; `None` if nothing.
    pub(super) ahead: Option<String>,
}

/// A review that was made.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    /// When it was recorded, as far as the ledger confirms it.
    pub(super) at: DateTime<Utc>,
    pub(super) entry: &'a Entry,
    pub(super) recorded: &'a Recorded,
}

/// The messages that report the reviews of a fire time together, and why there are none.
#[derive(Clone, Copy)]
struct Combined<'a> {
    messages: &'a [String],
    no_mail_reason: Option<NoMailReason>,
}

/// Fire times of a job that did not become runs.
pub(super) struct Skipped<'a> {
    job: &'a str,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    pub(super) reason: &'a str,
}

impl<'a> Past<'a> {
    /// The facts as of a moment. An entry from later was written by a clock that was ahead.
    pub(super) fn of(entries: impl IntoIterator<Item = &'a Entry>, now: DateTime<Utc>) -> Self {
        let (mut past, mut timeline) = (Self::default(), Timeline::until(now));
        for entry in entries {
            let at = timeline.read(entry);
            past.begun.get_or_insert(at);
            past.learn(entry, at);
        }
        past.set_back = timeline.set_back().to_vec();
        past.ahead = timeline.ahead().map(ToString::to_string);
        past
    }

    fn learn(&mut self, entry: &'a Entry, at: DateTime<Utc>) {
        self.by_people.learn(&entry.fact, at);
        self.proven.learn(entry, at);
        match &entry.fact {
            Fact::Schedule { job, terms } => self.schedules.entry(job).or_default().push((at, terms.as_ref())),
            Fact::Due { job, fire_at, by_hand: false, runs } => {
                self.runs.extend(runs.iter().map(|run| ((job.as_str(), run.workspace.as_str(), *fire_at), run.run)));
            }
            Fact::Skipped { job, first, last, reason, .. } => {
                self.skipped.push(Skipped { job, first: *first, last: *last, reason });
            }
            Fact::ScheduleTakenBack { job, to, .. } => {
                self.skipped.retain_mut(|skipped| {
                    let is_of_job = skipped.job == job;
                    if is_of_job {
                        skipped.last = skipped.last.min(*to);
                    }
                    !is_of_job || skipped.first <= *to
                });
            }
            Fact::Recorded(recorded) => {
                self.recorded.insert(recorded.run, Made { at, entry, recorded });
                let (job, workspace) = (recorded.job.as_deref().unwrap_or_default(), recorded.workspace.as_str());
                let planned = recorded.fire_at.and_then(|fire_at| self.runs.get(&(job, workspace, fire_at)));
                if planned != Some(&recorded.run) {
                    self.by_hand.entry((job, workspace)).or_default().push(recorded.run);
                }
            }
            Fact::Combined { runs, messages, no_mail_reason, .. } => {
                let combined = Combined { messages, no_mail_reason: *no_mail_reason };
                self.combined.extend(runs.iter().map(|run| (*run, combined)));
            }
            Fact::Failed { run, error } => {
                self.failed.insert(run.run, error);
                *self.given_up.entry(run.run).or_default() += 1;
            }
            Fact::Delivery(delivery) => {
                // A message that a server accepted stays accepted.
                let known = self.deliveries.get(delivery.message_id.as_str());
                if known.is_none_or(|(_, known)| !known.accepted) {
                    self.deliveries.insert(&delivery.message_id, (at, delivery));
                }
            }
            Fact::BagOfFailure { run, bag } => {
                self.failures.entry(*run).or_default().push(bag);
            }
            Fact::BagRemoved { bag, .. } => {
                self.removed.insert(&bag.folder);
            }
            Fact::Begun { .. }
            | Fact::Due { .. }
            | Fact::Retried { .. }
            | Fact::BagAbandoned { .. }
            | Fact::LedgerFileCut { .. }
            | Fact::Key { .. }
            | Fact::Timestamped(_)
            | Fact::OffboardingPlanned(_)
            | Fact::OffboardingDeclined(_)
            | Fact::OffboardingBegun(_)
            | Fact::OffboardingEnded(_)
            | Fact::Review(_)
            | Fact::ReviewSealed(_)
            | Fact::ReviewSchedule { .. }
            | Fact::ReviewNotOpened { .. }
            | Fact::ReviewSkipped { .. }
            | Fact::SignInLink { .. }
            | Fact::SignedIn { .. }
            | Fact::BagStored { .. } => {}
        }
    }

    /// The review of a run.
    pub(super) fn made(&self, run: Uuid) -> Option<Made<'a>> {
        self.recorded.get(&run).copied()
    }

    /// The answers received before each attempt of a run failed, oldest first.
    pub(super) fn failures(&self, run: Option<Uuid>) -> Vec<BagName> {
        let bags = run.and_then(|run| self.failures.get(&run));
        bags.into_iter().flatten().map(|bag| (*bag).clone()).collect()
    }

    /// How many attempts of a run failed, as far as the ledger knows.
    pub(super) fn failed_attempts(&self, run: Option<Uuid>) -> usize {
        let run = run.as_ref();
        let given_up = run.and_then(|run| self.given_up.get(run)).copied().unwrap_or_default();
        let bags = run.and_then(|run| self.failures.get(run)).map_or(0, Vec::len);
        let attempt = run.and_then(|run| self.recorded.get(run)).and_then(|made| made.recorded.attempt);
        given_up.max(bags).max(attempt.map_or(0, |attempt| attempt.saturating_sub(1) as usize))
    }

    /// The reviews on demand of a job and workspace, in the order of the ledger.
    pub(super) fn by_hand<'s>(
        &'s self,
        job: &'s str,
        workspace: &'s str,
    ) -> impl Iterator<Item = Made<'a>> + use<'s, 'a> {
        self.by_hand.get(&(job, workspace)).into_iter().flatten().filter_map(|run| self.made(*run))
    }

    /// All reviews on demand.
    pub(super) fn all_by_hand(&self) -> impl Iterator<Item = Made<'a>> + use<'_, 'a> {
        self.by_hand.values().flatten().filter_map(|run| self.made(*run))
    }

    /// Whether it is on record that a fire time was skipped, and why.
    pub(super) fn skipped(&self, job: &str, fire_at: DateTime<Utc>) -> Option<&Skipped<'a>> {
        self.skipped.iter().find(|skipped| skipped.job == job && (skipped.first..=skipped.last).contains(&fire_at))
    }

    /// A review for the coverage.
    pub(super) fn review(&self, made: Made<'a>) -> Review {
        let Made { at, entry, recorded } = made;
        let (mut delivered, mut undelivered, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        let alone = Combined { messages: &recorded.messages, no_mail_reason: recorded.no_mail_reason };
        let Combined { messages, no_mail_reason } = self.combined.get(&recorded.run).copied().unwrap_or(alone);
        for message in messages {
            match self.deliveries.get(message.as_str()) {
                Some((at, delivery)) if delivery.accepted => {
                    delivered.push(Delivered { recipient: delivery.recipient.clone(), at: *at });
                }
                Some((_, delivery)) => undelivered.push((delivery.recipient.clone(), delivery.answer.clone())),
                None => waiting.push(message.clone()),
            }
        }
        Review {
            read_from: recorded.read_from,
            recorded_at: entry.at,
            known_at: at,
            entry: entry.number,
            proven_at: self.proven.proven_at(entry.number, recorded.bag.as_ref()),
            complete: recorded.complete,
            users: recorded.users,
            open_findings: recorded.open_findings,
            bag: recorded.bag.clone(),
            delivered,
            undelivered,
            waiting,
            no_mail_reason,
            mail_is_unknown: messages.is_empty() && no_mail_reason.is_none() && recorded.fire_at.is_none(),
        }
    }
}
