//! The state of the daemon for monitoring: health, metrics, the start ping.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{Daemon, Job, Setup};
use crate::{
    model::trigger::{Incident, LATE},
    notify::heartbeat,
    schedule::{Place, Window},
    store::{
        StoreError,
        history::{Backlog, Done},
    },
};

/// A daemon that has begun no round for this long is stuck: it begins one every second, and waits up to 15 seconds for each
/// answer of a locked store.
const STUCK: Duration = Duration::from_secs(45);

/// An event for the metrics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// An attempt at a run ended: `done`, `retried`, `failed`.
    Attempt {
        /// The job.
        job: String,
        /// The workspace.
        workspace: String,
        /// The outcome.
        outcome: &'static str,
    },
    /// A message was tried: `accepted`, `retried`, `rejected`.
    Message {
        /// Its kind.
        kind: String,
        /// The outcome.
        outcome: &'static str,
    },
}

/// The health of a daemon.
#[derive(Debug)]
pub struct Health {
    /// Whether it makes progress: it has begun a round recently, or may still begin the first.
    pub is_alive: bool,
    /// Why the last step failed; `None` if it did not.
    pub failure: Option<String>,
    /// What else is wrong with it, in sentences: bags that wait to be stored, another configuration in force, a clock that is
    /// ahead.
    pub warnings: Vec<String>,
    /// The open incidents of its jobs.
    pub incidents: Vec<Incident>,
    /// The runs that wait or are worked on, by any process.
    pub backlog: Backlog,
}

/// One workspace of one job.
#[derive(Debug)]
pub struct Pulse {
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it is next due; `None` if never, or if that is not known because the clock is ahead.
    pub next: Option<DateTime<Utc>>,
    /// Its latest recorded run; `None` if there is none.
    pub last: Option<Done>,
}

impl Daemon {
    /// Whether it makes progress: it has begun a round recently.
    pub fn is_alive(&self) -> bool {
        self.state().stepped.unwrap_or(self.made).elapsed() < STUCK
    }

    /// The daemon's health.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn health(&self) -> Result<Health, StoreError> {
        let setup = self.setup();
        let mut incidents = self.store.incidents(self.now()).await?;
        // Jobs that were removed from the configuration have no open incidents.
        incidents.retain(|incident| {
            setup.jobs.get(&incident.job).is_some_and(|job| {
                incident.workspace.as_ref().is_none_or(|workspace| job.workspaces.contains(workspace))
            })
        });
        // Reading alone does not show that a disk is full.
        let now = self.now();
        let unwritable = self.store.probe(now).await.err().map(|error| error.to_string());
        let unwritable = unwritable.or_else(|| self.unwritable_evidence());
        let cut = self.cut_warning(now).await?;
        let failure = self.failure().or(unwritable);
        let warnings = self.unstored_warning().into_iter().chain(cut).chain(self.warnings(now)).collect();
        let backlog = self.store.backlog().await?;
        Ok(Health { is_alive: self.is_alive(), failure, warnings, incidents, backlog })
    }

    /// What is wrong as far as this process knows without its store, in sentences.
    pub fn known_problems(&self) -> Vec<String> {
        let known = self.failure().into_iter().chain(self.unstored_warning());
        known.chain(self.warnings(self.now())).collect()
    }

    /// Why the last step failed; `None` if it did not.
    fn failure(&self) -> Option<String> {
        self.state().failure.as_ref().map(|failure| failure.error.clone())
    }

    /// What this process knows of itself that is not as it should be.
    fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let setup = self.setup();
        let state = self.state();
        let configuration = setup.problems.iter().chain(state.not_reloaded.values());
        let superseded = state.superseded.values().filter_map(|superseded| superseded.lasting(now));
        let others = state.others.skewed.iter().chain(&state.others.warnings);
        let warnings = configuration.chain(superseded).chain(state.ahead.values()).chain(others).cloned();
        warnings.chain(state.stamping.warning(now)).collect()
    }

    /// Why no evidence can be written, in a sentence; `None` if it can, or if none is kept.
    fn unwritable_evidence(&self) -> Option<String> {
        let setup = self.setup();
        let storage = &setup.vault.as_ref()?.storage;
        let error = storage.probe().err()?;
        Some(format!("the evidence in {} cannot be written: {error}. Runs fail until it can", storage.place("")))
    }

    /// How many workspaces have a configuration that cannot be used, and how many parts of it could not be taken over.
    pub fn configuration_problems(&self) -> usize {
        self.setup().problems.len() + self.state().not_reloaded.len()
    }

    /// How many notifications wait to be delivered.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn waiting(&self) -> Result<u64, StoreError> {
        self.store.waiting().await
    }

    /// The state of each workspace of each job.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pulses(&self) -> Result<Vec<Pulse>, StoreError> {
        let setup = self.setup();
        let now = self.now();
        let mut pulses = Vec::new();
        for (name, job) in &setup.jobs {
            // A fire time that is decided already does not come again.
            let decided = self.store.cursor(name).await?.map_or(now, |cursor| cursor.at.max(now));
            for mut pulse in self.upcoming(name, job, decided) {
                pulse.last = self.store.last_done(name, &pulse.workspace, now + LATE).await?;
                pulses.push(pulse);
            }
        }
        Ok(pulses)
    }

    /// Each workspace of each job, as far as this process knows without its store.
    pub fn known_pulses(&self) -> Vec<Pulse> {
        let (setup, now) = (self.setup(), self.now());
        setup.jobs.iter().flat_map(|(name, job)| self.upcoming(name, job, now)).collect()
    }

    /// When each workspace of a job is due next after what is decided.
    fn upcoming(&self, name: &str, job: &Job, decided: DateTime<Utc>) -> Vec<Pulse> {
        let terms = self.terms(name, job);
        // A place that has passed in the first window is in the second.
        let windows: Vec<Window> = terms.schedule.windows(decided).take(2).collect();
        // Nothing is decided while the clock is ahead: what it says comes next would not.
        let is_ahead = self.state().ahead.contains_key(name);
        let pulse = |workspace: &String| {
            let place = Place::of(name, workspace);
            let next = windows.iter().map(|window| window.at(place)).find(|time| *time > decided);
            let next = next.filter(|_| !is_ahead);
            Pulse { job: name.to_owned(), workspace: workspace.clone(), next, last: None }
        };
        terms.workspaces.iter().map(pulse).collect()
    }

    /// The events counted since the start.
    pub fn counts(&self) -> Vec<(Count, u64)> {
        self.state().counts.iter().map(|(count, number)| (count.clone(), *number)).collect()
    }

    pub(super) fn count(&self, count: Count) {
        *self.state().counts.entry(count).or_default() += 1;
    }

    /// Pings the start of a run in the background. A failed ping is logged and not retried later.
    pub(super) fn ping_start(&self, setup: &Setup, job: &str) {
        let Some(heartbeat) = setup.jobs.get(job).and_then(|job| job.heartbeat.as_ref()).map(Arc::clone) else {
            return;
        };
        let job = job.to_owned();
        self.background.spawn(async move {
            if let Err(error) = heartbeat::start(&*heartbeat).await {
                tracing::warn!(job, %error, "the start of a run could not be pinged");
            }
        });
    }
}
