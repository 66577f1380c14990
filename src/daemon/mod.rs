//! Runs the schedule: decides what is due, works on runs, sends what waits in the outbox. Every step is stored before
//! the next begins, so that a killed process loses nothing and its successor continues where it stopped.
//!
//! `planner` turns fire times into runs, `worker` works on one run, `reviews` looks after reviews by people, `sealing` seals
//! those that were closed, `dispatcher` sends one message, `backlog` stores bags that wait, `upkeep` writes the
//! ledger's file and removes what is old, `watch` reports the daemon's state, `replicas` looks at
//! the other daemons on its store, `timestamps` asks authorities about what is
//! sealed, `ticker` ticks every second. They share a [`Daemon`].

mod backlog;
mod dispatcher;
mod in_force;
mod planner;
mod replicas;
mod reviews;
mod sealing;
mod segments;
mod ticker;
mod timestamps;
mod upkeep;
mod vendor_clock;
mod watch;
mod worker;

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub use self::{
    backlog::Unstored,
    replicas::{Identity, Membership},
    reviews::ReviewPulse,
    watch::{Count, Health, Pulse},
};

use crate::{
    clock::{Clock, time_delta},
    connector::{Commons, Connector},
    fetch::Rosters,
    model::{policy::Policy, run::Claim},
    notify::{channel::Channels, closing, heartbeat::Heartbeat},
    review::open::Terms,
    run::{
        deliver::Recipients,
        ledger::WriteError,
        reviews::messages::Sender,
        together::{self, TogetherError},
        vault::Vault,
    },
    schedule::{Missed, Schedule},
    store::{Database, StoreError},
};

/// How often a store that keeps failing is logged.
const LOG_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// The longest wait between two rounds, whatever the wall clock says.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// A job as the daemon runs it.
pub struct Job {
    /// The workspaces, in their order.
    pub workspaces: Vec<String>,
    /// When it is due.
    pub schedule: Schedule,
    /// What happens to fire times that passed while no daemon ran.
    pub missed: Missed,
    /// Who receives mail; `None` if nobody.
    pub email: Option<Recipients>,
    /// Pinged at start, success and failure.
    pub heartbeat: Option<Arc<dyn Heartbeat>>,
}

/// Concurrency and time limits.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many runs, and how many messages, are processed at the same time.
    pub concurrency: usize,
    /// How long a run stays claimed by a worker that does not renew its lease.
    pub lease: Duration,
    /// How long a message stays claimed by a sender: longer than any exchange may take.
    pub mail_lease: Duration,
    /// How long a stopping daemon waits for work in progress before it releases it.
    pub grace_period: Duration,
    /// How long snapshots are kept.
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_mins(1),
            mail_lease: Duration::from_mins(3),
            grace_period: Duration::from_secs(20),
            keep: Duration::from_hours(24 * 400),
        }
    }
}

/// A workspace as the daemon reads it.
pub struct Workspace {
    /// Reads it.
    pub connector: Box<dyn Connector>,
    /// How long a read may take.
    pub deadline: Duration,
}

/// A review by people, as the daemon opens it.
pub struct Review {
    /// What is reviewed, by whom, and by when.
    pub terms: Terms,
    /// When it is opened; `None` if only on demand.
    pub schedule: Option<Schedule>,
}

/// Everything from the configuration, replaced as a whole on reload.
pub struct Setup {
    /// The jobs, by name.
    pub jobs: BTreeMap<String, Job>,
    /// Reviews by people, by name.
    pub reviews: BTreeMap<String, Review>,
    /// The workspaces, by name.
    pub workspaces: BTreeMap<String, Workspace>,
    /// Sentences about workspaces whose configuration cannot be used.
    pub problems: Vec<String>,
    /// The policy of each job and workspace.
    pub policies: BTreeMap<(String, String), Arc<Policy>>,
    /// Reads who works for the company.
    pub rosters: Rosters,
    /// They deliver what waits in the outbox.
    pub channels: Channels,
    /// Who sends messages about reviews by people; `None` if no mail is sent.
    pub sender: Option<Sender>,
    /// Keeps evidence; `None` if none is kept.
    pub vault: Option<Vault>,
    /// Concurrency and time limits.
    pub limits: Limits,
    /// What tells this daemon from others on the same store.
    pub identity: Identity,
    /// What the workspaces have in common. It learns how many replicas there are.
    pub commons: Commons,
}

/// What the parts of a daemon share.
pub struct Daemon {
    store: Arc<dyn Database>,
    clock: Clock,
    /// Tells this process from others with the same name.
    process: Uuid,
    setup: RwLock<Arc<Setup>>,
    /// Notified when there may be something to do.
    wake: Notify,
    /// When it was made.
    made: Instant,
    state: Mutex<State>,
    /// Tasks beside the runs: heartbeats.
    background: TaskTracker,
}

/// What a daemon keeps in memory; everything else is in the store.
#[derive(Default)]
struct State {
    /// Whether the ledger has the schedules of this configuration.
    is_published: bool,
    /// What is known to be in the ledger's file.
    written: Option<upkeep::Written>,
    /// When it was last looked whether that is still there.
    looked_for: Option<Instant>,
    /// The schedules in force, as the ledger has them, by job.
    in_force: BTreeMap<String, Arc<in_force::Terms>>,
    /// When the ledger put them in force.
    in_force_since: BTreeMap<String, DateTime<Utc>>,
    /// The last entry of the ledger when they were read; `None` before that.
    terms_as_of: Option<u64>,
    /// Jobs for which another process has put other terms in force.
    superseded: BTreeMap<String, in_force::Superseded>,
    /// Why a part of the configuration could not be taken over the last time.
    not_reloaded: BTreeMap<Part, String>,
    /// Jobs that are not decided because the clock is ahead, with a sentence about that.
    ahead: BTreeMap<String, String>,
    /// Whether the ledger has the schedules of reviews of this configuration.
    reviews_published: bool,
    /// Since when the schedule of each review is in force, as the ledger has it.
    reviews_since: BTreeMap<String, DateTime<Utc>>,
    /// When the opening of each review is tried again.
    reviews_again: BTreeMap<String, DateTime<Utc>>,
    /// Closed reviews that were seen with their bag.
    sealed_reviews: BTreeSet<Uuid>,
    /// When closed reviews are looked through again.
    seals_again: Option<DateTime<Utc>>,
    /// Why a closed review could not be sealed; `None` if none failed.
    failed_seal: Option<String>,
    /// Until when decisions of reviews have to be carried out that are not proven, with the events of the review by then.
    unproven: BTreeMap<Uuid, (u64, Vec<DateTime<Utc>>)>,
    /// When each job is next checked.
    checks: BTreeMap<String, planner::NextCheck>,
    /// What was counted since the start.
    counts: BTreeMap<Count, u64>,
    /// The claims that its own workers hold, by run.
    held: BTreeMap<Uuid, Claim>,
    /// The clock at the last round.
    looked_at: Option<DateTime<Utc>>,
    /// When the last round began.
    stepped: Option<Instant>,
    /// Why it failed; `None` if it did not.
    failure: Option<StepFailure>,
    /// What is known about timestamps of third parties.
    stamping: timestamps::Stamping,
    /// Whether bags that wait for an object store are being stored.
    drains: bool,
    /// Why they could not be stored the last time.
    undrained: Option<String>,
    /// When old snapshots and bags were last removed.
    pruned: Option<DateTime<Utc>>,
    /// What it knows of the other daemons on its store.
    others: replicas::Others,
}

/// A failure of the store.
struct StepFailure {
    error: String,
    /// When it was last logged.
    logged_at: Instant,
}

/// A part of the configuration that is taken over by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The common file.
    File,
    /// The directory of workspaces.
    Directory,
}

impl Daemon {
    /// A daemon over a store. Nothing runs yet.
    pub fn new(store: Arc<dyn Database>, clock: Clock, setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            process: replicas::process(),
            setup: RwLock::new(Arc::new(setup)),
            wake: Notify::new(),
            made: Instant::now(),
            state: Mutex::default(),
            background: TaskTracker::new(),
        })
    }

    /// Switches to another configuration. Runs in progress finish with the one they began with.
    pub fn reconfigure(&self, setup: Setup) {
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        self.forget();
        self.wake.notify_one();
    }

    /// A part of the configuration could not be taken over; this is said until [`reloaded`](Self::reloaded).
    pub fn not_reloaded(&self, part: Part, why: String) {
        self.state().not_reloaded.insert(part, why);
    }

    /// A part of the configuration was taken over, or is again what is in force.
    pub fn reloaded(&self, part: Part) {
        self.state().not_reloaded.remove(&part);
    }

    /// Forgets what it knows of the configuration before.
    fn forget(&self) {
        let mut state = self.state();
        state.checks.clear();
        state.ahead.clear();
        (state.is_published, state.written, state.terms_as_of) = (false, None, None);
        state.reviews_published = false;
        state.reviews_again.clear();
        state.seals_again = None;
        state.stamping.forget();
        state.others = state.others.after_reload();
    }

    fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Runs until `stop` is cancelled. Then nothing new is begun; runs in progress are finished, or released
    /// when the grace period ends ([`Limits::grace_period`]).
    ///
    /// # Errors
    /// If the ticker cannot be started. A failing store is logged and retried.
    pub async fn run(self: &Arc<Self>, stop: CancellationToken) -> Result<(), ticker::TickerError> {
        let mut ticker = ticker::start(Arc::clone(self)).await?;
        // Tasks that still run when the grace period ends see this token.
        let shutdown_now = CancellationToken::new();
        let (mut workers, mut senders) = (JoinSet::new(), JoinSet::new());
        while !stop.is_cancelled() {
            let stepped = self.step(&mut workers, &mut senders, &shutdown_now).await;
            self.stepped(stepped);
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = self.store.changed() => {}
                Some(_) = workers.join_next() => {}
                Some(_) = senders.join_next() => {}
                // The ticker follows the wall clock, and pauses if that is set back.
                () = tokio::time::sleep(AT_LEAST_EVERY) => {}
            }
        }
        ticker.stop().await;
        self.background.close();
        let finished = async {
            while workers.join_next().await.is_some() {}
            while senders.join_next().await.is_some() {}
            self.background.wait().await;
        };
        if tokio::time::timeout(self.setup().limits.grace_period, finished).await.is_err() {
            shutdown_now.cancel();
            while workers.join_next().await.is_some() {}
            senders.shutdown().await;
        }
        // What the last runs recorded must be in the ledger's file, too.
        let written = self.write_out().await;
        // Only a whole round shows that everything works again.
        if written.is_err() {
            self.stepped(written);
        }
        self.leave().await;
        Ok(())
    }

    /// Works until nothing is left to do at the present time, for a simulated clock that stands still meanwhile.
    ///
    /// # Errors
    /// If the store or the ledger fails.
    pub async fn settle(self: &Arc<Self>) -> Result<(), WriteError> {
        let (mut workers, mut senders) = (JoinSet::new(), JoinSet::new());
        let shutdown_now = CancellationToken::new();
        loop {
            self.step(&mut workers, &mut senders, &shutdown_now).await?;
            tokio::select! {
                Some(_) = workers.join_next() => {}
                Some(_) = senders.join_next() => {}
                else => return Ok(()),
            }
        }
    }

    /// One round: decides what is due, begins work, closes runs, and delivers messages and pings.
    async fn step(
        self: &Arc<Self>,
        workers: &mut JoinSet<()>,
        senders: &mut JoinSet<()>,
        shutdown_now: &CancellationToken,
    ) -> Result<(), WriteError> {
        self.store.look()?;
        if !self.look_around().await? {
            return Ok(());
        }
        self.drain();
        self.plan().await?;
        let Limits { concurrency, lease, mail_lease, .. } = self.setup().limits;
        self.hold(time_delta(lease)).await?;
        while workers.len() < concurrency {
            let Some(claim) = self.store.claim(self.now(), time_delta(lease)).await? else { break };
            let (daemon, shutdown_now) = (Arc::clone(self), shutdown_now.clone());
            self.state().held.insert(claim.run.id, claim.clone());
            workers.spawn(async move {
                let run = claim.run.id;
                daemon.work(claim, shutdown_now).await;
                daemon.state().held.remove(&run);
            });
        }
        self.combine().await?;
        self.open_reviews().await?;
        self.seal_reviews().await?;
        self.tell_of_reviews().await?;
        // Nothing is delivered or called done before the evidence of it is stored.
        if self.unstored().bags == 0 {
            self.deliver(senders, time_delta(mail_lease)).await?;
        }
        self.prune().await?;
        self.look_for_the_ledger();
        self.write_out().await?;
        self.stamp();
        Ok(())
    }

    /// Closes runs, and begins to deliver messages and pings.
    async fn deliver(self: &Arc<Self>, senders: &mut JoinSet<()>, lease: chrono::Duration) -> Result<(), StoreError> {
        let setup = self.setup();
        let is_watched = |job: &str| setup.jobs.get(job).is_some_and(|job| job.heartbeat.is_some());
        for run in closing::close_delivered(&*self.store, &is_watched, self.now()).await? {
            tracing::info!(run = %run.id, job = run.job, workspace = run.workspace, "closed the run");
            self.count(Count::Attempt { job: run.job, workspace: run.workspace, outcome: "done" });
        }
        while senders.len() < setup.limits.concurrency {
            let Some(message) = self.store.take_message(None, self.now(), lease).await? else { break };
            let daemon = Arc::clone(self);
            senders.spawn(async move { daemon.dispatch(message).await });
        }
        Ok(())
    }

    /// Writes the messages about fire times whose runs have all ended.
    async fn combine(&self) -> Result<(), StoreError> {
        match together::combine(&*self.store, None, &self.clock).await {
            Ok(0) => Ok(()),
            Ok(messages) => {
                tracing::info!(messages, "wrote the messages about several workspaces");
                Ok(())
            }
            Err(TogetherError::Store(error)) => Err(error),
            Err(TogetherError::Deliver(error)) => {
                tracing::error!(%error, "a message about several workspaces could not be written");
                Ok(())
            }
        }
    }

    /// Renews the leases of its own workers after a jump of the clock, which would end them: the daemon would take its own
    /// runs for those of a dead process.
    async fn hold(&self, lease: chrono::Duration) -> Result<(), StoreError> {
        let now = self.now();
        let (last, held) = {
            let mut state = self.state();
            (state.looked_at.replace(now), state.held.values().cloned().collect::<Vec<_>>())
        };
        if last.is_none_or(|last| now - last < lease / 3) {
            return Ok(());
        }
        for claim in held {
            match self.store.prolong(&claim, now, lease).await {
                // Its worker has finished, or another process has claimed the run.
                Ok(()) | Err(StoreError::Lost { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Records the result of a round. A failing store fails every second; it is logged when that begins, once a minute, and
    /// when it ends.
    fn stepped(&self, result: Result<(), WriteError>) {
        let mut state = self.state();
        state.stepped = Some(Instant::now());
        let Err(error) = result.map_err(|error| error.to_string()) else {
            if state.failure.take().is_some() {
                tracing::info!("the store and the ledger work again");
            }
            return;
        };
        let logged =
            state.failure.as_ref().filter(|old| old.error == error && old.logged_at.elapsed() < LOG_AGAIN_AFTER);
        if logged.is_none() {
            tracing::error!(error, "the store or the ledger failed; retrying every second");
            state.failure = Some(StepFailure { error, logged_at: Instant::now() });
        }
    }
}
