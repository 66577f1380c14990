//! Runs, gaps and incidents as JSON; the output for people is made from these too.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::{
    model::{
        finding::Severity,
        run::{Attempt, Gap, Run, RunState},
        trigger::Incident,
    },
    store::{Database, StoreError, history::MessageRecord},
};

/// A run with its audit, attempts and messages.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) job: String,
    pub(super) workspace: String,
    pub(super) fire_at: String,
    pub(super) state: &'static str,
    pub(super) attempts: u32,
    pub(super) started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    /// From the first attempt to the end; `None` until then.
    pub(super) seconds: Option<f64>,
    pub(super) not_before: Option<String>,
    /// The earlier run of the job and workspace that it waits for; `None` if there is none.
    pub(super) waits_for: Option<String>,
    pub(super) error: Option<String>,
    pub(super) users: Option<u64>,
    pub(super) administrators: Option<u64>,
    pub(super) open_findings: Option<u64>,
    /// `None` for an audit kept by an older version.
    pub(super) open_by_severity: Option<BTreeMap<&'static str, u64>>,
    pub(super) complete: Option<bool>,
    /// `None` if no evidence is kept.
    pub(super) evidence: Option<EvidenceRow>,
    pub(super) history: Vec<AttemptRow>,
    pub(super) messages: Vec<MessageRow>,
}

#[derive(Serialize)]
pub(super) struct EvidenceRow {
    pub(super) folder: String,
    pub(super) sha256: String,
}

/// One attempt at a run.
#[derive(Serialize)]
pub(super) struct AttemptRow {
    pub(super) began_at: String,
    pub(super) ended_at: Option<String>,
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct MessageRow {
    pub(super) kind: String,
    pub(super) recipient: String,
    pub(super) message_id: String,
    pub(super) state: &'static str,
    pub(super) attempts: u32,
    pub(super) finished_at: Option<String>,
    pub(super) answer: Option<String>,
}

#[derive(Serialize)]
pub(super) struct GapRow {
    pub(super) job: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) count: u64,
    pub(super) reason: String,
}

#[derive(Serialize)]
pub(super) struct LapseRow {
    pub(super) kind: &'static str,
    pub(super) job: String,
    pub(super) workspace: Option<String>,
    pub(super) run: Option<String>,
    pub(super) at: String,
    pub(super) sentence: String,
}

impl Row {
    pub(super) async fn read(store: &dyn Database, run: Run) -> Result<Self, StoreError> {
        let audit = if run.state < RunState::Recorded { None } else { store.audit(run.id).await? };
        let messages = store.messages(run.id).await?.into_iter().map(message).collect();
        let earlier = if run.state == RunState::Due { store.unfinished_before(&run).await? } else { None };
        let history = store.attempts(run.id).await?.into_iter().map(attempt).collect();
        let audit = audit.as_ref();
        let by_severity = audit.and_then(|audit| audit.by_severity);
        Ok(Self {
            id: run.id.to_string(),
            job: run.job,
            workspace: run.workspace,
            fire_at: time(run.fire_at),
            state: run.state.word(),
            attempts: run.attempt,
            started_at: run.started_at.map(time),
            finished_at: run.finished_at.map(time),
            seconds: run.started_at.zip(run.finished_at).map(|(from, to)| (to - from).as_seconds_f64()),
            not_before: run.not_before.map(time),
            waits_for: earlier.map(|run| run.to_string()),
            error: run.error,
            users: audit.map(|audit| audit.users),
            administrators: audit.map(|audit| audit.administrators),
            open_findings: audit.map(|audit| audit.open_findings),
            open_by_severity: by_severity.map(|open| Severity::ALL.map(Severity::word).into_iter().zip(open).collect()),
            complete: audit.map(|audit| audit.complete),
            evidence: audit
                .and_then(|audit| audit.bag.clone())
                .map(|bag| EvidenceRow { folder: bag.folder, sha256: bag.sha256 }),
            history,
            messages,
        })
    }
}

fn attempt(attempt: Attempt) -> AttemptRow {
    AttemptRow { began_at: time(attempt.began_at), ended_at: attempt.ended_at.map(time), error: attempt.error }
}

fn message(message: MessageRecord) -> MessageRow {
    MessageRow {
        kind: message.kind,
        recipient: message.address,
        message_id: message.message_id.unwrap_or_default(),
        state: message.state.word(),
        attempts: message.attempt,
        finished_at: message.finished_at.map(time),
        answer: message.answer,
    }
}

impl From<Gap> for GapRow {
    fn from(gap: Gap) -> Self {
        Self { job: gap.job, first: time(gap.first), last: time(gap.last), count: gap.count, reason: gap.reason }
    }
}

impl From<Incident> for LapseRow {
    fn from(incident: Incident) -> Self {
        Self {
            kind: incident.kind.word(),
            sentence: incident.sentence(),
            job: incident.job,
            workspace: incident.workspace,
            run: incident.run.map(|run| run.to_string()),
            at: time(incident.at),
        }
    }
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
