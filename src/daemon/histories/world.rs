//! What a daemon lives in, made of chance.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    connector::{Cause, Connector, ConnectorError, Progress, ReadRequest},
    daemon::{Daemon, Identity, Job, Limits, Setup, Workspace},
    fetch::Rosters,
    ledger::Entry,
    mail::{
        message::Email,
        smtp::{Accepted, Failure, Mailer, SendError, Stage},
    },
    model::{
        directory::{Directory, Organization, UserRecord},
        id::UserId,
        mail::When,
        policy::Policy,
        reading::{Check, CheckKind, CheckOutcome},
        run::{MessageState, RunState},
        survey::Survey,
    },
    notify::{channel::Channels, email::EmailChannel},
    report::{
        ReportFile,
        testing::{self, ANA},
    },
    run::{deliver::Recipients, ledger::WriteError},
    schedule::{Missed, Schedule},
    store::{
        Database, StoreError,
        crash::{Hazard, Hazardous, Moment},
    },
};

pub(super) const WORKSPACES: [&str; 2] = ["acme", "beta"];
pub(super) const RECIPIENTS: [&str; 2] = ["security@example.com", "compliance@example.com"];

/// How likely things go wrong, in thousandths.
#[derive(Clone, Copy, Default)]
struct Odds {
    crash: u32,
    store_fails: u32,
    read_fails: u32,
    read_refused: u32,
    read_hangs: u32,
    incomplete: u32,
    mail_fails: u32,
    mail_refused: u32,
    mail_unknown: u32,
}

/// What all parts of the world share.
pub(super) struct Shared {
    random: Mutex<StdRng>,
    now: Mutex<DateTime<Utc>>,
    odds: Mutex<Odds>,
    is_calm: AtomicBool,
    /// Wakes reads that hang.
    on: Notify,
    /// What the mail server has accepted, in its order.
    pub(super) post: Mutex<Vec<Email>>,
}

impl Shared {
    fn chance(&self, odds: impl Fn(&Odds) -> u32) -> bool {
        if self.is_calm.load(Ordering::Relaxed) {
            return false;
        }
        let odds = odds(&self.odds.lock().unwrap());
        self.random.lock().unwrap().random_range(0..1000) < odds
    }
}

pub(super) struct World<S> {
    pub(super) shared: Arc<Shared>,
    pub(super) store: S,
    /// The configuration, and the one after the edit.
    configurations: [Configuration; 2],
    is_edited: AtomicBool,
}

/// The schedule of each job, what happens to missed times, and the workspaces.
type Configuration = BTreeMap<String, (Schedule, Missed, Vec<String>)>;

/// Jobs of chance. What is missed of a frequent one is not all made up for: every quarter of an hour of two months is nobody's
/// wish. `earlier` are the jobs before an edit.
fn configuration(random: &mut StdRng, start: DateTime<Utc>, jobs: usize, earlier: &Configuration) -> Configuration {
    let patterns = ["0 8 * * MON", "30 2 * * *", "@hourly", "*/15 * * * *", "0 0 1 * *", "15 10 8 * * FRI"];
    let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
    let is_frequent = |pattern: &str| pattern.contains("/15") || pattern == "@hourly";
    let mut configuration = Configuration::new();
    for number in 0..jobs {
        let name = format!("job-{number}");
        let before = earlier.get(&name);
        // Often only the workspaces change.
        let kept = before.filter(|_| random.random_bool(0.4)).map(|(schedule, ..)| schedule.clone());
        let pattern = *patterns.choose(random).unwrap();
        let zone = zones.choose(random).unwrap().parse().unwrap();
        let schedule = kept.unwrap_or_else(|| Schedule::parse(pattern, zone, start).unwrap());
        let frequent =
            is_frequent(schedule.pattern()) || before.is_some_and(|(before, ..)| is_frequent(before.pattern()));
        let choice = if frequent { &[Missed::Latest, Missed::Skip][..] } else { &[Missed::Latest, Missed::All] };
        let missed = *choice.choose(random).unwrap();
        let mut workspaces = WORKSPACES.map(str::to_owned).to_vec();
        if random.random_bool(0.5) {
            workspaces.remove(random.random_range(0..workspaces.len()));
        }
        configuration.insert(name, (schedule, missed, workspaces));
    }
    configuration
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl<S: Database + Clone + 'static> World<S> {
    /// A world with an empty store. Clones of a store are the same store.
    pub(super) fn new(random: &mut StdRng, store: S) -> Self {
        let start = time("2026-01-01T00:00:00Z") + chrono::Duration::seconds(random.random_range(0..60_000_000));
        let jobs = random.random_range(1..=3);
        let first = configuration(random, start, jobs, &Configuration::new());
        // Another job may come with the edit.
        let more = random.random_range(0..=1);
        let second = configuration(random, start, jobs + more, &first);
        let shared = Shared {
            random: Mutex::new(StdRng::seed_from_u64(random.random())),
            now: Mutex::new(start),
            odds: Mutex::default(),
            is_calm: AtomicBool::new(false),
            on: Notify::new(),
            post: Mutex::default(),
        };
        let configurations = [first, second];
        let world = Self { shared: Arc::new(shared), store, configurations, is_edited: AtomicBool::new(false) };
        world.trouble(random);
        world
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        *self.shared.now.lock().unwrap()
    }

    /// The configuration that a process which starts now reads.
    fn configuration(&self) -> &Configuration {
        let [first, second] = &self.configurations;
        if self.is_edited() { second } else { first }
    }

    pub(super) fn is_edited(&self) -> bool {
        self.is_edited.load(Ordering::Relaxed)
    }

    /// Whether a job comes with the edit.
    pub(super) fn has_a_new_job(&self) -> bool {
        let [first, second] = &self.configurations;
        second.len() > first.len()
    }

    /// The configuration is edited. From here on the clock is not set back: what the ledger says of schedules that a wrong
    /// clock put in force is told elsewhere.
    pub(super) async fn edit(&self) {
        self.catch_up().await;
        self.is_edited.store(true, Ordering::Relaxed);
    }

    /// Other things go wrong from here on.
    pub(super) fn trouble(&self, random: &mut StdRng) {
        let mut odds = || if random.random_bool(0.5) { 0 } else { random.random_range(0..200) };
        *self.shared.odds.lock().unwrap() = Odds {
            crash: odds() / 4,
            store_fails: odds() / 4,
            read_fails: odds() * 3,
            read_refused: odds(),
            read_hangs: odds() / 2,
            incomplete: odds(),
            mail_fails: odds() * 3,
            mail_refused: odds(),
            mail_unknown: odds(),
        };
    }

    pub(super) fn calm(&self, is_calm: bool) {
        self.shared.is_calm.store(is_calm, Ordering::Relaxed);
    }

    /// Time passes, or is corrected.
    pub(super) fn pass(&self, random: &mut StdRng) {
        let seconds = match random.random_range(0..20) {
            0 if !self.is_edited() => -random.random_range(1..200_000),
            1 => random.random_range(1_000_000..4_000_000),
            2..6 => random.random_range(100_000..700_000),
            6..12 => random.random_range(1_000..10_000),
            _ => random.random_range(1..300),
        };
        self.wait(chrono::Duration::seconds(seconds));
        // Often exactly then.
        if random.random_bool(0.5) {
            let now = self.now();
            let next = self
                .configurations
                .iter()
                .flat_map(BTreeMap::values)
                .filter_map(|(schedule, ..)| schedule.times(now).next())
                .min();
            let near = next.filter(|next| *next - now < chrono::Duration::days(8));
            *self.shared.now.lock().unwrap() = near.unwrap_or(now);
        }
    }

    pub(super) fn wait(&self, time: chrono::Duration) {
        *self.shared.now.lock().unwrap() += time;
    }

    /// Where the clock was set back, it is set right again.
    pub(super) async fn catch_up(&self) {
        for job in self.configurations.iter().flat_map(BTreeMap::keys) {
            let cursor = self.store.cursor(job).await.unwrap();
            let mut now = self.shared.now.lock().unwrap();
            *now = cursor.map_or(*now, |cursor| cursor.at.max(*now));
        }
        let lines = self.store.entries(0, u32::MAX).await.unwrap();
        let latest = lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap().at).max();
        let mut now = self.shared.now.lock().unwrap();
        *now = latest.map_or(*now, |latest| latest.max(*now));
    }

    /// Reads that hung go on.
    pub(super) fn go_on(&self) {
        self.shared.on.notify_waiters();
    }

    /// Whether nothing is left to do.
    pub(super) async fn is_idle(&self) -> bool {
        let runs = self.store.runs(u32::MAX).await.unwrap();
        if !runs.iter().all(|run| matches!(run.state, RunState::Closed | RunState::Failed)) {
            return false;
        }
        for run in runs {
            let messages = self.store.messages(run.id).await.unwrap();
            if messages.iter().any(|message| message.state == MessageState::Waiting) {
                return false;
            }
        }
        true
    }

    /// A daemon, as it is after its start.
    pub(super) fn process(&self) -> Process {
        let died = CancellationToken::new();
        let hazard = Chance { shared: Arc::clone(&self.shared), died: died.clone() };
        let store: Arc<dyn Database> = Arc::new(Hazardous { store: self.store.clone(), hazard });
        let job = |(schedule, missed, workspaces): &(Schedule, Missed, Vec<String>)| Job {
            workspaces: workspaces.clone(),
            schedule: schedule.clone(),
            missed: *missed,
            email: Some(Recipients {
                from: "rolecall <audit@example.com>".into(),
                to: RECIPIENTS.map(str::to_owned).to_vec(),
                attach: vec![ReportFile::Json],
                when: When::Always,
                combine: false,
            }),
            heartbeat: None,
        };
        let hanging = Arc::new(Hanging::default());
        let workspace = |name: &&str| {
            let connector = Box::new(Source { shared: Arc::clone(&self.shared), hanging: Arc::clone(&hanging) });
            ((*name).to_owned(), Workspace { connector, deadline: Duration::from_mins(1) })
        };
        let setup = Setup {
            rosters: Rosters::default(),
            jobs: self.configuration().iter().map(|(name, settings)| (name.clone(), job(settings))).collect(),
            workspaces: WORKSPACES.iter().map(workspace).collect(),
            problems: Vec::new(),
            policies: self
                .configuration()
                .iter()
                .flat_map(|(job, (_, _, workspaces))| workspaces.iter().map(|name| (job.clone(), name.clone())))
                .map(|pair| (pair, Arc::new(Policy::default())))
                .collect(),
            reviews: BTreeMap::new(),
            sender: Some(crate::run::reviews::messages::Sender {
                from: "rolecall <audit@example.com>".to_owned(),
                door: None,
            }),
            channels: Channels::default().with(EmailChannel::new(Post(Arc::clone(&self.shared)))),
            vault: None,
            limits: Limits::default(),
            identity: Identity::default(),
            commons: crate::connector::Commons::default(),
        };
        let shared = Arc::clone(&self.shared);
        let daemon = Daemon::new(store, Clock::new(move || *shared.now.lock().unwrap()), setup);
        Process { daemon, workers: JoinSet::new(), senders: JoinSet::new(), died, hanging }
    }
}

/// A daemon that can die.
pub(super) struct Process {
    daemon: Arc<Daemon>,
    workers: JoinSet<()>,
    senders: JoinSet<()>,
    died: CancellationToken,
    hanging: Arc<Hanging>,
}

impl Process {
    /// Does all that can be done at this moment; what hangs is left hanging. Returns whether the process lives.
    pub(super) async fn settle(&mut self) -> bool {
        let shutdown_now = CancellationToken::new();
        loop {
            let died = self.died.clone();
            let step: Pin<Box<dyn Future<Output = Result<(), WriteError>> + Send + '_>> =
                Box::pin(self.daemon.step(&mut self.workers, &mut self.senders, &shutdown_now));
            tokio::select! {
                biased;
                () = died.cancelled() => return false,
                // A store that fails is tried again with the next tick.
                stepped = step => if stepped.is_err() && self.workers.is_empty() && self.senders.is_empty() {
                    return true;
                },
            }
            if self.workers.len() <= self.hanging.reads.load(Ordering::Relaxed) && self.senders.is_empty() {
                return true;
            }
            tokio::select! {
                biased;
                () = self.died.cancelled() => return false,
                Some(ended) = self.workers.join_next() => ended.unwrap(),
                Some(ended) = self.senders.join_next() => ended.unwrap(),
                () = self.hanging.one_more.notified() => {}
            }
        }
    }
}

/// Lets processes die, and the store fail.
struct Chance {
    shared: Arc<Shared>,
    died: CancellationToken,
}

#[async_trait]
impl Hazard for Chance {
    async fn at(&self, write: &str, moment: Moment) -> Result<(), StoreError> {
        if self.shared.chance(|odds| odds.crash) {
            self.died.cancel();
            std::future::pending::<()>().await;
        }
        if moment == Moment::Before && self.shared.chance(|odds| odds.store_fails) {
            let reason = format!("no room for {write}");
            return Err(StoreError::Full { place: "store.db".into(), reason, advice: "" });
        }
        Ok(())
    }
}

/// The reads of a process that hang.
#[derive(Default)]
struct Hanging {
    reads: AtomicUsize,
    one_more: Notify,
}

/// Counts a read for as long as it hangs.
struct Hangs<'a>(&'a Hanging);

impl<'a> Hangs<'a> {
    fn new(hanging: &'a Hanging) -> Self {
        hanging.reads.fetch_add(1, Ordering::Relaxed);
        hanging.one_more.notify_one();
        Self(hanging)
    }
}

impl Drop for Hangs<'_> {
    fn drop(&mut self) {
        self.0.reads.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A workspace with one user, that can be away, incomplete, or silent.
struct Source {
    shared: Arc<Shared>,
    hanging: Arc<Hanging>,
}

#[async_trait]
impl Connector for Source {
    async fn read(&self, _: &ReadRequest, _: &dyn Progress) -> Result<Directory, ConnectorError> {
        let Self { shared, hanging } = self;
        if shared.chance(|odds| odds.read_hangs) {
            let hangs = Hangs::new(hanging);
            shared.on.notified().await;
            drop(hangs);
        }
        if shared.chance(|odds| odds.read_fails) {
            return Err(ConnectorError::new("", Cause::Deadline(Duration::from_mins(1))));
        }
        if shared.chance(|odds| odds.read_refused) {
            return Err(ConnectorError::setup("the token was revoked"));
        }
        let mut directory = testing::audit(&[ANA]).directory;
        let now = *shared.now.lock().unwrap();
        (directory.reading.started_at, directory.reading.finished_at) = (now, now);
        if shared.chance(|odds| odds.incomplete) {
            let outcome = CheckOutcome::Disagreed { detail: "a page was cut short".into() };
            directory.reading.checks.push(Check { kind: CheckKind::MoreRecords, outcome, figures: String::new() });
        }
        Ok(directory)
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        Err(ConnectorError::setup("not supported"))
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        Err(ConnectorError::setup("not supported"))
    }

    async fn user(&self, _: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        Ok(None)
    }

    async fn survey(&self) -> Result<Survey, ConnectorError> {
        Err(ConnectorError::setup("not supported"))
    }
}

/// A mail server that accepts, refuses, or leaves one in the dark.
struct Post(Arc<Shared>);

#[async_trait]
impl Mailer for Post {
    async fn send(&self, email: &Email) -> Result<Accepted, SendError> {
        let Self(shared) = self;
        let error = |stage, failure| SendError {
            limit: None,
            remedy: None,
            server: "mail.example.com:25".into(),
            stage,
            failure,
            code: None,
            answer: "no".into(),
        };
        if shared.chance(|odds| odds.mail_fails) {
            return Err(error(Stage::Connect, Failure::Transient));
        }
        if shared.chance(|odds| odds.mail_refused) {
            return Err(error(Stage::Recipient, Failure::Permanent));
        }
        let in_the_dark = shared.chance(|odds| odds.mail_unknown);
        if !in_the_dark || shared.chance(|_| 500) {
            shared.post.lock().unwrap().push(email.clone());
        }
        if in_the_dark { Err(error(Stage::Data, Failure::Unknown)) } else { Ok(Accepted { answer: "250 ok".into() }) }
    }
}
