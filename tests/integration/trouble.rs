//! The daemon and a mail server that refuses, greylists, stalls and breaks off. The clock is the test's, so that hours of
//! patience pass in seconds; the server, the store and the exchange are real.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Duration, Utc};
use mailparse::MailHeaderMap as _;
use rolecall::{
    app, config,
    daemon::Daemon,
    model::run::{MessageState, RunState},
    store::{Database, history::MessageRecord},
};
use tokio_util::sync::CancellationToken;

use crate::{
    support::{Bench, options},
    tools::{script, tool},
};

const NAMES: [&str; 6] = ["fine", "gone", "grey", "stall", "drop", "full"];

/// The server, for as long as the test runs.
struct Server(Child);

impl Server {
    fn start(folder: &Path) -> (Self, u16) {
        let mut child = Command::new(tool("python"))
            .arg(script("smtp_trouble.py"))
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the server says {line:?}"));
        (Self(child), port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The simulated workspace, its secrets in files, and this server as the mail server.
fn bench(port: u16) -> Bench {
    let bench = Bench::new(options(20));
    let credentials = bench.simulator.credentials();
    for (name, secret) in
        [("TEST_CLIENT_SECRET", &credentials.client_secret), ("TEST_REFRESH_TOKEN", &credentials.refresh_token)]
    {
        fs::write(bench.path(name), secret).unwrap();
        bench.reconfigure(&format!("env = \"{name}\""), &format!("file = \"{name}\""));
    }
    bench.reconfigure(&format!("port = {}", bench.simulator.inbox().address().port()), &format!("port = {port}"));
    bench.reconfigure("[smtp]", "[smtp]\ntimeout_seconds = 5");
    // The test moves the clock while messages are on their way: their leases must not end by that.
    bench.reconfigure("[daemon]", "[daemon]\nlease_seconds = 600");
    let to = NAMES.map(|name| format!("\"{name}@example.com\"")).join(", ");
    bench.reconfigure("to = [\"security@example.com\", \"compliance@example.com\"]", &format!("to = [{to}]"));
    bench
}

async fn reports(store: &dyn Database) -> BTreeMap<String, MessageRecord> {
    let Some(run) = store.runs(1).await.unwrap().pop() else { return BTreeMap::new() };
    let messages = store.messages(run.id).await.unwrap();
    let reports = messages.into_iter().filter(|message| message.kind == "report");
    reports.map(|message| (message.address.split('@').next().unwrap().to_owned(), message)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_gets_one_report_or_everybody_else_hears_that_one_did_not() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = Server::start(folder.path());
    let bench = bench(port);
    let sunday: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
    let now = Arc::new(Mutex::new(sunday));
    let settings = config::load(&bench.path("rolecall.toml"), &[], sunday).unwrap().settings;
    let store = app::store(&settings).await.unwrap();
    let clock = Arc::clone(&now);
    let clock = rolecall::clock::Clock::new(move || *clock.lock().unwrap());
    // The connectors compare their clock with the server's.
    let (system, links) = (rolecall::clock::Clock::system(), app::Links::new(clock.clone()));
    let setup = app::daemon_setup(&settings, &system, &links).unwrap();
    let daemon = Daemon::new(Arc::clone(&store), clock, setup);
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (daemon, stop) = (Arc::clone(&daemon), stop.clone());
        async move { daemon.run(stop).await }
    });
    let until = async |what: &str, is_so: &dyn Fn(&BTreeMap<String, MessageRecord>) -> bool| {
        for _ in 0..600 {
            let reports = reports(&*store).await;
            if is_so(&reports) {
                return reports;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{what} did not come about: {:?}", reports(&*store).await);
    };
    let set_to = |time: DateTime<Utc>| *now.lock().unwrap() = time;

    // The first look sets the cursor; then Monday comes.
    while store.cursor("weekly").await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let monday: DateTime<Utc> = "2026-03-02T07:00:00Z".parse().unwrap();
    set_to(monday);
    let tried = |reports: &BTreeMap<String, MessageRecord>| {
        reports.len() == NAMES.len() && reports.values().all(|message| message.answer.is_some())
    };
    let first = until("that everybody was tried", &tried).await;
    let states: BTreeMap<&str, MessageState> =
        first.iter().map(|(name, message)| (name.as_str(), message.state)).collect();
    assert_eq!(states["fine"], MessageState::Accepted, "nobody held it back");
    assert_eq!(states["gone"], MessageState::Rejected);
    for name in ["grey", "stall", "drop", "full"] {
        assert_eq!(states[name], MessageState::Waiting, "{name}: {:?}", first[name]);
    }
    set_to(monday + Duration::minutes(1));
    until("what comes a minute later", &|reports| {
        reports["grey"].attempt >= 2 && reports["stall"].state == MessageState::Accepted
    })
    .await;
    set_to(monday + Duration::minutes(3));
    let last =
        until("the end", &|reports| reports.values().all(|message| message.state != MessageState::Waiting)).await;
    for (name, message) in &last {
        assert_eq!(message.message_id, first[name].message_id, "{name}: another Message-ID");
        let attempts = match name.as_str() {
            "fine" | "gone" => 1..=1,
            // The notice that another did not get it may have been the second call.
            "grey" => 2..=3,
            _ => 2..=2,
        };
        assert!(attempts.contains(&message.attempt), "{name}: {message:?}");
    }
    assert!(last["gone"].answer.as_ref().unwrap().contains("no such user here"), "{:?}", last["gone"]);
    while store.runs(1).await.unwrap()[0].state != RunState::Closed {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();

    let mut copies: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let headers = mailparse::parse_headers(&bytes).unwrap().0;
        let header = |name| headers.get_first_value(name).unwrap();
        copies
            .entry(header("Message-ID"))
            .or_default()
            .push((format!("{} {}", header("To"), header("Subject")), bytes));
    }
    for (name, message) in &last {
        let received = copies.remove(message.message_id.as_ref().unwrap()).unwrap_or_default();
        let expected = match name.as_str() {
            "gone" => 0,
            "stall" => 2,
            _ => 1,
        };
        assert_eq!(received.len(), expected, "{name}");
        assert!(received.iter().all(|copy| *copy == received[0]), "{name}: two different messages");
    }
    let mut notices: Vec<String> = copies.into_values().flatten().map(|(about, _)| about).collect();
    notices.sort();
    assert_eq!(notices.len(), 5, "{notices:?}");
    assert!(notices.iter().all(|about| about.contains("NOT DELIVERED to gone@example.com")), "{notices:?}");
}
