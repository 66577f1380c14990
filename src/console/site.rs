//! What the pages are about: the store, the evidence, and what of the configuration they show.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::NaiveDate;

use super::shelf::Shelf;
use crate::{
    clock::Clock,
    model::kind::ConnectorKind,
    review::open::Terms,
    run::{reviews::messages::Sender, vault::Vault},
    schedule::Schedule,
    store::Database,
};

/// What pages show.
pub struct Site {
    /// Reads the store.
    pub shelf: Shelf,
    /// The clock.
    pub clock: Clock,
    /// Held while a question about earlier audits is answered.
    pub turn: tokio::sync::Mutex<()>,
    plans: RwLock<Arc<Plans>>,
}

/// What of the configuration pages show and need, replaced as a whole on reload.
#[derive(Default)]
pub struct Plans {
    /// The jobs, by name.
    pub jobs: BTreeMap<String, Job>,
    /// The workspaces, by name, and what kind of connector reads them.
    pub workspaces: BTreeMap<String, ConnectorKind>,
    /// The reviews, by name.
    pub reviews: BTreeMap<String, Review>,
    /// Who sends messages about reviews; `None` if no mail is sent.
    pub sender: Option<Sender>,
    /// Where evidence is kept; `None` if none is.
    pub vault: Option<Vault>,
    /// The configuration as applied, without secrets.
    pub configuration: String,
}

/// A job.
pub struct Job {
    /// Its workspaces.
    pub workspaces: Vec<String>,
    /// When it is due.
    pub schedule: Schedule,
}

/// A review by people.
pub struct Review {
    /// What is reviewed, by whom, and by when.
    pub terms: Terms,
    /// When it is opened; `None` if only on demand.
    pub schedule: Option<Schedule>,
}

impl Site {
    /// A site.
    pub fn new(store: Arc<dyn Database>, clock: Clock, plans: Plans) -> Self {
        Self {
            shelf: Shelf::new(store),
            clock,
            turn: tokio::sync::Mutex::default(),
            plans: RwLock::new(Arc::new(plans)),
        }
    }

    /// Switches to another configuration.
    pub fn reconfigure(&self, plans: Plans) {
        *self.plans.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plans);
    }

    /// What of the configuration pages show.
    pub fn plans(&self) -> Arc<Plans> {
        Arc::clone(&self.plans.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Plans {
    /// The jobs that audit a workspace.
    pub fn jobs_of<'a>(&'a self, workspace: &'a str) -> Vec<&'a str> {
        let jobs = self.jobs.iter().filter(|(_, job)| job.workspaces.iter().any(|name| name == workspace));
        jobs.map(|(name, _)| name.as_str()).collect()
    }

    /// The first pairs of a job and one of its workspaces.
    pub fn pairs(&self, most: usize) -> Vec<(String, String)> {
        let of_job = |(job, of): (&String, &Job)| {
            of.workspaces.iter().map(|workspace| (job.clone(), workspace.clone())).collect::<Vec<_>>()
        };
        self.jobs.iter().flat_map(of_job).take(most).collect()
    }

    /// The day on which a review is scheduled next. `None` if it has no schedule.
    pub fn next_review(&self, name: &str, now: chrono::DateTime<chrono::Utc>) -> Option<NaiveDate> {
        let schedule = self.reviews.get(name)?.schedule.as_ref()?;
        let next = schedule.next(now, 1);
        Some(next.first()?.with_timezone(&schedule.zone()).date_naive())
    }
}
