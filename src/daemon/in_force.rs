//! By which terms a job is due: those that the ledger has last. Of two daemons with different configurations on one store,
//! the one that started or reloaded last has put them there; the other follows them and says so.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Daemon, Job, Setup, replicas::TRANSITION};
use crate::{
    clock::time_delta,
    ledger::{Entry, Fact, fact},
    schedule::{Missed, Places, Plan, Schedule, SpreadPlan},
    store::StoreError,
};

/// The most entries of the ledger that are looked through for schedules.
const MOST_ENTRIES: u32 = 500;

/// The terms of a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    /// The workspaces, in their order.
    pub(super) workspaces: Vec<String>,
    /// When it is due.
    pub(super) schedule: Schedule,
    /// What happens to fire times that passed while no daemon ran.
    pub(super) missed: Missed,
    /// Where each workspace is in a window of the schedule.
    pub(super) places: Places,
}

impl Terms {
    fn of_job(name: &str, job: &Job) -> Self {
        Self::new(name, job.workspaces.clone(), job.schedule.clone(), job.missed)
    }

    pub(super) fn new(job: &str, workspaces: Vec<String>, schedule: Schedule, missed: Missed) -> Self {
        let places = Places::new(job, &workspaces);
        Self { workspaces, schedule, missed, places }
    }

    /// As the ledger has them; `None` if a newer rolecall wrote them.
    pub(super) fn parse(job: &str, terms: &fact::Terms, now: DateTime<Utc>) -> Option<Self> {
        let schedule = Schedule::of_terms(terms, now)?;
        Some(Self::new(job, terms.workspaces.clone(), schedule, Missed::of_word(&terms.missed)?))
    }

    /// A review by people: one at each scheduled time, of which the latest is caught up.
    pub(super) fn review(name: &str, schedule: Schedule) -> Self {
        Self::new(name, vec![name.to_owned()], schedule, Missed::Latest)
    }

    /// A review as the ledger has it; `None` if a newer rolecall wrote it.
    pub(super) fn of_review(name: &str, terms: &fact::ReviewTerms, now: DateTime<Utc>) -> Option<Self> {
        let schedule = Schedule::parse(&terms.pattern, terms.time_zone.parse().ok()?, now).ok()?;
        Some(Self::review(name, schedule))
    }
}

impl Terms {
    /// Decides by a schedule about the fire times after a cursor.
    pub(super) fn plan(
        &self,
        schedule: &Schedule,
        missed: Missed,
        cursor: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> SpreadPlan {
        if !schedule.splay().is_zero() {
            return schedule.plan_spread(&self.places, missed, cursor, until);
        }
        let all: Vec<usize> = (0..self.workspaces.len()).collect();
        let Plan { due, skipped, cursor } = schedule.plan(missed, cursor, until);
        SpreadPlan { due: due.into_iter().map(|time| (time, all.clone())).collect(), skipped, cursor }
    }

    /// The next fire time of any workspace after a moment; `None` if there is none.
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.schedule.splay().is_zero() {
            return self.schedule.times(after).next();
        }
        self.schedule.first_of(&self.places, after)
    }
}

/// Other terms than this daemon's are in force for a job.
#[derive(Debug)]
pub(super) struct Superseded {
    sentence: String,
    /// Since when.
    since: DateTime<Utc>,
    is_logged: bool,
}

impl Superseded {
    /// The sentence about it once it has lasted: a replica that takes over the same change a moment later has the same terms.
    pub(super) fn lasting(&self, now: DateTime<Utc>) -> Option<&String> {
        ((now - self.since).abs() >= time_delta(TRANSITION)).then_some(&self.sentence)
    }
}

impl Daemon {
    /// The terms by which a job is due.
    pub(super) fn terms(&self, name: &str, job: &Job) -> Arc<Terms> {
        self.state().in_force.get(name).map_or_else(|| Arc::new(Terms::of_job(name, job)), Arc::clone)
    }

    /// Reads the terms in force if the ledger has grown.
    pub(super) async fn learn_terms(&self, setup: &Setup, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.log_superseded(now);
        let head = self.store.head().await?.number;
        if self.state().terms_as_of == Some(head) {
            return Ok(());
        }
        let as_of = self.state().terms_as_of;
        let changed = match as_of {
            Some(as_of) => self.scheduled_since(as_of, head).await?,
            None => None,
        };
        let is_known = |name: &String| changed.as_ref().is_some_and(|changed| !changed.contains(name));
        for (name, job) in setup.jobs.iter().filter(|(name, _)| !is_known(name)) {
            let last = self.store.last(Fact::SCHEDULE, name).await?;
            let since = last.as_ref().map(|entry| entry.at);
            let own = Terms::of_job(name, job);
            let (terms, superseded) = match last.map(|entry| (entry.number, entry.at, entry.fact)) {
                Some((number, at, Fact::Schedule { terms, .. })) if terms != Some(Self::own_terms(job)) => {
                    let newer = terms.as_ref().and_then(|terms| Terms::parse(name, terms, now));
                    let at = at.format("%Y-%m-%d %H:%M UTC");
                    let what = match (&terms, &newer) {
                        (Some(_), Some(newer)) => format!(
                            "its schedule “{}” in {} is followed",
                            newer.schedule.pattern(),
                            newer.schedule.zone()
                        ),
                        (Some(_), None) => "its schedule cannot be read, so that of this daemon is followed".to_owned(),
                        (None, _) => "it has no such job, which this daemon still runs".to_owned(),
                    };
                    let sentence = format!(
                        "{name}: a newer configuration is in force (entry {number} of the ledger, {at}): {what}. Reload \
                         this daemon with the same configuration, or stop one of the two"
                    );
                    (newer.unwrap_or(own), Some(sentence).zip(since))
                }
                _ => (own, None),
            };
            self.put_in_force(name, terms, since, superseded);
        }
        let mut state = self.state();
        state.in_force.retain(|name, _| setup.jobs.contains_key(name));
        state.in_force_since.retain(|name, _| setup.jobs.contains_key(name));
        state.superseded.retain(|name, _| setup.jobs.contains_key(name));
        state.terms_as_of = Some(head);
        drop(state);
        self.log_superseded(now);
        Ok(())
    }

    /// Logs which jobs other terms have been in force for long enough, each once.
    fn log_superseded(&self, now: DateTime<Utc>) {
        for (job, superseded) in &mut self.state().superseded {
            if let Some(sentence) = superseded.lasting(now).filter(|_| !superseded.is_logged) {
                tracing::error!(job, "{sentence}");
                superseded.is_logged = true;
            }
        }
    }

    /// The jobs whose terms changed between two entries of the ledger; `None` if there are too many entries in between to
    /// look through: then it is cheaper to ask for each job. With thousands of jobs, asking for each of them after every run
    /// would cost more than the runs.
    async fn scheduled_since(&self, as_of: u64, head: u64) -> Result<Option<BTreeSet<String>>, StoreError> {
        if head.checked_sub(as_of).is_none_or(|entries| entries > u64::from(MOST_ENTRIES)) {
            return Ok(None);
        }
        let mut changed = BTreeSet::new();
        for line in self.store.entries(as_of, MOST_ENTRIES).await? {
            match serde_json::from_str(&line.text).map(|entry: Entry| entry.fact) {
                Ok(Fact::Schedule { job, .. }) => {
                    changed.insert(job);
                }
                Ok(_) => {}
                // A newer rolecall may have written it.
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(changed))
    }

    /// A job's terms by this daemon's configuration, as the ledger has them.
    pub(super) fn own_terms(job: &Job) -> fact::Terms {
        job.schedule.terms(&job.workspaces, job.missed)
    }

    fn put_in_force(
        &self,
        name: &str,
        terms: Terms,
        since: Option<DateTime<Utc>>,
        superseded: Option<(String, DateTime<Utc>)>,
    ) {
        let mut state = self.state();
        if let Some(since) = since.filter(|since| state.in_force_since.get(name) != Some(since)) {
            state.checks.remove(name);
            state.in_force_since.insert(name.to_owned(), since);
        }
        if state.in_force.get(name).is_none_or(|known| **known != terms) {
            state.checks.remove(name);
            state.in_force.insert(name.to_owned(), Arc::new(terms));
        }
        let Some((sentence, since)) = superseded else {
            state.superseded.remove(name);
            return;
        };
        if state.superseded.get(name).is_none_or(|known| known.sentence != sentence) {
            let superseded = Superseded { sentence, since, is_logged: false };
            state.superseded.insert(name.to_owned(), superseded);
        }
    }
}
