//! `rolecall runs replicas`: the daemons that announce themselves on the store.

use serde::Serialize;

use super::{NONE, json, rows};
use crate::{
    cli::{args::RunsFormat, output},
    store::{
        Database, StoreError,
        replicas::{Announced, Replica},
    },
    words::count,
};

/// A daemon as it last announced itself.
#[derive(Serialize)]
struct Row {
    name: String,
    process: String,
    version: String,
    since: String,
    seen: String,
    /// It ended without saying so, or cannot reach the store.
    gone: bool,
    clock_ahead_seconds: f64,
    signing_key: Option<String>,
    configuration: String,
    runs: Vec<Held>,
}

/// A run that a daemon works on.
#[derive(Serialize)]
struct Held {
    id: String,
    /// These are missing if the run is not there any more.
    job: Option<String>,
    workspace: Option<String>,
    fire_at: Option<String>,
}

impl Row {
    async fn read(store: &dyn Database, announced: Announced) -> Result<Self, StoreError> {
        let Announced { replica, since, seen, is_gone } = announced;
        let Replica { name, process, version, signing_key, configuration, ahead, holds } = replica;
        let mut runs = Vec::with_capacity(holds.len());
        for id in holds {
            let run = store.run(id).await?;
            runs.push(Held {
                id: id.to_string(),
                job: run.as_ref().map(|run| run.job.clone()),
                workspace: run.as_ref().map(|run| run.workspace.clone()),
                fire_at: run.as_ref().map(|run| rows::time(run.fire_at)),
            });
        }
        Ok(Self {
            name,
            process: process.to_string(),
            version,
            since: rows::time(since),
            seen: rows::time(seen),
            gone: is_gone,
            clock_ahead_seconds: ahead.as_seconds_f64(),
            signing_key,
            configuration,
            runs,
        })
    }
}

pub(super) async fn list(store: &dyn Database, is_file: bool, format: RunsFormat) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for announced in store.replicas().await?.into_iter().flatten() {
        rows.push(Row::read(store, announced).await?);
    }
    if format == RunsFormat::Json {
        // These types can always be written.
        let _ = json(&rows);
        return Ok(());
    }
    match (is_file, rows.is_empty()) {
        (true, _) => output::line("The store is a file. Daemons announce themselves only in a PostgreSQL database."),
        (false, true) => output::line("No daemon is running."),
        (false, false) => rows.iter().for_each(|row| output::line(&entry(row))),
    }
    Ok(())
}

/// A daemon in two lines, and one for each run that it works on.
fn entry(row: &Row) -> String {
    let gone = if row.gone { ", GONE" } else { "" };
    let missing = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
    let run = |held: &Held| {
        format!("\n  {} {}, due {}  {}", missing(&held.job), missing(&held.workspace), missing(&held.fire_at), held.id)
    };
    format!(
        "{}  rolecall {}{gone}\n  since {}, seen {}, clock {:+.1} s, {}{}",
        row.name,
        row.version,
        row.since,
        row.seen,
        row.clock_ahead_seconds,
        count(row.runs.len(), "run"),
        row.runs.iter().map(run).collect::<String>()
    )
}
