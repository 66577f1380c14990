//! Whole runs over a simulated workspace.

mod lost_answer;
mod run_time_rule;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;

use super::{
    bag::{Beginning, Recording},
    vault::{Configuration, Vault},
    *,
};
use crate::{
    clock::Clock,
    connector::{
        Limits,
        zoho::{DataCenter, ZohoBigin, ZohoSettings},
    },
    evidence::storage::folder::Folder,
    fetch::Rosters,
    model::reading::Reading,
    report::ReportInput,
    store::testing,
};
use rolecall_simulator::{Options, Simulator};

fn connector(simulator: &Simulator) -> ZohoBigin {
    let url = simulator.base_url().parse().unwrap();
    let credentials = simulator.credentials();
    let settings = ZohoSettings {
        data_center: DataCenter::Us,
        client_id: credentials.client_id.clone(),
        client_secret: SecretString::from(credentials.client_secret.clone()),
        refresh_token: SecretString::from(credentials.refresh_token.clone()),
        accounts_url: Some(url),
        api_url: None,
        limits: Limits::default(),
        reads: 1,
        pause_between_reads: Duration::ZERO,
    };
    ZohoBigin::new(settings, Clock::system()).unwrap()
}

/// One run, always with the same id at the same time; as if it had been read then.
async fn sealed(simulator: &Simulator, folder: &Path, as_read: Option<&Reading>) -> (PathBuf, Reading) {
    fs::create_dir(folder).unwrap();
    let store = testing::open(folder).await;
    let vault = Vault {
        storage: Arc::new(Folder::new(folder.join("bags"))),
        key: None,
        timestamps: None,
        keep_days: None,
        configuration: Configuration::default(),
        agent: "rolecall".into(),
    };
    let (id, now) = (Uuid::from_u128(7), "2026-03-02T07:00:00Z".parse().unwrap());
    let beginning = Beginning { workspace: "acme", run: id, at: now, claim: 1 };
    let recording = Recording::begin(&store, &vault, beginning, now).await.unwrap();
    let recorder = Some(Arc::clone(&recording) as Arc<dyn Recorder>);
    let connector = connector(simulator);
    let (vault, clock) = (Some(&vault), &Clock::fixed(now));
    let env = Env { connector: &connector, store: &store, vault, clock, progress: &(), rosters: &Rosters::default() };
    let policy = Policy::default();
    let deadline = Duration::from_mins(1);
    let request = RunRequest { id, trigger: None, job: None, workspace: "acme", policy: &policy, deadline };
    let mut read = super::read(&env, &request, recorder).await.unwrap();
    if let Some(as_read) = as_read {
        let reading = &mut read.directory.reading;
        (reading.started_at, reading.finished_at) = (as_read.started_at, as_read.finished_at);
        // How far apart the clocks of one machine seem is chance.
        let clock = as_read.checks.last().unwrap().clone();
        *reading.checks.last_mut().unwrap() = clock;
        assert_eq!(*reading, *as_read);
    }
    let audit = judge(&request, read, now).unwrap();
    let matrix = AccessMatrix::of(&audit);
    let bag = recording.seal(vault.unwrap(), &ReportInput::new(&audit, &matrix)).unwrap();
    (PathBuf::from(bag.place), audit.directory.reading.clone())
}

/// Every file of a bag, but for its index of answers, and for the manifests, which name the digest of that.
fn files(bag: &Path, inside: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(bag.join(inside)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
        if bag.join(&path).is_dir() {
            files(bag, &path, found);
        } else if !name.contains("manifest-") && name != "answers.jsonl" {
            let text = fs::read(bag.join(&path)).unwrap();
            // Each of these bags is of a ledger of its own.
            let is_kept = |line: &&[u8]| !line.starts_with(b"Rolecall-Ledger:");
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(is_kept).collect();
            found.insert(path, lines.join(&b'\n'));
        }
    }
}

/// The index of answers without what the network made of them.
fn index(bag: &Path) -> Vec<Value> {
    let text = fs::read_to_string(bag.join("data/answers.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let fields = line.as_object_mut().unwrap();
        for time in ["asked_at", "answered_at"] {
            fields.remove(time).unwrap();
        }
        fields["headers"].as_object_mut().unwrap().retain(|name, _| name.starts_with("content-"));
        line
    };
    text.lines().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_answers_make_the_same_bag_however_they_come() {
    // Three pages, of which eight are asked for ahead.
    let simulator = Simulator::start(Options { users: 450, tokens_per_window: 10_000, ..Options::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (first, reading) = sealed(&simulator, &folder.path().join("0"), None).await;
    let (mut before, index_before) = (BTreeMap::new(), index(&first));
    files(&first, "", &mut before);
    assert!(before.len() > 20 && before.keys().any(|name| name == "data/answers/00001.json"), "{:?}", before.keys());
    let requests: Vec<&str> = index_before.iter().map(|line| line["request"].as_str().unwrap()).collect();
    let pages: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.split_once("AllUsers&page="))
        .map(|(_, page)| &page[..1])
        .collect();
    assert_eq!(pages, ["1", "1", "2", "3", "3", "4"], "each page, the first and last again, and the one behind");
    for run in 1..5 {
        let (again, _) = sealed(&simulator, &folder.path().join(run.to_string()), Some(&reading)).await;
        assert_eq!(index(&again), index_before);
        let mut after = BTreeMap::new();
        files(&again, "", &mut after);
        let differ: Vec<&String> =
            before.iter().filter(|(name, bytes)| after.get(*name) != Some(bytes)).map(|(name, _)| name).collect();
        assert!(differ.is_empty() && before.len() == after.len(), "{differ:?}");
    }
}
