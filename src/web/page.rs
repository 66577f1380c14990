//! The status page for people.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{NO_ANSWER, PATIENCE, answer};
use crate::{
    daemon::{Daemon, Pulse},
    store::StoreError,
    words::count,
};

/// Shown for what only the store knows.
const UNKNOWN: &str = "unknown";

#[derive(Template)]
#[template(path = "web/status.html")]
struct Page {
    state: String,
    problems: Vec<String>,
    jobs: Vec<Row>,
    outbox: String,
    version: &'static str,
    now: String,
}

struct Row {
    job: String,
    workspace: String,
    last: String,
    result: String,
    next: String,
}

/// What the store tells.
struct Stored {
    problems: Vec<String>,
    pulses: Vec<Pulse>,
    waiting: u64,
}

async fn stored(daemon: &Daemon) -> Result<Stored, StoreError> {
    let problems = answer::problems(&daemon.health().await?);
    Ok(Stored { problems, pulses: daemon.pulses().await?, waiting: daemon.waiting().await? })
}

/// The page, and whether it is whole. Without the store it has what the process knows.
pub(super) async fn page(daemon: &Daemon) -> (bool, String) {
    let why = match tokio::time::timeout(PATIENCE, stored(daemon)).await {
        Ok(Ok(stored)) => return (true, render(daemon, whole(stored))),
        Ok(Err(error)) => error.to_string(),
        Err(_) => NO_ANSWER.to_owned(),
    };
    (false, render(daemon, partial(daemon, why)))
}

/// What is on the page.
struct Shown {
    state: String,
    problems: Vec<String>,
    jobs: Vec<Row>,
    outbox: String,
}

fn whole(stored: Stored) -> Shown {
    let Stored { problems, pulses, waiting } = stored;
    let state = if problems.is_empty() && pulses.iter().all(|pulse| pulse.last.is_none()) {
        "No scheduled review has taken place yet, and no mail is undelivered.".to_owned()
    } else if problems.is_empty() {
        "Every scheduled review took place, and no mail is undelivered.".to_owned()
    } else {
        format!("{} to solve", count(problems.len(), "problem"))
    };
    let outbox = match waiting {
        0 => "No messages are waiting to be sent.".to_owned(),
        1 => "1 message waits to be sent.".to_owned(),
        waiting => format!("{waiting} messages wait to be sent."),
    };
    Shown { state, problems, jobs: pulses.into_iter().map(row).collect(), outbox }
}

fn partial(daemon: &Daemon, why: String) -> Shown {
    let row = |pulse| Row { last: UNKNOWN.to_owned(), ..row(pulse) };
    Shown {
        state: "The store cannot be read: this is what the process knows without it.".to_owned(),
        problems: answer::problems_without_store(why, daemon.known_problems()),
        jobs: daemon.known_pulses().into_iter().map(row).collect(),
        outbox: "How many messages wait to be sent is unknown.".to_owned(),
    }
}

fn render(daemon: &Daemon, shown: Shown) -> String {
    let Shown { state, problems, jobs, outbox } = shown;
    let (version, now) = (env!("CARGO_PKG_VERSION"), minute(daemon.now()));
    // The template has no fallible part.
    Page { state, problems, jobs, outbox, version, now }.render().unwrap_or_default()
}

fn row(pulse: Pulse) -> Row {
    let result = pulse.last.as_ref().map(|last| {
        let complete = if last.audit.complete { "" } else { ", incomplete" };
        format!("{}, {}{complete}", count(last.audit.users, "user"), count(last.audit.open_findings, "open finding"))
    });
    Row {
        job: pulse.job,
        workspace: pulse.workspace,
        last: pulse.last.map_or_else(|| "none yet".to_owned(), |last| minute(last.run.fire_at)),
        result: result.unwrap_or_default(),
        next: pulse.next.map_or_else(|| "none".to_owned(), minute),
    }
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%a %-d %b %Y, %H:%M UTC").to_string()
}
