//! Runs the schedule: decides what is due, works on runs, sends what waits in the outbox. Every step is stored before
//! the next begins, so that a process that is killed loses nothing, and its successor goes on where it was.
//!
//! `planner` turns fire times into runs, `worker` works on one run, `dispatcher` sends one message, `ticker` says
//! every second that a second has passed. What they share is a [`Daemon`].

mod dispatcher;
mod planner;
mod ticker;
mod worker;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    connector::Connector,
    mail::smtp::Mailer,
    model::policy::Policy,
    report::{ReportFile, RuleTexts},
    run::deliver::When,
    schedule::{Missed, Schedule},
    store::{Store, StoreError, queue::Queue},
};

/// Runs that are worked on at one time, and messages that are sent at one time.
const SIDE_BY_SIDE: usize = 4;
/// How long a stopping daemon waits for what it has in its hands before it hands it back.
const STOPPING: Duration = Duration::from_secs(20);

/// A store that remembers both audits and runs.
pub trait Memory: Store + Queue {}

impl<T: Store + Queue> Memory for T {}

/// A job as the daemon runs it.
#[derive(Debug)]
pub struct Job {
    /// The workspaces, in their order.
    pub workspaces: Vec<String>,
    /// When it is due.
    pub schedule: Schedule,
    /// What happens to fire times that passed meanwhile.
    pub missed: Missed,
    /// Who is told; nobody where it is none.
    pub email: Option<Recipients>,
}

/// Who is told, and what.
#[derive(Debug)]
pub struct Recipients {
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// What is attached.
    pub attach: Vec<ReportFile>,
    /// When a report is mailed. That a run failed is always mailed.
    pub when: When,
}

/// A workspace as the daemon reads it.
pub struct Workspace {
    /// Reads it.
    pub connector: Box<dyn Connector>,
    /// How long a read may take.
    pub deadline: Duration,
}

/// Everything that the configuration says: replaced as a whole when it is read anew.
pub struct Setup {
    /// The jobs, by name.
    pub jobs: BTreeMap<String, Job>,
    /// The workspaces, by name.
    pub workspaces: BTreeMap<String, Workspace>,
    /// The policy.
    pub policy: Policy,
    /// Hands messages on; none where nothing is mailed.
    pub mailer: Option<Box<dyn Mailer>>,
    /// The text of every rule.
    pub texts: RuleTexts,
}

/// What the parts of a daemon share.
pub struct Daemon {
    store: Arc<dyn Memory>,
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    setup: RwLock<Arc<Setup>>,
    /// Rung when there may be something to do.
    bell: Notify,
}

impl Daemon {
    /// A daemon over a store. Nothing runs yet.
    pub fn new(store: Arc<dyn Memory>, clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>, setup: Setup) -> Arc<Self> {
        Arc::new(Self { store, clock, setup: RwLock::new(Arc::new(setup)), bell: Notify::new() })
    }

    /// Goes on with another configuration. Runs that are being worked on end with the one they began with.
    pub fn reconfigure(&self, setup: Setup) {
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        self.bell.notify_one();
    }

    fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Runs until it is told to stop. Then nothing new is begun; what is being worked on is finished, or handed back
    /// after 20 seconds.
    ///
    /// # Errors
    /// Where the ticker cannot be started. A store that fails is an error in the log, and tried again.
    pub async fn run(self: &Arc<Self>, stop: CancellationToken) -> Result<(), ticker::TickerError> {
        let mut ticker = ticker::start(Arc::clone(self)).await?;
        // Those who still work when the patience ends see this one.
        let hurry = CancellationToken::new();
        let (mut workers, mut senders) = (JoinSet::new(), JoinSet::new());
        loop {
            if let Err(error) = self.step(&mut workers, &mut senders, &hurry).await {
                tracing::error!(%error, "the store failed; it is tried again");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bell.notified() => {}
                Some(_) = workers.join_next() => {}
                Some(_) = senders.join_next() => {}
            }
        }
        ticker.stop().await;
        let finished = async {
            while workers.join_next().await.is_some() {}
            while senders.join_next().await.is_some() {}
        };
        if tokio::time::timeout(STOPPING, finished).await.is_err() {
            hurry.cancel();
            while workers.join_next().await.is_some() {}
            senders.shutdown().await;
        }
        Ok(())
    }

    /// Does everything that can be done now: decides, begins work, sends, closes.
    async fn step(
        self: &Arc<Self>,
        workers: &mut JoinSet<()>,
        senders: &mut JoinSet<()>,
        hurry: &CancellationToken,
    ) -> Result<(), StoreError> {
        self.plan().await?;
        while workers.len() < SIDE_BY_SIDE {
            let Some(claim) = self.store.claim(self.now(), worker::LEASE).await? else { break };
            let (daemon, hurry) = (Arc::clone(self), hurry.clone());
            workers.spawn(async move { daemon.work(claim, hurry).await });
        }
        while senders.len() < SIDE_BY_SIDE {
            let Some(message) = self.store.take_message(self.now(), dispatcher::LEASE).await? else { break };
            let daemon = Arc::clone(self);
            senders.spawn(async move { daemon.dispatch(message).await });
        }
        for run in self.store.close(self.now()).await? {
            tracing::info!(run = %run.id, job = run.job, workspace = run.workspace, "the run is closed");
        }
        Ok(())
    }
}
