//! One message about all workspaces of a job.

use super::*;
use crate::{
    ledger::Entry,
    store::crash::{Hazard, Hazardous, Moment},
};

/// Two workspaces, `acme` and `beta`, whose reports are combined; `beta` is read from a simulator of its own.
async fn two() -> (Bench, Simulator) {
    let bench = Bench::new(Missed::Latest).await;
    let other = Simulator::start(Options { users: 20, tokens_per_window: 10_000, ..Options::default() }).unwrap();
    bench.change(|setup| {
        let job = setup.jobs.get_mut("weekly").unwrap();
        job.workspaces.push("beta".into());
        let email = job.email.as_mut().unwrap();
        (email.combine, email.to) = (true, vec!["security@example.com".into(), "ciso@example.com".into()]);
        let workspace =
            Workspace { connector: Box::new(connector(&other, Clock::system())), deadline: Duration::from_mins(1) };
        setup.workspaces.insert("beta".into(), workspace);
        setup.policies.insert(("weekly".into(), "beta".into()), Arc::new(Policy::default()));
    });
    bench.at(SUNDAY).await;
    (bench, other)
}

impl Bench {
    fn change(&self, change: impl FnOnce(&mut Setup)) {
        change(Arc::get_mut(&mut self.daemon.setup.write().unwrap()).unwrap());
        self.daemon.forget();
    }

    /// The subjects of the accepted messages, and who got them.
    fn subjects(&self) -> Vec<(String, String)> {
        let subject = |text: &str| {
            let parsed = mailparse::parse_mail(text.as_bytes()).unwrap();
            parsed.headers.iter().find(|header| header.get_key_ref() == "Subject").unwrap().get_value()
        };
        self.mails().into_iter().map(|(to, text)| (to, subject(&text))).collect()
    }

    async fn states(&self) -> Vec<(String, RunState)> {
        let mut states: Vec<_> = self.runs().await.into_iter().map(|run| (run.workspace, run.state)).collect();
        states.sort();
        states
    }

    pub(super) async fn facts(&self) -> Vec<crate::ledger::Fact> {
        let lines = self.daemon.store.entries(1, 1_000).await.unwrap();
        lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap().fact).collect()
    }
}

#[tokio::test]
async fn two_workspaces_make_one_message_for_each_recipient() {
    let (bench, _other) = two().await;
    bench.at(WEEK_1).await;
    bench.at("2026-03-02T07:00:05Z").await;
    let subjects = bench.subjects();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(
        subjects
            .iter()
            .all(|(_, subject)| subject.starts_with("[rolecall] weekly: ") && subject.ends_with("; 1 more workspace")),
        "{subjects:?}"
    );
    assert_eq!(bench.states().await, [("acme".to_owned(), RunState::Closed), ("beta".to_owned(), RunState::Closed)]);
    for run in bench.runs().await {
        let messages = bench.daemon.store.messages(run.id).await.unwrap();
        assert_eq!(messages.iter().map(|message| message.state).collect::<Vec<_>>(), [MessageState::Accepted; 2]);
    }
    assert_eq!(bench.beats(), [Beat::Start, Beat::Start, Beat::Success]);
    // What each entry named beforehand is what was sent.
    let facts = bench.facts().await;
    let recorded = facts.iter().filter_map(|fact| match fact {
        crate::ledger::Fact::Recorded(recorded) => Some(recorded.messages.clone()),
        _ => None,
    });
    let recorded: Vec<_> = recorded.collect();
    let sent = bench.post.seen.lock().unwrap().clone();
    assert!(
        recorded.len() == 2 && recorded.iter().all(|messages| sent.iter().all(|id| messages.contains(id))),
        "{recorded:?} {sent:?}"
    );
    assert!(
        !bench
            .daemon
            .health()
            .await
            .unwrap()
            .incidents
            .iter()
            .any(|incident| incident.kind == IncidentKind::Undelivered)
    );
    // The next week is another message.
    bench.at(WEEK_2).await;
    assert_eq!(bench.subjects().len(), 4);
}

#[tokio::test]
async fn the_message_waits_for_the_last_attempt_and_names_the_workspace_that_failed() {
    let (bench, other) = two().await;
    other.set_faults([Fault::ServerErrorAlways]);
    bench.change(|setup| setup.jobs.get_mut("weekly").unwrap().email.as_mut().unwrap().when = When::Changes);
    bench.at(WEEK_1).await;
    assert_eq!(bench.subjects(), [], "beta is tried again");
    for moment in ["07:01:00", "07:06:00", "07:21:00"] {
        bench.at(&format!("2026-03-02T{moment}Z")).await;
        assert_eq!(bench.subjects(), [], "{moment}");
    }
    bench.at("2026-03-02T08:01:00Z").await;
    let subjects = bench.subjects();
    assert_eq!(subjects.len(), 2, "one message, and no notice besides: {subjects:?}");
    assert!(subjects[0].1.starts_with("[rolecall] MISSING weekly: beta was not reviewed; acme: "), "{subjects:?}");
    // A retry makes it good, and is reported alone.
    other.set_faults([]);
    let failed = bench.runs().await.into_iter().find(|run| run.state == RunState::Failed).unwrap();
    assert!(bench.daemon.store.retry(failed.id, time("2026-03-02T09:00:00Z")).await.unwrap());
    bench.at("2026-03-02T09:00:00Z").await;
    let subjects = bench.subjects();
    assert_eq!(subjects.len(), 4, "{subjects:?}");
    assert!(subjects[2].1.starts_with("[rolecall] beta: "), "{subjects:?}");
}

#[tokio::test]
async fn if_every_workspace_fails_one_message_says_so() {
    let (bench, other) = two().await;
    for simulator in [&bench.simulator, &other] {
        simulator.set_faults([Fault::Revoked]);
    }
    bench.at(WEEK_1).await;
    let subjects = bench.subjects();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert_eq!(subjects[0].1, "[rolecall] MISSING weekly: 2 workspaces were not reviewed");
    // Each failed run pings; the second ping takes the place of the first if that was not delivered yet.
    let beats = bench.beats();
    let (starts, failures) = beats.split_at(2);
    assert_eq!(starts, [Beat::Start; 2], "{beats:?}");
    assert!(matches!(failures, [Beat::Failure] | [Beat::Failure, Beat::Failure]), "{beats:?}");
}

#[tokio::test]
async fn nothing_is_mailed_if_no_workspace_asks_for_it_and_the_ledger_says_why() {
    let (bench, other) = two().await;
    bench.change(|setup| setup.jobs.get_mut("weekly").unwrap().email.as_mut().unwrap().when = When::Changes);
    bench.at(WEEK_1).await;
    assert_eq!(bench.subjects().len(), 2, "the first audits");
    bench.at(WEEK_2).await;
    assert_eq!(bench.subjects().len(), 2, "no change");
    let said = bench.facts().await.into_iter().filter_map(|fact| match fact {
        crate::ledger::Fact::Combined { runs, messages, no_mail_reason, .. } => {
            Some((runs.len(), messages.len(), no_mail_reason))
        }
        _ => None,
    });
    let nothing = crate::ledger::fact::NoMailReason::NothingToTell;
    assert_eq!(said.collect::<Vec<_>>(), [(2, 2, None), (2, 0, Some(nothing))]);
    assert!(bench.states().await.iter().all(|(_, state)| *state == RunState::Closed));
    // A change in one workspace is a reason to mail about all.
    let is_ordinary = |user: &&serde_json::Value| user["status"] == "active" && user["profile"]["name"] == "Standard";
    let users = other.world().read(rolecall_simulator::World::users);
    let id = users.iter().find(is_ordinary).unwrap()["id"].as_str().unwrap();
    other.world().edit(|world| world.promote(id)).unwrap();
    bench.at("2026-03-16T07:00:00Z").await;
    let subjects = bench.subjects();
    assert!(subjects.len() == 4 && subjects[3].1.starts_with("[rolecall] weekly: beta: "), "{subjects:?}");
}

#[tokio::test]
async fn a_workspace_whose_run_does_not_end_is_missing_after_some_hours_and_is_reported_alone_later() {
    let (bench, _other) = two().await;
    bench.at("2026-03-02T06:59:00Z").await;
    *bench.now.lock().unwrap() = time(WEEK_1);
    bench.daemon.plan().await.unwrap();
    // Another process holds beta, and prolongs its claim without ever finishing.
    let claims = [bench.hold("acme").await, bench.hold("beta").await];
    let beta = claims.iter().find(|claim| claim.run.workspace == "beta").unwrap();
    let acme = claims.iter().find(|claim| claim.run.workspace == "acme").unwrap();
    bench.daemon.store.release(acme, None, time(WEEK_1), time(WEEK_1)).await.unwrap();
    for moment in ["07:00:30", "08:30:00", "09:55:00"] {
        let now = time(&format!("2026-03-02T{moment}Z"));
        bench.daemon.store.prolong(beta, now, chrono::Duration::minutes(100)).await.unwrap();
        bench.at(&format!("2026-03-02T{moment}Z")).await;
        assert_eq!(bench.subjects(), [], "{moment}");
    }
    bench.at("2026-03-02T10:01:00Z").await;
    let subjects = bench.subjects();
    assert!(
        subjects.len() == 2 && subjects[0].1.starts_with("[rolecall] MISSING weekly: beta was not reviewed; acme: "),
        "{subjects:?}"
    );
    bench.at("2026-03-02T12:00:00Z").await;
    let subjects = bench.subjects();
    assert!(subjects.len() == 4 && subjects[2].1.starts_with("[rolecall] beta: "), "{subjects:?}");
}

impl Bench {
    async fn hold(&self, _workspace: &str) -> Claim {
        self.daemon.store.claim(time(WEEK_1), chrono::Duration::minutes(1)).await.unwrap().unwrap()
    }
}

/// Fails at one point, once, as if the process had died there.
struct Once {
    point: (&'static str, Moment),
    is_due: AtomicBool,
}

#[async_trait]
impl Hazard for Once {
    async fn at(&self, write: &str, moment: Moment) -> Result<(), StoreError> {
        let is_here = (write, moment) == self.point && self.is_due.swap(false, Ordering::Relaxed);
        if is_here { Err(StoreError::Lost { what: "the process".into() }) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_process_that_dies_around_the_message_leaves_one_message_to_its_successor() {
    for moment in [Moment::Before, Moment::After] {
        for write in ["record", "combine", "sent"] {
            let (bench, _other) = two().await;
            let store = testing::open(bench.folder.path()).await;
            let hazard = Once { point: (write, moment), is_due: AtomicBool::new(true) };
            let now = Arc::clone(&bench.now);
            let clock = Clock::new(move || *now.lock().unwrap());
            let setup = std::mem::replace(&mut *bench.daemon.setup.write().unwrap(), Arc::new(nothing()));
            let setup = Arc::into_inner(setup).unwrap();
            let dying = Daemon::new(Arc::new(Hazardous { store, hazard }), clock.clone(), setup);
            *bench.now.lock().unwrap() = time(WEEK_1);
            // It dies: an error ends its round, and what it did stays.
            let _ = dying.settle().await;
            let setup = std::mem::replace(&mut *dying.setup.write().unwrap(), Arc::new(nothing()));
            drop(dying);
            bench.daemon.reconfigure(Arc::into_inner(setup).unwrap());
            bench.at("2026-03-02T07:10:00Z").await;
            let mut ids = bench.post.seen.lock().unwrap().clone();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 2, "{write} {moment:?}: one message for each recipient, however often it is tried");
            let combined = bench.facts().await;
            let combined = combined.iter().filter(|fact| matches!(fact, crate::ledger::Fact::Combined { .. })).count();
            assert_eq!(combined, 1, "{write} {moment:?}");
            assert!(bench.states().await.iter().all(|(_, state)| *state == RunState::Closed), "{write} {moment:?}");
        }
    }
}

/// A configuration without anything.
fn nothing() -> Setup {
    Setup {
        jobs: BTreeMap::new(),
        workspaces: BTreeMap::new(),
        problems: Vec::new(),
        policies: BTreeMap::new(),
        rosters: Rosters::default(),
        reviews: BTreeMap::new(),
        sender: Some(crate::run::reviews::messages::Sender {
            from: "rolecall <audit@example.com>".to_owned(),
            door: None,
        }),
        channels: Channels::default(),
        vault: None,
        limits: Limits::default(),
        identity: Identity::default(),
        commons: crate::connector::Commons::default(),
    }
}
