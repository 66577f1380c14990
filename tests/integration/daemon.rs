//! The daemon as a process: it makes reviews, says what it did, obeys signals.

use std::{
    io::Read as _,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Bench, options};

/// How long something may take that is under way.
const PATIENCE: Duration = Duration::from_secs(90);

/// A daemon as a process, and what it says.
pub(crate) struct Daemon {
    process: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    pub(crate) fn start(bench: &Bench) -> Self {
        Self::start_with(bench, &[])
    }

    /// A daemon with more in its environment.
    pub(crate) fn start_with(bench: &Bench, environment: &[(&str, &str)]) -> Self {
        Self::spawn(bench, &[], environment)
    }

    /// A daemon that another program starts, with what it is and its arguments as the last arguments.
    pub(crate) fn start_as(bench: &Bench, starter: &[&str]) -> Self {
        Self::spawn(bench, starter, &[])
    }

    fn spawn(bench: &Bench, starter: &[&str], environment: &[(&str, &str)]) -> Self {
        let command = bench.rolecall(&["daemon"]);
        let program = command.get_program().to_str().unwrap();
        let all = [starter, &[program]].concat();
        let mut process = std::process::Command::new(all[0]);
        process.args(&all[1..]);
        process.args(command.get_args()).current_dir(bench.path("")).env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                process.env(name, value);
            }
        }
        process.envs(environment.iter().copied());
        let mut process = process.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stderr, heard) = (process.stderr.take().unwrap(), Arc::clone(&said));
        let reader = std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut some) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&some[..length]));
            }
        });
        Self { process, said, reader: Some(reader) }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        let address = || {
            let said = self.said();
            let line = said.lines().find(|line| line.contains("listening"))?.to_owned();
            Some(line.split("address=").nth(1)?.split_whitespace().next()?.to_owned())
        };
        eventually("that it listens", || address().is_some());
        address().unwrap()
    }

    /// Waits for its end; gives its exit code, none where a signal ended it.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.process.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        (code, self.said())
    }

    /// Asks it to stop; gives its exit code and what it said.
    pub(crate) fn stop(self) -> (Option<i32>, String) {
        self.signal("-TERM");
        self.wait()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks again and again until the answer is yes.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn bench() -> Bench {
    let bench = Bench::new(options(20));
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    bench
}

pub(crate) fn runs(bench: &Bench) -> Vec<Value> {
    let (code, printed, said) = bench.run(&["runs", "--format", "json", "--limit", "100000"]);
    assert_eq!(code, 0, "{said}");
    serde_json::from_str::<Value>(&printed).unwrap()["runs"].as_array().unwrap().clone()
}

#[test]
fn every_second_is_one_review_and_each_is_mailed_once_to_each_recipient() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    eventually("three reviews", || bench.simulator.inbox().messages().len() >= 6);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    let runs = runs(&bench);
    let mut fire_at: Vec<&str> = runs.iter().map(|run| run["fire_at"].as_str().unwrap()).collect();
    fire_at.dedup();
    assert_eq!(fire_at.len(), runs.len(), "a fire time is one run");
    let closed: Vec<&Value> = runs.iter().filter(|run| run["state"] == "closed").collect();
    assert!(closed.len() >= 2, "{runs:?}");
    assert!(
        closed.iter().all(|run| run["users"] == 20 && run["attempts"] == 1 && run["error"].is_null()),
        "{closed:?}"
    );
    let mut ids: Vec<String> = Vec::new();
    for message in bench.simulator.inbox().messages() {
        let text = String::from_utf8_lossy(&message.bytes).into_owned();
        ids.push(text.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap().to_owned());
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "a message was sent twice");
}

#[test]
fn runs_are_listed_and_shown_for_people_and_an_unknown_one_is_an_error() {
    let bench = bench();
    let (code, printed, _) = bench.run(&["runs"]);
    assert_eq!((code, printed.trim()), (0, "No runs yet."));
    let (code, printed, said) = bench.run(&["runs", "replicas"]);
    assert!(
        code == 0 && printed.starts_with("The store is a file.") && said.contains("no store yet"),
        "{printed}{said}"
    );
    assert!(!bench.path("rolecall.db").exists(), "who only reads creates no store");
    let daemon = Daemon::start(&bench);
    eventually("a review", || bench.simulator.inbox().messages().len() >= 2);
    eventually("its end", || runs(&bench).iter().any(|run| run["state"] == "closed"));
    daemon.stop();
    let id = runs(&bench).iter().find(|run| run["state"] == "closed").unwrap()["id"].as_str().unwrap().to_owned();
    let (_, list, _) = bench.run(&["runs"]);
    assert!(list.contains(&id) && list.contains("2 of 2"), "{list}");
    let (_, shown, _) = bench.run(&["runs", "show", &id]);
    assert!(shown.contains("report to security@example.com: accepted, 1 attempt "), "{shown}");
    let (code, _, said) = bench.run(&["runs", "retry", &id]);
    assert!(code == 2 && said.contains("has the id"), "{said}");
    let (code, _, said) = bench.run(&["runs", "show", "00000000-0000-0000-0000-000000000000"]);
    assert!(code == 2 && said.contains("has the id"), "{said}");
}

#[test]
fn an_invalid_configuration_at_sighup_changes_nothing_and_is_said() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    eventually("a review", || !bench.simulator.inbox().messages().is_empty());
    let good = bench.read("rolecall.toml");
    std::fs::write(bench.path("rolecall.toml"), "[workspaces").unwrap();
    daemon.signal("-HUP");
    bench.simulator.inbox().clear();
    eventually("a review by the old one", || bench.simulator.inbox().messages().len() >= 2);
    std::fs::write(bench.path("rolecall.toml"), good).unwrap();
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(said.contains("the new configuration is not valid; the old one stays active"), "{said}");
}

#[test]
fn a_configuration_without_a_job_has_nothing_to_run() {
    let bench = Bench::new(options(5));
    let text = bench.read("rolecall.toml");
    let without = text.split("[jobs.weekly]").next().unwrap().to_owned();
    std::fs::write(bench.path("rolecall.toml"), without).unwrap();
    let (code, _, said) = bench.run(&["daemon"]);
    assert!(code == 2 && said.contains("has no job"), "{said}");
}

#[test]
fn what_was_written_is_in_the_file_of_the_store_when_a_process_has_ended() {
    let bench = bench();
    let is_whole = |after: &str| {
        let left = std::fs::metadata(bench.path("rolecall.db-wal")).map_or(0, |log| log.len());
        assert_eq!(left, 0, "after {after}, the log beside the store has {left} bytes");
    };
    for _ in 0..3 {
        bench.audit(&[]);
        is_whole("an audit");
    }
    let daemon = Daemon::start(&bench);
    eventually("a run", || !runs(&bench).is_empty());
    assert_eq!(daemon.stop().0, Some(0));
    is_whole("a daemon");
    assert_eq!(bench.run(&["store", "copy", "--from", "sqlite:rolecall.db", "--to", "sqlite:copy.db"]).0, 0);
    assert_eq!(std::fs::metadata(bench.path("copy.db-wal")).map_or(0, |log| log.len()), 0);
}
