//! The daemon over a real store and a simulated workspace, at a time that the test sets.

mod clock;
mod disagreement;
mod edits;
mod evidence;
mod failures;
mod review_edits;
mod reviews;
mod spread;
mod together;
mod year;

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;

use super::*;
use crate::{
    clock::Clock,
    connector::{
        self,
        zoho::{DataCenter, ZohoBigin, ZohoSettings},
    },
    evidence::storage::folder::Folder,
    fetch::Rosters,
    mail::{
        message::Email,
        smtp::{Accepted, Failure, Mailer, SendError, Stage},
    },
    model::{
        mail::When,
        policy::Policy,
        run::{MessageState, Run, RunState},
        trigger::IncidentKind,
    },
    notify::{
        email::EmailChannel,
        heartbeat::{Beat, HeartbeatChannel, HeartbeatError},
    },
    replay::Replay,
    report::ReportFile,
    run::{
        recompute::SealedReview,
        vault::{Configuration, Vault},
    },
    store::{StoreError, testing},
};
use rolecall_simulator::{Fault, Options, Simulator};

/// A mail server that accepts, or does not.
#[derive(Clone, Default)]
struct Post {
    accepted: Arc<Mutex<Vec<Email>>>,
    seen: Arc<Mutex<Vec<String>>>,
    down: Arc<AtomicBool>,
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, email: &Email) -> Result<Accepted, SendError> {
        self.seen.lock().unwrap().push(email.message_id.clone());
        let refuse = |failure, code| SendError {
            limit: None,
            remedy: None,
            server: "mail.example.com:25".into(),
            stage: Stage::Recipient,
            failure,
            code: Some(code),
            answer: "no".into(),
        };
        if self.down.load(Ordering::Relaxed) {
            return Err(refuse(Failure::Transient, 451));
        }
        if email.to.starts_with("gone@") {
            return Err(refuse(Failure::Permanent, 550));
        }
        self.accepted.lock().unwrap().push(email.clone());
        Ok(Accepted { answer: "250 ok".into() })
    }
}

/// Remembers the pings that it accepts. While it is down it accepts starts only.
#[derive(Clone, Default)]
struct Watcher {
    accepted: Arc<Mutex<Vec<Beat>>>,
    down: Arc<AtomicBool>,
}

#[async_trait]
impl Heartbeat for Watcher {
    async fn beat(&self, beat: Beat) -> Result<(), HeartbeatError> {
        if beat != Beat::Start && self.down.load(Ordering::Relaxed) {
            return Err(HeartbeatError::Refused(503));
        }
        self.accepted.lock().unwrap().push(beat);
        Ok(())
    }
}

struct Bench {
    simulator: Simulator,
    post: Post,
    watcher: Watcher,
    now: Arc<Mutex<DateTime<Utc>>>,
    folder: tempfile::TempDir,
    daemon: Arc<Daemon>,
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const SUNDAY: &str = "2026-03-01T12:00:00Z";
const WEEK_1: &str = "2026-03-02T07:00:00Z";
const WEEK_2: &str = "2026-03-09T07:00:00Z";

impl Bench {
    async fn new(missed: Missed) -> Self {
        let options = Options { users: 20, tokens_per_window: 10_000, ..Options::default() };
        let simulator = Simulator::start(options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (post, watcher, now) = (Post::default(), Watcher::default(), Arc::new(Mutex::new(time(SUNDAY))));
        let daemon = daemon(&simulator, &post, &watcher, &now, folder.path(), missed).await;
        let bench = Self { simulator, post, watcher, now, folder, daemon };
        // The first look sets the cursor.
        bench.at(SUNDAY).await;
        bench
    }

    /// What happens at a moment, until nothing is left to do at it.
    async fn at(&self, moment: &str) {
        *self.now.lock().unwrap() = time(moment);
        let (mut workers, mut senders) = (JoinSet::new(), JoinSet::new());
        let shutdown_now = CancellationToken::new();
        loop {
            self.daemon.step(&mut workers, &mut senders, &shutdown_now).await.unwrap();
            let next = tokio::select! {
                Some(ended) = workers.join_next() => ended,
                Some(ended) = senders.join_next() => ended,
                else => break,
            };
            next.unwrap();
        }
        self.daemon.background.close();
        self.daemon.background.wait().await;
        self.daemon.background.reopen();
    }

    /// From now on, calls to the API are dated by the clock of this bench, and not by that of the machine as the answers are.
    fn dates_its_calls(&self) {
        let now = Arc::clone(&self.now);
        let clock = Clock::new(move || *now.lock().unwrap());
        let workspace =
            Workspace { connector: Box::new(connector(&self.simulator, clock)), deadline: Duration::from_mins(1) };
        let mut setup = self.daemon.setup.write().unwrap();
        Arc::get_mut(&mut setup).unwrap().workspaces.insert("acme".to_owned(), workspace);
    }

    /// The pings since the last time.
    fn beats(&self) -> Vec<Beat> {
        std::mem::take(&mut self.watcher.accepted.lock().unwrap())
    }

    async fn runs(&self) -> Vec<Run> {
        self.daemon.store.runs(100).await.unwrap()
    }

    async fn run(&self) -> Run {
        let mut runs = self.runs().await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// What was accepted and by whom, but for notices that a message was not.
    fn accepted(&self) -> Vec<(String, String)> {
        self.mails().into_iter().filter(|(_, text)| !text.contains("NOT DELIVERED")).collect()
    }

    fn mails(&self) -> Vec<(String, String)> {
        let accepted = self.post.accepted.lock().unwrap();
        let text = |email: &Email| String::from_utf8_lossy(&email.bytes).into_owned();
        accepted.iter().map(|email| (email.to.clone(), text(email))).collect()
    }
}

fn connector(simulator: &Simulator, clock: Clock) -> ZohoBigin {
    let credentials = simulator.credentials();
    ZohoBigin::new(
        ZohoSettings {
            data_center: DataCenter::Eu,
            client_id: credentials.client_id.clone(),
            client_secret: SecretString::from(credentials.client_secret.clone()),
            refresh_token: SecretString::from(credentials.refresh_token.clone()),
            accounts_url: Some(simulator.base_url().parse().unwrap()),
            api_url: None,
            limits: connector::Limits {
                backoff: Duration::from_millis(1),
                attempts: 2,
                ..connector::Limits::default()
            },
            reads: 2,
            pause_between_reads: Duration::ZERO,
        },
        clock,
    )
    .unwrap()
}

async fn daemon(
    simulator: &Simulator,
    post: &Post,
    watcher: &Watcher,
    now: &Arc<Mutex<DateTime<Utc>>>,
    folder: &std::path::Path,
    missed: Missed,
) -> Arc<Daemon> {
    let heartbeat: Arc<dyn Heartbeat> = Arc::new(watcher.clone());
    let now = Arc::clone(now);
    let clock = Clock::new(move || *now.lock().unwrap());
    let job = Job {
        workspaces: vec!["acme".into()],
        schedule: Schedule::parse("0 8 * * MON", "Europe/Berlin".parse().unwrap(), time(SUNDAY)).unwrap(),
        missed,
        email: Some(Recipients {
            from: "rolecall <audit@example.com>".into(),
            to: vec!["security@example.com".into(), "gone@example.com".into()],
            attach: vec![ReportFile::FindingsCsv],
            when: When::Always,
            combine: false,
        }),
        heartbeat: Some(Arc::clone(&heartbeat)),
    };
    let workspace =
        Workspace { connector: Box::new(connector(simulator, Clock::system())), deadline: Duration::from_mins(1) };
    let setup = Setup {
        rosters: Rosters::default(),
        jobs: [("weekly".to_owned(), job)].into(),
        workspaces: [("acme".to_owned(), workspace)].into(),
        problems: Vec::new(),
        policies: [(("weekly".to_owned(), "acme".to_owned()), Arc::new(Policy::default()))].into(),
        reviews: BTreeMap::new(),
        sender: Some(crate::run::reviews::messages::Sender {
            from: "rolecall <audit@example.com>".to_owned(),
            door: None,
        }),
        channels: Channels::default()
            .with(EmailChannel::new(post.clone()))
            .with(HeartbeatChannel::new([("weekly".to_owned(), heartbeat)].into())),
        vault: None,
        limits: Limits::default(),
        identity: Identity::default(),
        commons: crate::connector::Commons::default(),
    };
    let store = testing::open(folder).await;
    Daemon::new(Arc::new(store), clock, setup)
}

#[tokio::test]
async fn a_fire_time_becomes_one_audit_and_one_message_for_each_recipient() {
    let bench = Bench::new(Missed::Latest).await;
    bench.at("2026-03-02T06:59:59Z").await;
    assert!(bench.runs().await.is_empty());
    bench.at(WEEK_1).await;
    bench.at("2026-03-02T07:00:01Z").await;
    let run = bench.run().await;
    assert_eq!((run.fire_at, run.state, run.attempt), (time(WEEK_1), RunState::Closed, 1));
    assert_eq!(bench.daemon.store.audit(run.id).await.unwrap().unwrap().users, 20);
    let messages = bench.daemon.store.messages(run.id).await.unwrap();
    let states: Vec<_> = messages.iter().map(|message| (message.address.as_str(), message.state)).collect();
    assert_eq!(
        states,
        [
            ("security@example.com", MessageState::Accepted),
            ("gone@example.com", MessageState::Rejected),
            ("security@example.com", MessageState::Accepted)
        ]
    );
    assert_eq!(bench.accepted().len(), 1);
    let [_, (to, notice)] = <[_; 2]>::try_from(bench.mails()).unwrap();
    assert_eq!(to, "security@example.com");
    assert!(notice.contains("NOT DELIVERED to gone@example.com: weekly of acme"), "{notice}");
    assert_eq!(bench.beats(), [Beat::Start, Beat::Failure], "somebody did not get it");
}

#[tokio::test]
async fn what_went_wrong_is_named_now_and_in_the_next_report_until_somebody_has_read_it() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_faults([Fault::Revoked]);
    bench.at(WEEK_1).await;
    assert_eq!(bench.beats(), [Beat::Start, Beat::Failure]);
    let kinds = async || {
        let health = bench.daemon.health().await.unwrap();
        health.incidents.iter().map(|incident| incident.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, [IncidentKind::Failed, IncidentKind::Undelivered]);
    bench.simulator.set_faults([]);
    bench.at(WEEK_2).await;
    let (_, report) = bench.accepted().pop().unwrap();
    assert!(report.contains("Mon 2 Mar 2026, 07:00 UTC: the review failed"), "{report}");
    assert_eq!(kinds().await, [IncidentKind::Undelivered], "gone@example.com gets nothing");
    bench.at("2026-03-16T07:00:00Z").await;
    let (_, report) = bench.accepted().pop().unwrap();
    assert!(!report.contains("the review failed") && report.contains("not delivered: report to gone@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_workspace_is_judged_by_its_own_policy_and_its_evidence_is_recomputed_by_the_same() {
    let bench = Bench::new(Missed::Latest).await;
    let bags = bench.folder.path().join("bags");
    let lenient = Policy { max_administrators: 1000, max_administrator_percent: 100.0, ..Policy::default() };
    let strict = Policy { max_administrators: 0, ..Policy::default() };
    {
        let mut setup = bench.daemon.setup.write().unwrap();
        let setup = Arc::get_mut(&mut setup).unwrap();
        setup.jobs.get_mut("weekly").unwrap().workspaces.push("beta".into());
        let workspace = Workspace {
            connector: Box::new(connector(&bench.simulator, Clock::system())),
            deadline: Duration::from_mins(1),
        };
        setup.workspaces.insert("beta".into(), workspace);
        for (workspace, policy) in [("acme", &lenient), ("beta", &strict)] {
            setup.policies.insert(("weekly".into(), workspace.into()), Arc::new(policy.clone()));
        }
        let (configuration, agent) = (String::new(), format!("rolecall {} (a test)", env!("CARGO_PKG_VERSION")));
        let storage = Arc::new(Folder::new(&bags));
        setup.vault = Some(Vault {
            storage,
            keep_days: None,
            key: None,
            timestamps: None,
            configuration: Configuration::new(configuration, BTreeMap::new()),
            agent,
        });
    }
    bench.daemon.forget();
    bench.at(SUNDAY).await;
    bench.at(WEEK_1).await;
    assert_eq!(bench.runs().await.len(), 2);
    for (workspace, own, other, expected) in
        [("acme", &lenient, &strict, "passed"), ("beta", &strict, &lenient, "failed")]
    {
        let mut folders = std::fs::read_dir(&bags).unwrap().map(|entry| entry.unwrap().path());
        let bag = folders.find(|path| path.to_string_lossy().contains(&format!("_{workspace}_"))).unwrap();
        let report = std::fs::read(bag.join("data/reports/report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let mut rules = report["rules"].as_array().unwrap().iter();
        let rule = rules.find(|rule| rule["rule"] == "too-many-administrators").unwrap();
        assert_eq!(rule["result"], expected, "{workspace}");
        assert_eq!(report["policy"]["max_administrators"], own.max_administrators, "{workspace}");
        assert_eq!(differences(&bag, own).await, Vec::<String>::new(), "{workspace}");
        assert!(differences(&bag, other).await.contains(&"data/reports/findings.csv".to_owned()), "{workspace}");
    }
}

/// The files of a bag that do not follow from its answers under a policy.
async fn differences(bag: &std::path::Path, policy: &Policy) -> Vec<String> {
    let storage = Folder::new(bag);
    let recording = SealedReview::of(&storage, "").unwrap();
    let replay = Replay::start(recording.answers().unwrap()).await.unwrap();
    let url: url::Url = replay.base_url.parse().unwrap();
    let replaying = ZohoBigin::new(
        ZohoSettings {
            data_center: DataCenter::Eu,
            client_id: String::new(),
            client_secret: SecretString::from("recorded"),
            refresh_token: SecretString::from("recorded"),
            accounts_url: Some(url.clone()),
            api_url: Some(url),
            limits: connector::Limits { backoff: Duration::from_millis(1), ..connector::Limits::default() },
            reads: 2,
            pause_between_reads: Duration::ZERO,
        },
        Clock::system(),
    );
    let compared = recording.compare(&replaying.unwrap(), &replay, policy).await.unwrap();
    compared.into_iter().filter(|one| one.difference.is_some()).map(|one| one.file).collect()
}

#[tokio::test]
async fn success_is_pinged_once_everybody_has_a_complete_report() {
    let bench = Bench::new(Missed::Latest).await;
    {
        let mut setup = bench.daemon.setup.write().unwrap();
        let job = Arc::get_mut(&mut setup).unwrap().jobs.get_mut("weekly").unwrap();
        job.email.as_mut().unwrap().to.pop();
    }
    bench.post.down.store(true, Ordering::Relaxed);
    bench.at(WEEK_1).await;
    assert_eq!(bench.beats(), [Beat::Start]);
    bench.post.down.store(false, Ordering::Relaxed);
    bench.at("2026-03-02T07:01:00Z").await;
    assert_eq!(bench.beats(), [Beat::Success]);
    assert!(bench.daemon.health().await.unwrap().incidents.is_empty());
}

#[tokio::test]
async fn a_ping_survives_a_restart_and_is_sent_again() {
    let bench = Bench::new(Missed::Latest).await;
    bench.watcher.down.store(true, Ordering::Relaxed);
    bench.at(WEEK_1).await;
    assert_eq!((bench.run().await.state, bench.beats()), (RunState::Closed, vec![Beat::Start]));
    bench.watcher.down.store(false, Ordering::Relaxed);
    let heir =
        daemon(&bench.simulator, &bench.post, &bench.watcher, &bench.now, bench.folder.path(), Missed::Latest).await;
    let bench = Bench { daemon: heir, ..bench };
    bench.at("2026-03-02T07:00:59Z").await;
    assert_eq!(bench.beats(), []);
    bench.at("2026-03-02T07:01:00Z").await;
    assert_eq!(bench.beats(), [Beat::Failure], "somebody did not get the report");
    bench.at("2026-03-02T08:00:00Z").await;
    assert_eq!(bench.beats(), []);
}

#[tokio::test]
async fn the_next_week_is_compared_with_this_one() {
    let bench = Bench::new(Missed::Latest).await;
    bench.at(WEEK_1).await;
    bench.simulator.world().edit(|world| {
        let is_ordinary =
            |user: &serde_json::Value| user["profile"]["name"] == "Standard" && user["status"] == "active";
        let ordinary = world.users().into_iter().find(is_ordinary).unwrap();
        world.promote(ordinary["id"].as_str().unwrap()).unwrap();
    });
    bench.at(WEEK_2).await;
    let mails = bench.accepted();
    assert!(mails[1].1.contains("+1 administrator"), "{}", &mails[1].1[..900]);
}

#[tokio::test]
async fn a_daemon_that_is_told_to_stop_hands_back_what_it_cannot_finish() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_latency(Duration::from_secs(30));
    *bench.now.lock().unwrap() = time(WEEK_1);
    bench.daemon.plan().await.unwrap();
    let claim = bench.daemon.store.claim(time(WEEK_1), chrono::Duration::seconds(60)).await.unwrap().unwrap();
    let shutdown_now = CancellationToken::new();
    shutdown_now.cancel();
    bench.daemon.work(claim, shutdown_now).await;
    let run = bench.run().await;
    assert_eq!((run.state, run.error), (RunState::Due, None));
    bench.simulator.set_latency(Duration::ZERO);
    bench.at("2026-03-02T07:00:05Z").await;
    assert_eq!(bench.run().await.state, RunState::Closed);
}
