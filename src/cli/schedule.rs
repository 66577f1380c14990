//! `rolecall schedule`: when each workspace of each job is due next.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{
    args::ScheduleArgs,
    check,
    lookup::table::{self, Column},
    output::Failure,
    workspaces,
};
use crate::{clock::Clock, schedule::Place};

/// A scheduled time of a workspace.
#[derive(Serialize)]
struct Row {
    job: String,
    workspace: String,
    fire_at: String,
    /// The same in the time zone of the job.
    local: String,
    /// When the window begins over which `splay_minutes` spreads the job; `None` for a job without.
    window_from: Option<String>,
    splay_minutes: Option<i64>,
    #[serde(skip)]
    at: DateTime<Utc>,
}

const COLUMNS: &[Column<Row>] = &[
    ("job", |row| row.job.clone()),
    ("workspace", |row| row.workspace.clone()),
    ("fire_at", |row| row.fire_at.clone()),
    ("local", |row| row.local.clone()),
    ("window_from", |row| row.window_from.clone().unwrap_or_default()),
    ("splay_minutes", |row| row.splay_minutes.map(|minutes| minutes.to_string()).unwrap_or_default()),
];

/// As a table for people, whose jobs have no splay.
const UNSPREAD: &[Column<Row>] = match COLUMNS.split_last_chunk::<2>() {
    Some((first, _)) => first,
    None => COLUMNS,
};

pub(super) fn run(named: Option<&Path>, args: &ScheduleArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    if let Some(job) = args.job.as_ref().filter(|job| !settings.jobs.contains_key(*job)) {
        let known: Vec<&str> = settings.jobs.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!("unknown job `{job}`; the configured jobs are: {}", known.join(", "))));
    }
    if args.workspace.is_some() {
        workspaces::named(&settings, args.workspace.as_deref())?;
    }
    let now = Clock::system().now();
    let mut rows = Vec::new();
    for (name, job) in settings.jobs.iter().filter(|(name, _)| args.job.as_ref().is_none_or(|job| job == *name)) {
        // A place that has passed in the first window is in the next one.
        let windows: Vec<_> = job.schedule.windows(now).take(args.next + 1).collect();
        let wanted = |workspace: &&String| args.workspace.as_ref().is_none_or(|wanted| wanted == *workspace);
        for workspace in job.workspaces.iter().filter(wanted) {
            let place = Place::of(name, workspace);
            let times = windows.iter().map(|window| (window.begins, window.at(place))).filter(|(_, at)| *at > now);
            let splay = Some(job.schedule.splay()).filter(|splay| !splay.is_zero());
            rows.extend(times.take(args.next).map(|(begins, at)| Row {
                job: name.clone(),
                workspace: workspace.clone(),
                fire_at: at.to_rfc3339_opts(SecondsFormat::Secs, true),
                local: at.with_timezone(&job.schedule.zone()).format("%a %Y-%m-%d %H:%M:%S %Z").to_string(),
                window_from: splay.map(|_| begins.to_rfc3339_opts(SecondsFormat::Secs, true)),
                splay_minutes: splay.map(|splay| splay.num_minutes()),
                at,
            }));
        }
    }
    rows.sort_by(|one, other| (one.at, &one.job, &one.workspace).cmp(&(other.at, &other.job, &other.workspace)));
    let is_spread = rows.iter().any(|row| row.splay_minutes.is_some());
    table::print(&rows, args.format, COLUMNS, if is_spread { COLUMNS } else { UNSPREAD })
}
