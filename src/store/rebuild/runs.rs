//! Audits, runs and schedules, as the ledger tells of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::table::{Row, count, id, moment, moment_if_any, number, text, text_if_any};
use crate::{
    ledger::{
        Entry, Fact,
        fact::{Recorded, RunName, Terms},
    },
    model::run::{Gap, RunState},
};

/// A run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) job: String,
    pub(super) workspace: String,
    pub(super) fire_at: DateTime<Utc>,
    pub(super) state: RunState,
    planned_at: DateTime<Utc>,
    attempt: u32,
    read: Option<(DateTime<Utc>, DateTime<Utc>)>,
    finished_at: Option<DateTime<Utc>>,
    error: Option<String>,
    /// The messages that were to be sent, by their `Message-ID`.
    pub(super) messages: Vec<String>,
}

/// Up to when the fire times of a job are decided, by which schedule.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) schedule: String,
    pub(super) at: DateTime<Utc>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) by_id: BTreeMap<Uuid, Run>,
    audits: Vec<Recorded>,
    gaps: Vec<(DateTime<Utc>, Gap)>,
    cursors: BTreeMap<String, Decided>,
}

impl Runs {
    /// Follows an entry. `schedule` is a schedule as the store has it.
    pub(super) fn follow(&mut self, entry: &Entry, schedule: fn(&Terms) -> Option<String>) {
        let at = entry.at;
        match &entry.fact {
            // Everything before is decided when a schedule is published.
            Fact::Schedule { job, terms: Some(terms) } => {
                if let Some(schedule) = schedule(terms) {
                    let at = self.cursors.get(job).map_or(at, |before| before.at.max(at));
                    self.cursors.insert(job.clone(), Decided { schedule, at });
                }
            }
            Fact::Due { job, fire_at, by_hand, runs } => {
                for due in runs {
                    self.by_id.insert(due.run, Run::due(job, &due.workspace, *fire_at, at));
                }
                if !by_hand {
                    self.decided(job, *fire_at);
                }
            }
            Fact::Skipped { job, first, last, count, reason } => {
                let (job, reason) = (job.clone(), reason.clone());
                self.decided(&job, *last);
                self.gaps.push((at, Gap { job, first: *first, last: *last, count: *count, reason }));
            }
            Fact::ScheduleTakenBack { job, to, .. } => {
                self.gaps.retain(|(_, gap)| gap.job != *job || gap.last <= at);
                if let Some(cursor) = self.cursors.get_mut(job) {
                    cursor.at = *to;
                }
            }
            Fact::Recorded(recorded) => self.recorded(recorded, at),
            Fact::Combined { runs, messages, .. } => {
                for run in runs {
                    if let Some(run) = self.by_id.get_mut(run) {
                        run.messages.clone_from(messages);
                    }
                }
            }
            Fact::Failed { run: name, error } => {
                let run = self.named(name, at);
                (run.state, run.finished_at, run.error) = (RunState::Failed, Some(at), Some(error.clone()));
            }
            Fact::Retried { run: name } => {
                let run = self.named(name, at);
                if run.state == RunState::Failed {
                    (run.state, run.finished_at, run.attempt) = (RunState::Due, None, 0);
                }
            }
            _ => {}
        }
    }

    fn decided(&mut self, job: &str, upto: DateTime<Utc>) {
        if let Some(cursor) = self.cursors.get_mut(job) {
            cursor.at = cursor.at.max(upto);
        }
    }

    fn named(&mut self, name: &RunName, at: DateTime<Utc>) -> &mut Run {
        self.by_id.entry(name.run).or_insert_with(|| Run::due(&name.job, &name.workspace, name.fire_at, at))
    }

    fn recorded(&mut self, recorded: &Recorded, at: DateTime<Utc>) {
        if let Some(run) = self.by_id.get_mut(&recorded.run) {
            run.state = RunState::Recorded;
            run.attempt = recorded.attempt.unwrap_or(1);
            run.read = Some((recorded.read_from, at));
            run.messages.clone_from(&recorded.messages);
            (run.finished_at, run.error) = (None, None);
        }
        self.audits.push(recorded.clone());
    }

    /// Closes a run of which nothing waits any more.
    pub(super) fn close(&mut self, run: Uuid, delivered_at: Option<DateTime<Utc>>) {
        if let Some(run) = self.by_id.get_mut(&run).filter(|run| run.state == RunState::Recorded) {
            let recorded_at = run.read.map(|(_, at)| at);
            (run.state, run.finished_at) = (RunState::Closed, delivered_at.max(recorded_at));
        }
    }

    /// The runs that are still to be done.
    pub(super) fn due(&self) -> impl Iterator<Item = (Uuid, &Run)> {
        self.by_id.iter().filter(|(_, run)| run.state == RunState::Due).map(|(id, run)| (*id, run))
    }

    /// The rows of audits, in the order in which they were kept.
    pub(super) fn audits<'a>(
        &'a self,
        snapshots: &'a BTreeSet<Uuid>,
        severities: &'a BTreeMap<Uuid, [u64; 5]>,
    ) -> impl Iterator<Item = Row> + 'a {
        (1_i64..).zip(&self.audits).map(move |(kept, audit)| {
            let mut row = Row::from([
                ("id", id(audit.run)),
                ("kept", number(kept)),
                ("job", text_if_any(audit.job.as_deref())),
                ("workspace", text(&audit.workspace)),
                ("started_at", moment(audit.read_from)),
                ("finished_at", moment(audit.read_to)),
                ("complete", number(audit.complete)),
                ("users", count(audit.users)),
                ("administrators", count(audit.administrators)),
                ("open_findings", count(audit.open_findings)),
                ("bag_folder", text_if_any(audit.bag.as_ref().map(|bag| bag.folder.as_str()))),
                ("bag_sha256", text_if_any(audit.bag.as_ref().map(|bag| bag.sha256.as_str()))),
                ("fire_at", moment_if_any(audit.fire_at)),
                ("has_snapshot", number(snapshots.contains(&audit.run))),
            ]);
            let names = ["critical", "high", "medium", "low", "info"];
            for (name, open) in names.into_iter().zip(severities.get(&audit.run).into_iter().flatten()) {
                row.insert(name, count(*open));
            }
            row
        })
    }

    /// The rows of runs.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.by_id.iter().map(|(run_id, run)| {
            Row::from([
                ("id", id(*run_id)),
                ("job", text(&run.job)),
                ("workspace", text(&run.workspace)),
                ("fire_at", moment(run.fire_at)),
                ("state", text(run.state.word())),
                ("attempt", number(run.attempt)),
                ("fence", number(run.attempt)),
                ("planned_at", moment(run.planned_at)),
                ("started_at", moment_if_any(run.read.map(|(from, _)| from))),
                ("finished_at", moment_if_any(run.finished_at)),
                ("error", text_if_any(run.error.as_deref())),
            ])
        })
    }

    /// The rows of attempts: only of those that recorded an audit is known when they began.
    pub(super) fn attempts(&self) -> impl Iterator<Item = Row> + '_ {
        self.by_id.iter().filter_map(|(run_id, run)| {
            let (from, to) = run.read?;
            Some(Row::from([
                ("run", id(*run_id)),
                ("fence", number(run.attempt)),
                ("began_at", moment(from)),
                ("ended_at", moment(to)),
            ]))
        })
    }

    /// The rows of fire times without runs.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Row> + '_ {
        (1_i64..).zip(&self.gaps).map(|(gap_id, (at, gap))| {
            Row::from([
                ("id", number(gap_id)),
                ("job", text(&gap.job)),
                ("first_at", moment(gap.first)),
                ("last_at", moment(gap.last)),
                ("count", count(gap.count)),
                ("reason", text(&gap.reason)),
                ("recorded_at", moment(*at)),
            ])
        })
    }

    /// The rows of cursors.
    pub(super) fn cursors(&self) -> impl Iterator<Item = Row> + '_ {
        self.cursors.iter().map(|(job, Decided { schedule, at })| {
            Row::from([("job", text(job)), ("schedule", text(schedule)), ("at", moment(*at))])
        })
    }
}

impl Run {
    fn due(job: &str, workspace: &str, fire_at: DateTime<Utc>, planned_at: DateTime<Utc>) -> Self {
        Self {
            job: job.to_owned(),
            workspace: workspace.to_owned(),
            fire_at,
            state: RunState::Due,
            planned_at,
            attempt: 0,
            read: None,
            finished_at: None,
            error: None,
            messages: Vec::new(),
        }
    }
}
