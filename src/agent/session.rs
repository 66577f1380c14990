//! One workspace: how to reach it, and what was read from it recently.
//!
//! A model that asks in a loop must not use up the vendor's rate limit: calls within a short time are answered from one
//! read, concurrent calls wait for it, and a failed read is cached too.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Agent, Person, Problem, Question, Reply, freshness::seconds};
use crate::{
    access::matrix::AccessMatrix,
    connector::{Cause, Connector, Remover},
    lookup::LookupError,
    model::{audit::Audit, policy::Policy, survey::Survey},
    offboard::{LedgerWriter, Offboarding, Plan},
    run::{self, Env, RunError, RunRequest},
};

/// How long a failed read is not retried if the failure may be temporary.
const FAILURE_KEPT: TimeDelta = TimeDelta::seconds(20);
/// The same if something has to be changed first.
const REFUSAL_KEPT: TimeDelta = TimeDelta::minutes(2);
/// The same if the vendor issues no more tokens: it does so again after half an hour without requests.
const THROTTLE_KEPT: TimeDelta = TimeDelta::minutes(31);

/// What the configuration lets rolecall do in a workspace.
pub enum Access {
    /// It may read.
    Reads(Box<dyn Connector>),
    /// It may remove users, too.
    Removes(Box<dyn Remover>),
}

/// A workspace.
pub struct WorkspaceSession {
    /// Its name in the configuration.
    pub(super) name: String,
    access: Access,
    /// The required organization; `None` if any is accepted.
    pub(super) organization: Option<String>,
    pub(super) deadline: Duration,
    /// Its policy outside any job.
    pub(super) policy: Arc<Policy>,
    view: Mutex<Option<Cached<AuditView>>>,
    survey: Mutex<Option<Cached<Survey>>>,
    /// The last failed read, if it is recent.
    backoff: Mutex<Option<Backoff>>,
    /// Plans that were made and not used, by the user's id.
    pub(super) plans: Mutex<HashMap<String, Plan>>,
    /// Removals are made one after another.
    pub(super) removing: Mutex<()>,
    /// Plans about which a person is being asked.
    asking: std::sync::Mutex<HashSet<Uuid>>,
    /// How often the confirmation of a plan was wrong.
    wrong: std::sync::Mutex<HashMap<Uuid, u32>>,
}

/// How often a plan may be confirmed wrongly before it is withdrawn.
const WRONG: u32 = 5;

/// What was read, and when.
struct Cached<T> {
    at: DateTime<Utc>,
    found: Arc<T>,
}

/// Why a read failed, and how long that is cached.
struct Backoff {
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    message: String,
}

/// A workspace as it was read and judged.
pub(super) struct AuditView {
    /// What was read, and what the rules say of it.
    pub(super) audit: Audit,
    /// Whether it is on record as an audit, and its evidence.
    pub(super) record: Option<Record>,
}

/// An audit that is on record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The folder and digest of its evidence; `None` if no evidence is kept.
    pub(super) bag: Option<(String, String)>,
    /// What was wrong with the clock; `None` if nothing was.
    pub(super) warning: Option<String>,
}

impl AuditView {
    /// A lookup error with the age of the data.
    pub(super) fn missing(&self, error: LookupError, now: DateTime<Utc>) -> Problem {
        Problem::Lookup { error, age_seconds: seconds(self.audit.directory.reading.finished_at, now) }
    }

    /// The access matrix.
    pub(super) fn matrix(&self) -> AccessMatrix<'_> {
        AccessMatrix::of(&self.audit)
    }
}

impl WorkspaceSession {
    /// A workspace from which nothing was read yet.
    pub fn new(
        name: String,
        access: Access,
        organization: Option<String>,
        deadline: Duration,
        policy: Arc<Policy>,
    ) -> Self {
        Self {
            name,
            access,
            organization,
            deadline,
            policy,
            view: Mutex::default(),
            survey: Mutex::default(),
            backoff: Mutex::default(),
            plans: Mutex::default(),
            removing: Mutex::default(),
            asking: std::sync::Mutex::default(),
            wrong: std::sync::Mutex::default(),
        }
    }

    /// The way to read it.
    pub(super) fn connector(&self) -> &dyn Connector {
        match &self.access {
            Access::Reads(connector) => &**connector,
            Access::Removes(remover) => &**remover,
        }
    }

    /// Whether the configuration lets rolecall remove users.
    pub(super) fn allows_offboarding(&self) -> bool {
        matches!(self.access, Access::Removes(_))
    }

    /// What reading and auditing it needs.
    pub(super) fn env<'a>(&'a self, agent: &'a Agent) -> Env<'a> {
        Env {
            connector: self.connector(),
            store: &*agent.setup.store,
            vault: agent.setup.vault.as_ref(),
            clock: &agent.clock,
            progress: &(),
            rosters: &agent.setup.rosters,
        }
    }

    /// The workspace from a recent read, or from a new one.
    pub(super) async fn view(&self, agent: &Agent) -> Result<Arc<AuditView>, Problem> {
        let mut known = self.view.lock().await;
        if let Some(found) = agent.still(known.as_ref()) {
            return Ok(found);
        }
        let found = self.tried(agent, self.read(agent)).await?;
        Ok(agent.remember(&mut known, found))
    }

    /// Reads and judges for a look-up: nothing is recorded. It belongs to no job, because a scheduled audit is compared
    /// with the last one of its job, and a call through a model must not change which one that is.
    async fn read(&self, agent: &Agent) -> Result<AuditView, Problem> {
        let request = RunRequest {
            id: Uuid::now_v7(),
            trigger: None,
            job: None,
            workspace: &self.name,
            policy: &self.policy,
            deadline: self.deadline,
        };
        let read = run::read(&self.env(agent), &request, None).await?;
        let audit = run::judge(&request, read, agent.now())?;
        Ok(AuditView { audit, record: None })
    }

    /// A recent recorded audit, or a new one made and recorded by `audit`.
    pub(super) async fn recorded(
        &self,
        agent: &Agent,
        audit: impl Future<Output = Result<AuditView, Problem>>,
    ) -> Result<Arc<AuditView>, Problem> {
        let mut known = self.view.lock().await;
        let is_record = |known: &&Cached<AuditView>| known.found.record.is_some();
        if let Some(found) = agent.still(known.as_ref().filter(is_record)) {
            return Ok(found);
        }
        let found = self.tried(agent, audit).await?;
        Ok(agent.remember(&mut known, found))
    }

    /// What the credentials reach, from a recent survey or a new one, and when that was.
    pub(super) async fn survey(&self, agent: &Agent) -> Result<(Arc<Survey>, DateTime<Utc>), Problem> {
        let mut known = self.survey.lock().await;
        let found = if let Some(found) = agent.still(known.as_ref()) {
            found
        } else {
            let survey = async { self.connector().survey().await.map_err(Problem::from) };
            let found = self.tried(agent, survey).await?;
            agent.remember(&mut known, found)
        };
        let at = known.as_ref().map_or_else(|| agent.now(), |known| known.at).trunc_subsecs(3);
        Ok((found, at))
    }

    /// Reads, unless a recent attempt failed.
    async fn tried<T>(&self, agent: &Agent, read: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let now = agent.now();
        if let Some(backoff) =
            self.backoff.lock().await.as_ref().filter(|backoff| (backoff.at..backoff.until).contains(&now))
        {
            return Err(Problem::NotRead {
                message: backoff.message.clone(),
                age_seconds: seconds(backoff.at, now),
                again_seconds: seconds(now, backoff.until),
            });
        }
        let found = read.await;
        *self.backoff.lock().await = found.as_ref().err().and_then(|problem| {
            let at = agent.now();
            let until = at + problem.believed_for()?;
            Some(Backoff { at, until, message: problem.to_string() })
        });
        found
    }

    /// Drops the cached reads, because the workspace changed.
    pub(super) async fn drop_reads(&self) {
        *self.view.lock().await = None;
        *self.survey.lock().await = None;
    }

    /// Asks a person about a plan, unless a person is already being asked about it.
    pub(super) async fn ask(&self, plan: Uuid, person: &dyn Person, question: &Question) -> Result<Reply, Problem> {
        let asking = || self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if !asking().insert(plan) {
            return Err(Problem::AlreadyAsked);
        }
        let reply = person.ask(question).await;
        asking().remove(&plan);
        Ok(reply)
    }

    /// Counts a wrong confirmation of a plan; returns how many more are possible.
    pub(super) fn wrongly_confirmed(&self, plan: Uuid) -> u32 {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let count = wrong.entry(plan).or_default();
        *count += 1;
        let left = WRONG.saturating_sub(*count);
        if left == 0 {
            // Its plan is withdrawn.
            wrong.remove(&plan);
        }
        left
    }

    /// What removing users needs.
    pub(super) fn offboarding<'a>(&'a self, agent: &'a Agent) -> Result<Offboarding<'a>, Problem> {
        let Access::Removes(remover) = &self.access else { return Err(Problem::NotAllowed(self.name.clone())) };
        Ok(Offboarding {
            workspace: &self.name,
            remover: &**remover,
            ledger: &*agent.setup.store,
            reviews: &*agent.setup.store,
            review: None,
            ledger_writer: agent,
            policy: &self.policy,
            organization: self.organization.as_deref(),
            deadline: self.deadline,
            clock: &agent.clock,
        })
    }
}

impl Problem {
    /// How long a failed read is not tried again; `None` if what failed was not a read.
    fn believed_for(&self) -> Option<TimeDelta> {
        let (Self::Connector(error) | Self::Run(RunError::Read { source: error, .. })) = self else { return None };
        Some(match error {
            error if error.cause == Cause::TokensThrottled => THROTTLE_KEPT,
            error if error.is_transient() => FAILURE_KEPT,
            _ => REFUSAL_KEPT,
        })
    }
}

#[async_trait]
impl LedgerWriter for Agent {
    async fn write_out(&self) -> Result<(), String> {
        if let Some(vault) = &self.setup.vault {
            let recorded = run::ledger::record_signing_key(&*self.setup.store, vault, self.now()).await;
            recorded.map_err(|error| error.to_string())?;
        }
        Agent::write_out(self).await.map_err(|problem| problem.to_string())
    }
}

impl Agent {
    /// The cached value, if it is not too old. After the clock was set back, every value is too old.
    fn still<T>(&self, known: Option<&Cached<T>>) -> Option<Arc<T>> {
        let known = known?;
        let age = self.now() - known.at;
        let keep = TimeDelta::from_std(self.setup.max_age).unwrap_or(TimeDelta::MAX);
        (age >= TimeDelta::zero() && age < keep).then(|| Arc::clone(&known.found))
    }

    /// Caches a value and returns it.
    fn remember<T>(&self, known: &mut Option<Cached<T>>, found: T) -> Arc<T> {
        let found = Arc::new(found);
        *known = Some(Cached { at: self.now(), found: Arc::clone(&found) });
        found
    }
}
