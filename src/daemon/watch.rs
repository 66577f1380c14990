//! The state of the daemon for monitoring: health, metrics, the start ping.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{Daemon, Setup};
use crate::{
    model::trigger::Incident,
    notify::heartbeat,
    store::{StoreError, history::Done},
};

/// A daemon that did not look for so long what it can do is stuck: it looks every second, and waits 15 seconds for each
/// answer of a store that is locked.
const STUCK: Duration = Duration::from_secs(45);

/// Something that is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// An attempt at a run ended: `done`, `retried`, `failed`.
    Attempt {
        /// The job.
        job: String,
        /// The workspace.
        workspace: String,
        /// How.
        outcome: &'static str,
    },
    /// A message was tried: `accepted`, `retried`, `rejected`.
    Message {
        /// Its kind.
        kind: String,
        /// What came of it.
        outcome: &'static str,
    },
}

/// How a daemon is.
#[derive(Debug)]
pub struct Health {
    /// Whether it turns: it lately looked what can be done.
    pub is_alive: bool,
    /// Why the last step failed; `None` if it did not.
    pub trouble: Option<String>,
    /// What is wrong, of the jobs that it has.
    pub incidents: Vec<Incident>,
}

/// One workspace of one job.
#[derive(Debug)]
pub struct Pulse {
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it is next due; `None` if never.
    pub next: Option<DateTime<Utc>>,
    /// Its latest recorded run; `None` if there is none.
    pub last: Option<Done>,
}

impl Daemon {
    /// Whether it turns: it lately looked what can be done.
    pub fn is_alive(&self) -> bool {
        self.state().stepped.is_some_and(|stepped| stepped.elapsed() < STUCK)
    }

    /// How it is.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot say.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let setup = self.setup();
        let mut incidents = self.store.incidents(self.now()).await?;
        // What nobody runs any more nobody can mend.
        incidents.retain(|incident| {
            setup.jobs.get(&incident.job).is_some_and(|job| {
                incident.workspace.as_ref().is_none_or(|workspace| job.workspaces.contains(workspace))
            })
        });
        let trouble = self.state().trouble.as_ref().map(|trouble| trouble.error.clone());
        Ok(Health { is_alive: self.is_alive(), trouble, incidents })
    }

    /// What is known of each workspace of each job.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot say.
    pub async fn pulses(&self) -> Result<Vec<Pulse>, StoreError> {
        let setup = self.setup();
        let now = self.now();
        let mut pulses = Vec::new();
        for (name, job) in &setup.jobs {
            let next = job.schedule.times(now).next();
            for workspace in &job.workspaces {
                let last = self.store.last_done(name, workspace).await?;
                pulses.push(Pulse { job: name.clone(), workspace: workspace.clone(), next, last });
            }
        }
        Ok(pulses)
    }

    /// What was counted since the start.
    pub fn counts(&self) -> Vec<(Count, u64)> {
        self.state().counts.iter().map(|(count, number)| (count.clone(), *number)).collect()
    }

    pub(super) fn count(&self, count: Count) {
        *self.state().counts.entry(count).or_default() += 1;
    }

    /// Pings the start of a run, beside the run: a start that cannot be pinged is logged and forgotten.
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
