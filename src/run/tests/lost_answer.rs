//! The answer to the commit of an audit is lost.

use super::*;
use crate::{
    ledger::Fact,
    run::{
        deliver::Mail,
        perform::{AuditRun, Commit},
    },
    store::{
        StoreError,
        crash::{Hazard, Hazardous, Moment},
        ledger::Ledger as _,
        testing::TestStore,
    },
};

/// Fails at one moment of the commit.
struct FailsAt(Moment);

#[async_trait::async_trait]
impl Hazard for FailsAt {
    async fn at(&self, write: &str, moment: Moment) -> Result<(), StoreError> {
        if write != "keep" || moment != self.0 {
            return Ok(());
        }
        Err(StoreError::Query { place: "store".into(), action: "commit", reason: "connection lost".into() })
    }
}

/// The facts about bags after an audit whose commit fails at a moment.
async fn facts_about_bags(simulator: &Simulator, moment: Moment) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let store: Hazardous<TestStore, FailsAt> =
        Hazardous { store: testing::open(folder.path()).await, hazard: FailsAt(moment) };
    let (connector, clock) = (connector(simulator), Clock::system());
    let vault = Vault {
        storage: Arc::new(Folder::new(folder.path().join("bags"))),
        key: None,
        timestamps: None,
        keep_days: None,
        configuration: Configuration::default(),
        agent: "rolecall".into(),
    };
    let rosters = Rosters::default();
    let env = Env {
        connector: &connector,
        store: &store,
        vault: Some(&vault),
        clock: &clock,
        progress: &(),
        rosters: &rosters,
    };
    let audit = AuditRun {
        env,
        workspace: "acme",
        policy: &Policy::default(),
        deadline: Duration::from_mins(1),
        commit: Commit::Keep { job: None },
        mail: Mail::of_job(None),
        reports: None,
        is_last_attempt: true,
    };
    let failed = audit.perform(&|_| ()).await.unwrap_err();
    assert!(failed.to_string().contains("connection lost"), "{failed}");
    let lines = store.entries(0, 100).await.unwrap();
    let facts = lines.iter().map(|line| serde_json::from_str::<crate::ledger::Entry>(&line.text).unwrap().fact);
    facts.filter(|fact| matches!(fact, Fact::Recorded(_) | Fact::BagAbandoned { .. })).map(|fact| fact.kind()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bag_is_abandoned_only_if_its_audit_is_not_on_record() {
    let simulator = Simulator::start(Options { users: 5, tokens_per_window: 10_000, ..Options::default() }).unwrap();
    assert_eq!(facts_about_bags(&simulator, Moment::Before).await, ["bag_abandoned"]);
    assert_eq!(facts_about_bags(&simulator, Moment::After).await, ["recorded"], "its bag counts");
}
