//! `rolecall runs`: what became of every fire time.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{
    args::{RunsArgs, RunsCommand, RunsFormat},
    check,
    output::{self, Failure, plain},
};
use crate::{
    app,
    model::run::{Gap, MessageState, Run, RunState},
    store::{
        Store as _, StoreError,
        queue::{MessageRecord, Queue as _},
        sqlite::SqliteStore,
    },
};

/// Gaps that the list shows.
const GAPS: u32 = 20;
/// Characters of an error in the list, and where one run is shown.
const ERROR_IN_LIST: usize = 80;
const ERROR: usize = 4_000;

/// A run with what is known of its audit and its messages.
#[derive(Serialize)]
struct Row {
    id: String,
    job: String,
    workspace: String,
    fire_at: String,
    state: &'static str,
    attempts: u32,
    started_at: Option<String>,
    finished_at: Option<String>,
    not_before: Option<String>,
    error: Option<String>,
    users: Option<u64>,
    administrators: Option<u64>,
    open_findings: Option<u64>,
    complete: Option<bool>,
    messages: Vec<MessageRow>,
}

#[derive(Serialize)]
struct MessageRow {
    kind: String,
    recipient: String,
    message_id: String,
    state: &'static str,
    attempts: u32,
    finished_at: Option<String>,
    answer: Option<String>,
}

#[derive(Serialize)]
struct GapRow {
    job: String,
    first: String,
    last: String,
    count: u64,
    reason: String,
}

pub(super) async fn run(named: Option<&Path>, args: RunsArgs) -> Result<(), Failure> {
    let settings = check::load(named)?;
    let failed = |error: StoreError| Failure::failed(error.to_string());
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    match args.command {
        None => list(&store, args.limit, args.format).await.map_err(failed)?,
        Some(RunsCommand::Retry { id }) => {
            if !store.retry(id).await.map_err(failed)? {
                return Err(Failure::usage(format!("there is no failed run {id}; `rolecall runs` lists the runs")));
            }
            output::line(&format!("{id} is due again; the daemon takes it up within a second"));
        }
        Some(RunsCommand::Show { id }) => {
            let run = store.runs(u32::MAX).await.map_err(failed)?.into_iter().find(|run| run.id == id);
            let run =
                run.ok_or_else(|| Failure::usage(format!("there is no run {id}; `rolecall runs` lists the runs")))?;
            let row = row(&store, run).await.map_err(failed)?;
            match args.format {
                RunsFormat::Json => json(&row)?,
                RunsFormat::Table => show(&row),
            }
        }
    }
    Ok(())
}

async fn list(store: &SqliteStore, limit: u32, format: RunsFormat) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for run in store.runs(limit).await? {
        rows.push(row(store, run).await?);
    }
    let gaps: Vec<GapRow> = store.gaps(GAPS).await?.into_iter().map(gap).collect();
    if format == RunsFormat::Json {
        // Values that serde_json cannot write are none of these types.
        let _ = json(&serde_json::json!({ "runs": rows, "gaps": gaps }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["due", "job", "workspace", "state", "users", "findings", "mail", "id and error"]);
    for row in &rows {
        let error = row.error.as_deref().map(|error| format!("\n{}", plain(error, ERROR_IN_LIST))).unwrap_or_default();
        let number = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        table.add_row([
            row.fire_at.clone(),
            row.job.clone(),
            row.workspace.clone(),
            state(row),
            number(row.users),
            number(row.open_findings),
            delivery(row),
            format!("{}{error}", row.id),
        ]);
    }
    output::line(&if rows.is_empty() { "there are no runs yet".to_owned() } else { table.to_string() });
    for gap in &gaps {
        output::line(&format!(
            "no runs: {} fire times of {} from {} to {}: {}",
            gap.count, gap.job, gap.first, gap.last, gap.reason
        ));
    }
    Ok(())
}

/// The state, and what stands out of it.
fn state(row: &Row) -> String {
    let again = if row.attempts > 1 { format!(", attempt {}", row.attempts) } else { String::new() };
    let incomplete = if row.complete == Some(false) { ", incomplete" } else { "" };
    format!("{}{again}{incomplete}", row.state)
}

fn attempts(number: u32) -> String {
    if number == 1 { "1 attempt".to_owned() } else { format!("{number} attempts") }
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
    let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let number = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let lines = [
        ("run", row.id.clone()),
        ("job", row.job.clone()),
        ("workspace", row.workspace.clone()),
        ("due", row.fire_at.clone()),
        ("state", state(row)),
        ("attempts", row.attempts.to_string()),
        ("started", optional(&row.started_at)),
        ("finished", optional(&row.finished_at)),
        ("tried again", optional(&row.not_before)),
        ("users", number(row.users)),
        ("administrators", number(row.administrators)),
        ("open findings", number(row.open_findings)),
        ("complete", row.complete.map_or("–".to_owned(), |complete| if complete { "yes" } else { "no" }.to_owned())),
        ("error", row.error.as_deref().map_or("–".to_owned(), |error| plain(error, ERROR))),
    ];
    for (name, value) in lines {
        output::line(&format!("{name:<15} {value}"));
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

fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}

async fn row(store: &SqliteStore, run: Run) -> Result<Row, StoreError> {
    let audit = if run.state < RunState::Recorded { None } else { store.audit(run.id).await? };
    let messages = store.messages(run.id).await?.into_iter().map(message).collect();
    let audit = audit.as_ref();
    Ok(Row {
        id: run.id.to_string(),
        job: run.job,
        workspace: run.workspace,
        fire_at: time(run.fire_at),
        state: run.state.word(),
        attempts: run.attempt,
        started_at: run.started_at.map(time),
        finished_at: run.finished_at.map(time),
        not_before: run.not_before.map(time),
        error: run.error,
        users: audit.map(|audit| audit.users),
        administrators: audit.map(|audit| audit.administrators),
        open_findings: audit.map(|audit| audit.open_findings),
        complete: audit.map(|audit| audit.complete),
        messages,
    })
}

fn message(message: MessageRecord) -> MessageRow {
    MessageRow {
        kind: message.kind,
        recipient: message.recipient,
        message_id: message.message_id,
        state: message.state.word(),
        attempts: message.attempt,
        finished_at: message.finished_at.map(time),
        answer: message.answer,
    }
}

fn gap(gap: Gap) -> GapRow {
    GapRow { job: gap.job, first: time(gap.first), last: time(gap.last), count: gap.count, reason: gap.reason }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
