//! `rolecall evidence list`: the bags, and what the ledger says of each.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{storage_of, unreadable};
use crate::{
    cli::{
        args::LookupFormat,
        lookup::table::{self, Column},
        output::{self, Failure, plain},
    },
    config::settings::Evidence,
    evidence::{inventory, signers::Allowed},
    ledger::{Entry, Fact},
    review::event::Event,
    run::anchor,
    words::count,
};

/// The longest name of a job or a workspace that is printed, in characters.
const NAME: usize = 200;

/// A bag.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Row {
    /// Where it is.
    place: String,
    /// The name of its folder.
    folder: String,
    /// `audit`, `failed`, `abandoned`, `review`; `unknown` if the ledger does not name it.
    kind: &'static str,
    /// The job; for a review by people, its name. `None` for an audit without a job.
    job: Option<String>,
    workspace: Option<String>,
    /// The scheduled time; `None` for an audit on demand, and for a review by people.
    fire_at: Option<String>,
    /// When the ledger recorded it.
    recorded_at: Option<String>,
    /// The run, which is also the audit; for a review by people, the review.
    id: Option<String>,
    complete: Option<bool>,
    users: Option<u64>,
    open_findings: Option<u64>,
}

const COLUMNS: &[Column<Row>] = &[
    ("place", |row| row.place.clone()),
    ("folder", |row| row.folder.clone()),
    ("kind", |row| row.kind.to_owned()),
    ("job", |row| table::text(row.job.as_ref())),
    ("workspace", |row| table::text(row.workspace.as_ref())),
    ("fire_at", |row| table::text(row.fire_at.as_ref())),
    ("recorded_at", |row| table::text(row.recorded_at.as_ref())),
    ("id", |row| table::text(row.id.as_ref())),
    ("complete", |row| table::text(row.complete.as_ref())),
    ("users", |row| table::text(row.users.as_ref())),
    ("open_findings", |row| table::text(row.open_findings.as_ref())),
];

pub(super) async fn run(evidence: &Evidence, format: LookupFormat) -> Result<(), Failure> {
    let storage = storage_of(evidence)?;
    let unreadable = |error| unreadable(&storage.place(""), &error);
    let bags = inventory::bags(&*storage).map_err(unreadable)?;
    let attestation = anchor::attestation(&*storage, Allowed::default()).await.map_err(unreadable)?;
    let known = known(attestation.chain.entries.iter().map(|(entry, _)| entry));
    if let Some(problem) = attestation.problems.first().filter(|_| !bags.is_empty()) {
        output::note(&format!("rolecall: {problem}. `rolecall evidence verify` lists all problems"));
    }
    let row = |folder: String| {
        let said = known.get(folder.as_str());
        let place = storage.place(&folder);
        said.map_or_else(|| Row { kind: "unknown", ..Row::default() }, Known::row).at(place, folder)
    };
    let rows: Vec<Row> = bags.into_iter().map(row).collect();
    if format != LookupFormat::Table {
        return table::print(&rows, format, COLUMNS, COLUMNS);
    }
    if rows.is_empty() {
        output::line("no bags yet");
    }
    for row in rows {
        output::line(&format!("{}\n  {}", row.place, sentence(&row)));
    }
    Ok(())
}

/// What the ledger says of a bag.
struct Known<'a> {
    kind: &'static str,
    entry: &'a Entry,
    job: Option<&'a str>,
    workspace: Option<&'a str>,
    fire_at: Option<DateTime<Utc>>,
    id: Uuid,
    /// Whether an audit is complete, its users and its open findings.
    result: Option<(bool, u64, u64)>,
}

/// What a ledger says of bags, by their folders.
fn known<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<&'a str, Known<'a>> {
    let mut bags = BTreeMap::new();
    let mut runs: BTreeMap<Uuid, (&str, &str, DateTime<Utc>)> = BTreeMap::new();
    let mut reviews: BTreeMap<Uuid, &str> = BTreeMap::new();
    for entry in entries {
        match &entry.fact {
            Fact::Due { job, fire_at, runs: due, .. } => {
                runs.extend(due.iter().map(|run| (run.run, (job.as_str(), run.workspace.as_str(), *fire_at))));
            }
            Fact::Recorded(recorded) => {
                let Some(bag) = &recorded.bag else { continue };
                let known = Known {
                    kind: "audit",
                    entry,
                    job: recorded.job.as_deref(),
                    workspace: Some(&recorded.workspace),
                    fire_at: recorded.fire_at,
                    id: recorded.run,
                    result: Some((recorded.complete, recorded.users, recorded.open_findings)),
                };
                bags.insert(bag.folder.as_str(), known);
            }
            Fact::BagOfFailure { run, bag } | Fact::BagAbandoned { run, bag } => {
                let of = runs.get(run).copied();
                let is_failure = matches!(entry.fact, Fact::BagOfFailure { .. });
                let known = Known {
                    kind: if is_failure { "failed" } else { "abandoned" },
                    entry,
                    job: of.map(|(job, ..)| job),
                    workspace: of.map(|(_, workspace, _)| workspace).or_else(|| workspace_of(&bag.folder)),
                    fire_at: of.map(|(.., fire_at)| fire_at),
                    id: *run,
                    result: None,
                };
                bags.insert(bag.folder.as_str(), known);
            }
            Fact::Review(told) => {
                if let Event::Opened(opening) = &told.event {
                    reviews.insert(told.review, &opening.name);
                }
            }
            Fact::ReviewSealed(sealed) => {
                let (job, id) = (reviews.get(&sealed.review).copied(), sealed.review);
                let known = Known { kind: "review", entry, job, workspace: None, fire_at: None, id, result: None };
                bags.insert(sealed.bag.folder.as_str(), known);
            }
            _ => {}
        }
    }
    bags
}

/// The workspace in the name of a bag of a run, which is `TIME_WORKSPACE_RUN`.
fn workspace_of(folder: &str) -> Option<&str> {
    Some(folder.split_once('_')?.1.rsplit_once('_')?.0)
}

impl Known<'_> {
    fn row(&self) -> Row {
        Row {
            kind: self.kind,
            job: self.job.map(str::to_owned),
            workspace: self.workspace.map(str::to_owned),
            fire_at: self.fire_at.map(time),
            recorded_at: Some(time(self.entry.at)),
            id: Some(self.id.to_string()),
            complete: self.result.map(|(complete, ..)| complete),
            users: self.result.map(|(_, users, _)| users),
            open_findings: self.result.map(|(.., open)| open),
            ..Row::default()
        }
    }
}

impl Row {
    fn at(self, place: String, folder: String) -> Self {
        Self { place, folder, ..self }
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What a bag is, for people.
fn sentence(row: &Row) -> String {
    let name = |name: &Option<String>| name.as_deref().map(|name| plain(name, NAME));
    let of = [name(&row.job), name(&row.workspace)].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let of = if of.is_empty() { String::new() } else { format!("  {of}") };
    let what = match row.kind {
        "audit" => {
            let users = count(row.users.unwrap_or_default(), "user");
            let open = count(row.open_findings.unwrap_or_default(), "open finding");
            let incomplete = if row.complete == Some(false) { "incomplete, " } else { "" };
            format!("{incomplete}{users}, {open}")
        }
        "failed" => "failed: the answers until then".to_owned(),
        "abandoned" => "interrupted and repeated: does not count".to_owned(),
        "review" => "closed review by people".to_owned(),
        _ => return "the ledger does not name it".to_owned(),
    };
    let at = row.fire_at.as_ref().or(row.recorded_at.as_ref());
    format!("{}{of}: {what}", at.map(String::as_str).unwrap_or_default())
}
