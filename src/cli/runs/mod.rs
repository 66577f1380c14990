//! `rolecall runs`: what became of every fire time.

mod rows;

use std::path::Path;

use chrono::Utc;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use self::rows::{AttemptRow, GapRow, LapseRow, Row};
use super::{
    args::{RunsArgs, RunsCommand, RunsFormat},
    check,
    output::{self, Failure, plain},
};
use crate::{
    app,
    model::{finding::Severity, run::MessageState},
    store::{Database, StoreError},
    words::count,
};

/// Gaps that the list shows.
const GAPS: u32 = 20;
/// Characters of an error in the list, and where one run is shown.
const ERROR_IN_LIST: usize = 80;
const ERROR: usize = 4_000;
/// What stands where nothing is known.
const NONE: &str = "–";

pub(super) async fn run(named: Option<&Path>, args: RunsArgs) -> Result<(), Failure> {
    let settings = check::load(named)?;
    let failed = |error: StoreError| Failure::failed(error.to_string());
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    match args.command {
        None => {
            let is_configured = |incident: &LapseRow| settings.jobs.contains_key(&incident.job);
            list(&*store, args.limit, args.format, &is_configured).await.map_err(failed)?;
        }
        Some(RunsCommand::Retry { id }) => {
            if !store.retry(id, Utc::now()).await.map_err(failed)? {
                return Err(Failure::usage(format!(
                    "there is no run {id} that failed, nor one with undelivered mail; `rolecall runs` lists the runs"
                )));
            }
            output::line(&format!("{id} is due again; a running daemon takes it up within a second"));
        }
        Some(RunsCommand::Show { id }) => {
            let run = store.run(id).await.map_err(failed)?;
            let run =
                run.ok_or_else(|| Failure::usage(format!("there is no run {id}; `rolecall runs` lists the runs")))?;
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
    let gaps: Vec<GapRow> = store.gaps(GAPS).await?.into_iter().map(GapRow::from).collect();
    let incidents = store.incidents(Utc::now()).await?.into_iter().map(LapseRow::from).filter(is_configured);
    let incidents: Vec<LapseRow> = incidents.collect();
    if format == RunsFormat::Json {
        // Values that serde_json cannot write are none of these types.
        let _ = json(&serde_json::json!({ "runs": rows, "gaps": gaps, "lapses": incidents }));
        return Ok(());
    }
    output::line(&if rows.is_empty() { "there are no runs yet".to_owned() } else { table(&rows).to_string() });
    for gap in &gaps {
        let what = if gap.count == 1 {
            format!("no run of {} at {}", gap.job, gap.first)
        } else {
            format!("no runs of {} at {} fire times, {} to {}", gap.job, gap.count, gap.first, gap.last)
        };
        output::line(&format!("{what}: {}", gap.reason));
    }
    for incident in &incidents {
        let workspace = incident.workspace.as_ref().map(|workspace| format!(" {workspace}")).unwrap_or_default();
        output::line(&format!("ATTENTION: {}{workspace}: {}", incident.job, plain(&incident.sentence, ERROR)));
    }
    Ok(())
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["due", "job", "workspace", "state", "took", "users", "open findings", "mail", "id and error"]);
    for row in rows {
        let error = row.error.as_deref().map(|error| format!("\n{}", plain(error, ERROR_IN_LIST))).unwrap_or_default();
        table.add_row([
            row.fire_at.clone(),
            row.job.clone(),
            row.workspace.clone(),
            state(row),
            took(row),
            number(row.users),
            findings(row),
            delivery(row),
            format!("{}{error}", row.id),
        ]);
    }
    table
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

/// Open findings, the gravest first: `2 critical, 1 low`.
fn findings(row: &Row) -> String {
    let Some(open) = &row.open_by_severity else { return number(row.open_findings) };
    let words = Severity::ALL.map(Severity::word).into_iter();
    let some: Vec<String> = words
        .filter_map(|word| open.get(word).filter(|open| **open > 0).map(|open| format!("{open} {word}")))
        .collect();
    if some.is_empty() { "none".to_owned() } else { some.join(", ") }
}

/// The state, and what stands out of it.
fn state(row: &Row) -> String {
    let again = if row.attempts > 1 { format!(", attempt {}", row.attempts) } else { String::new() };
    let incomplete = if row.complete == Some(false) { ", incomplete" } else { "" };
    format!("{}{again}{incomplete}", row.state)
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
        ("tried again", optional(&row.not_before)),
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

/// How an attempt ended. Where a later one began, nobody was left to say it of this one.
fn ending(attempt: &AttemptRow, is_last: bool) -> String {
    match (&attempt.ended_at, &attempt.error) {
        (Some(ended), Some(error)) => format!("failed {ended}: {}", plain(error, ERROR)),
        (Some(ended), None) => format!("ended {ended}"),
        (None, _) if is_last => "goes on".to_owned(),
        (None, _) => "was cut off: the process died".to_owned(),
    }
}

fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}
