//! `rolecall runs`: the scheduled runs and their results.

mod replicas;
mod rows;

use std::path::Path;

use serde::Serialize;

use self::rows::{AttemptRow, GapRow, LapseRow, Row};
use super::{
    args::{RunsArgs, RunsCommand, RunsFormat},
    check,
    output::{self, Failure, plain},
};
use crate::{
    app,
    clock::Clock,
    config::settings::StorePlace,
    model::{
        finding::Severity,
        run::{MessageState, RunState},
    },
    store::{Database, StoreError},
    words::count,
};

/// Minimum number of gaps in the list, if there are as many.
const GAPS: u32 = 20;
/// Maximum length of an error in the list, and of one run.
const ERROR_IN_LIST: usize = 80;
const ERROR: usize = 4_000;
/// Shown for an unknown value.
const NONE: &str = "–";

pub(super) async fn run(named: Option<&Path>, args: RunsArgs) -> Result<(), Failure> {
    let settings = check::load_for_store(named)?;
    let failed = |error: StoreError| Failure::failed(error.to_string());
    let command = args.command.unwrap_or(RunsCommand::List { limit: args.limit });
    let store = match command {
        RunsCommand::List { .. } | RunsCommand::Show { .. } | RunsCommand::Replicas => {
            check::store_to_read(&settings).await?
        }
        RunsCommand::TakeBack { .. } | RunsCommand::Retry { .. } => {
            let store = app::store_to_change(&settings, &Clock::system()).await;
            store.map_err(|error| Failure::failed(error.to_string()))?
        }
    };
    match command {
        RunsCommand::List { limit } => {
            let is_configured = |incident: &LapseRow| settings.jobs.contains_key(&incident.job);
            list(&*store, limit, args.format, &is_configured).await.map_err(failed)?;
        }
        RunsCommand::Replicas => {
            let is_file = matches!(settings.store.place, StorePlace::File(_));
            replicas::list(&*store, is_file, args.format).await.map_err(failed)?;
        }
        RunsCommand::TakeBack { job } => {
            let why = "on the command line: a clock was ahead when the schedule was decided";
            let taken = store.take_back(&job, why, Clock::system().now()).await.map_err(failed)?;
            let Some(to) = taken else {
                return Err(Failure::usage(format!("the schedule of {job} is not decided into the future")));
            };
            output::line(&format!("{job} is decided up to {}; a running daemon goes on from there", rows::time(to)));
        }
        RunsCommand::Retry { id } => {
            if !store.retry(id, Clock::system().now()).await.map_err(failed)? {
                return Err(Failure::usage(format!(
                    "no failed run and no run with undelivered mail has the id {id}; `rolecall runs` lists the runs"
                )));
            }
            output::line(&format!("{id} is due again; a running daemon starts it within a second"));
        }
        RunsCommand::Show { id } => {
            let run = store.run(id).await.map_err(failed)?;
            let run =
                run.ok_or_else(|| Failure::usage(format!("no run has the id {id}; `rolecall runs` lists the runs")))?;
            let row = Row::read(&*store, run).await.map_err(failed)?;
            match args.format {
                RunsFormat::Json => json(&row)?,
                RunsFormat::Table => show(&row),
            }
        }
    }
    Ok(())
}

async fn list(
    store: &dyn Database,
    limit: u32,
    format: RunsFormat,
    is_configured: &(dyn Fn(&LapseRow) -> bool + Sync),
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for run in store.runs(limit).await? {
        rows.push(Row::read(store, run).await?);
    }
    let most = limit.max(GAPS);
    let mut gaps: Vec<GapRow> = store.gaps(most.saturating_add(1)).await?.into_iter().map(GapRow::from).collect();
    let has_more_gaps = gaps.len() > most as usize;
    gaps.truncate(most as usize);
    let incidents = store.incidents(Clock::system().now()).await?.into_iter().map(LapseRow::from).filter(is_configured);
    let incidents: Vec<LapseRow> = incidents.collect();
    if format == RunsFormat::Json {
        // These types can always be written.
        let _ = json(&serde_json::json!({
            "runs": rows,
            "gaps": gaps,
            "more_gaps": has_more_gaps,
            "lapses": incidents
        }));
        return Ok(());
    }
    if rows.is_empty() {
        output::line("No runs yet.");
    }
    for row in &rows {
        output::line(&entry(row));
    }
    for gap in &gaps {
        let what = if gap.count == 1 {
            format!("GAP: {} did not run at {}", gap.job, gap.first)
        } else {
            format!("GAP: {} did not run at {} scheduled times, {} to {}", gap.job, gap.count, gap.first, gap.last)
        };
        output::line(&format!("{what}: {}", gap.reason));
    }
    if has_more_gaps {
        output::line("There are earlier gaps; `--limit N` shows more.");
    }
    for incident in &incidents {
        let workspace = incident.workspace.as_ref().map(|workspace| format!(" {workspace}")).unwrap_or_default();
        output::line(&format!("ATTENTION: {}{workspace}: {}", incident.job, plain(&incident.sentence, ERROR)));
    }
    Ok(())
}

/// A run in two or three lines, narrow enough for a terminal of 80 columns.
fn entry(row: &Row) -> String {
    let users = row.users.map(|users| count(users, "user"));
    let found = row.open_findings.map(|_| match findings(row).as_str() {
        "none" => "no open findings".to_owned(),
        some => some.to_owned(),
    });
    let mail = (!row.messages.is_empty()).then(|| format!("mail {}", delivery(row)));
    let facts: Vec<String> = [users, found, mail, row.seconds.map(|_| took(row))].into_iter().flatten().collect();
    let facts = if facts.is_empty() { String::new() } else { format!(": {}", facts.join(", ")) };
    let error = row.error.as_deref().map(|error| format!("\n  {}", plain(error, ERROR_IN_LIST))).unwrap_or_default();
    format!("{}  {}  {}\n  {} {}{facts}{error}", row.fire_at, row.id, state(row), row.job, row.workspace)
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(|| NONE.to_owned(), |number| number.to_string())
}

fn took(row: &Row) -> String {
    match row.seconds {
        None => NONE.to_owned(),
        Some(seconds) if seconds < 120.0 => format!("{seconds:.1} s"),
        Some(seconds) => format!("{:.0} min", seconds / 60.0),
    }
}

/// Open findings, most severe first: `2 critical, 1 low`.
fn findings(row: &Row) -> String {
    let Some(open) = &row.open_by_severity else { return number(row.open_findings) };
    let words = Severity::ALL.map(Severity::word).into_iter();
    let some: Vec<String> = words
        .filter_map(|word| open.get(word).filter(|open| **open > 0).map(|open| format!("{open} {word}")))
        .collect();
    if some.is_empty() { "none".to_owned() } else { some.join(", ") }
}

/// The state, and what is unusual about it.
fn state(row: &Row) -> String {
    let again = if row.attempts > 1 { format!(", attempt {}", row.attempts) } else { String::new() };
    let incomplete = if row.complete == Some(false) { ", incomplete" } else { "" };
    let waits = match (&row.waits_for, &row.not_before) {
        (Some(run), _) => format!(", waits for {run}"),
        (None, Some(time)) if row.state == RunState::Due.word() => format!(", next attempt {time}"),
        _ => String::new(),
    };
    format!("{}{again}{incomplete}{waits}", row.state)
}

fn attempts(number: u32) -> String {
    count(number, "attempt")
}

/// How many of its messages were accepted.
fn delivery(row: &Row) -> String {
    let count = |state: MessageState| row.messages.iter().filter(|message| message.state == state.word()).count();
    let rejected = match count(MessageState::Rejected) {
        0 => String::new(),
        rejected => format!(", {rejected} rejected"),
    };
    if row.messages.is_empty() {
        return "none".to_owned();
    }
    format!("{} of {}{rejected}", count(MessageState::Accepted), row.messages.len())
}

fn show(row: &Row) {
    let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| NONE.to_owned());
    let complete = row.complete.map(|complete| if complete { "yes" } else { "no" });
    let lines = [
        ("run", row.id.clone()),
        ("job", row.job.clone()),
        ("workspace", row.workspace.clone()),
        ("due", row.fire_at.clone()),
        ("state", state(row)),
        ("started", optional(&row.started_at)),
        ("finished", optional(&row.finished_at)),
        ("took", took(row)),
        ("next attempt", optional(&row.not_before)),
        ("users", number(row.users)),
        ("administrators", number(row.administrators)),
        ("open findings", findings(row)),
        ("complete", complete.unwrap_or(NONE).to_owned()),
        ("evidence", row.evidence.as_ref().map_or_else(|| NONE.to_owned(), |bag| bag.folder.clone())),
        ("", row.evidence.as_ref().map(|bag| format!("sha256 {}", bag.sha256)).unwrap_or_default()),
        ("error", row.error.as_deref().map_or_else(|| NONE.to_owned(), |error| plain(error, ERROR))),
    ];
    for (name, value) in lines.into_iter().filter(|(name, value)| !(name.is_empty() && value.is_empty())) {
        output::line(&format!("{name:<15} {value}"));
    }
    for (number, attempt) in row.history.iter().enumerate() {
        let is_last = number + 1 == row.history.len();
        output::line(&format!("{:<15} {} {}", "attempt", attempt.began_at, ending(attempt, is_last)));
    }
    for message in &row.messages {
        let answer = plain(message.answer.as_deref().unwrap_or(""), ERROR);
        output::line(&format!(
            "{:<15} {} to {}: {}, {} {answer}\n{:<15} {}",
            "message",
            message.kind,
            message.recipient,
            message.state,
            attempts(message.attempts),
            "",
            message.message_id
        ));
    }
}

/// How an attempt ended. If a later one began without an end of this one, its process died.
fn ending(attempt: &AttemptRow, is_last: bool) -> String {
    match (&attempt.ended_at, &attempt.error) {
        (Some(ended), Some(error)) => format!("failed {ended}: {}", plain(error, ERROR)),
        (Some(ended), None) => format!("ended {ended}"),
        (None, _) if is_last => "running".to_owned(),
        (None, _) => "interrupted: the process died".to_owned(),
    }
}

fn json(value: &impl Serialize) -> Result<(), Failure> {
    output::json(value)
}
