//! The status page for people.

use askama::Template;
use chrono::{DateTime, Utc};

use super::answer;
use crate::{
    daemon::{Daemon, Pulse},
    store::StoreError,
    words::count,
};

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

/// The page.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub(super) async fn page(daemon: &Daemon) -> Result<String, StoreError> {
    let problems = answer::problems(&daemon.health().await?);
    let pulses = daemon.pulses().await?;
    let state = if problems.is_empty() && pulses.iter().all(|pulse| pulse.last.is_none()) {
        "No scheduled review has taken place yet, and no mail is undelivered.".to_owned()
    } else if problems.is_empty() {
        "Every scheduled review took place, and no mail is undelivered.".to_owned()
    } else {
        format!("{} to solve", count(problems.len(), "problem"))
    };
    let outbox = match daemon.waiting().await? {
        0 => "No messages are waiting to be sent.".to_owned(),
        waiting => format!(
            "{} to be sent.",
            if waiting == 1 { "1 message waits".to_owned() } else { format!("{waiting} messages wait") }
        ),
    };
    let page = Page {
        state,
        problems,
        jobs: pulses.into_iter().map(row).collect(),
        outbox,
        version: env!("CARGO_PKG_VERSION"),
        now: minute(daemon.now()),
    };
    // The template has no fallible part.
    Ok(page.render().unwrap_or_default())
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
