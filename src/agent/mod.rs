//! The operations of rolecall as tools for a language model: look-ups, an audit, the pre-flight check, offboarding.
//!
//! [`Agent`] holds the workspaces and answers calls; `operations` has one file for each tool, and the one list of them;
//! a front end ([`mcp`](crate::mcp), `rolecall tools`) only passes calls on. What the workspace says reaches a model
//! through here, and a user may call himself whatever he likes: every answer is data of bounded size, and the one tool
//! that does harm asks a [`Person`] whom the model is not.

mod answer;
pub mod definition;
mod freshness;
mod operations;
mod page;
pub mod person;
mod problem;
pub(crate) mod schema;
mod session;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

pub use self::{
    definition::{Effect, Tool},
    operations::{tool, tools},
    person::{Person, Question, Reply},
    problem::Problem,
    session::{Access, WorkspaceSession},
};
use crate::{
    clock::Clock,
    fetch::Rosters,
    ledger::{Fact, fact::Terms},
    run::{
        self,
        fleet::{self, FleetError},
        past::Archive,
        vault::Vault,
    },
    store::Database,
};

/// What an agent works with.
pub struct Setup {
    /// The workspaces, by name.
    pub workspaces: BTreeMap<String, WorkspaceSession>,
    /// Which workspaces each job reviews.
    pub jobs: BTreeMap<String, Vec<String>>,
    /// Keeps audits, plans and what was done.
    pub store: Arc<dyn Database>,
    /// Reads who works for the company.
    pub rosters: Rosters,
    /// Where evidence is kept; `None` if none is.
    pub vault: Option<Vault>,
    /// The schedules of the jobs, as the ledger has them.
    pub schedules: Vec<(String, Terms)>,
    /// Whether users may be removed at all, by whoever started this process.
    pub allow_offboarding: bool,
    /// How old an answer of the API may be to be given again.
    pub max_age: Duration,
}

/// Answers calls of tools.
pub struct Agent {
    setup: Setup,
    clock: Clock,
}

/// What came of a call.
#[derive(Debug)]
pub enum Outcome {
    /// An answer that follows the tool's output schema. `failed` if it reports a failure.
    Answered {
        /// The answer.
        answer: Value,
        /// Whether the tool could not do what was asked.
        failed: bool,
    },
    /// There is no answer, for this reason.
    Failed(Problem),
    /// A person must answer first; then the same call is made again.
    Waiting(Box<Question>),
}

impl Agent {
    /// An agent with a clock.
    pub fn new(setup: Setup, clock: Clock) -> Self {
        Self { setup, clock }
    }

    /// Calls a tool. `person` is asked where the tool needs a person's word. Every call is in the log, without names.
    pub async fn call(&self, tool: &Tool, arguments: Value, person: &dyn Person) -> Outcome {
        let began = self.now();
        // What is ours alone: a name or an address, wherever a model put it, is not for the log.
        let text = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let workspace = Some(text("workspace")).filter(|name| self.setup.workspaces.contains_key(name));
        let plan = text("plan_id").parse::<Uuid>().ok().map(|plan| plan.to_string());
        let ran = match self.may_run(tool).await {
            Ok(()) => (tool.run)(self, arguments, person).await,
            Err(problem) => Err(problem),
        };
        let outcome = match ran {
            Ok((mut answer, failed)) => {
                answer::tidy(&mut answer);
                Outcome::Answered { answer, failed }
            }
            Err(Problem::Waiting(question)) => Outcome::Waiting(question),
            Err(problem) => Outcome::Failed(problem),
        };
        let word = match &outcome {
            Outcome::Answered { failed: false, .. } => "answered",
            Outcome::Answered { failed: true, .. } => "failed",
            Outcome::Failed(problem) => problem.code(),
            Outcome::Waiting(_) => "waiting",
        };
        let took_ms = (self.now() - began).num_milliseconds();
        let (tool, client) = (tool.definition.name, person.actor());
        tracing::info!(tool, workspace, plan, %client, outcome = word, took_ms, "a tool was called");
        outcome
    }

    /// Whether a tool that records something may do so beside the daemons that run now. They may have come after this process.
    async fn may_run(&self, tool: &Tool) -> Result<(), Problem> {
        if tool.definition.effect == Effect::Reads {
            return Ok(());
        }
        let Setup { store, vault, .. } = &self.setup;
        fleet::may_write(&**store, vault.as_ref(), &self.clock).await.map_err(|error| match error {
            FleetError::Store(error) => Problem::Store(error),
            refused => Problem::Evidence(refused.to_string()),
        })
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The workspace of a name; without one, the only one.
    fn session(&self, name: Option<&str>) -> Result<&WorkspaceSession, Problem> {
        let all = &self.setup.workspaces;
        let known = || all.keys().cloned().collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => all.get(name).ok_or_else(|| Problem::NoWorkspace { name: name.to_owned(), known: known() }),
            None => match (all.len(), all.values().next()) {
                (1, Some(only)) => Ok(only),
                _ => Err(Problem::SeveralWorkspaces(known())),
            },
        }
    }

    /// What the audits of a workspace saw.
    fn archive<'a>(&'a self, workspace: &'a str) -> Archive<'a> {
        Archive::new(&*self.setup.store, self.setup.vault.as_ref(), workspace)
    }

    /// Records the schedules that the ledger does not have yet, so that coverage knows what was due when this audit was
    /// made. It changes and withdraws none: this process may run with an older configuration than the daemon.
    async fn publish_new_schedules(&self) -> Result<(), Problem> {
        let store = &*self.setup.store;
        let mut new = Vec::new();
        for (job, terms) in &self.setup.schedules {
            let fact = Fact::Schedule { job: job.clone(), terms: Some(terms.clone()) };
            if store.last(fact.kind(), job).await?.is_none() {
                new.push(fact);
            }
        }
        Ok(store.append(&new, self.now()).await?)
    }

    /// Brings the ledger's file up to date, if evidence is kept. If that fails, the store still has the entries.
    async fn write_out(&self) -> Result<(), Problem> {
        let Some(vault) = &self.setup.vault else { return Ok(()) };
        let written = run::ledger::write_out(&*self.setup.store, vault, self.now()).await;
        written.map(|_| ()).map_err(|error| Problem::Evidence(error.to_string()))
    }
}
