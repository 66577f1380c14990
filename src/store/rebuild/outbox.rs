//! What was sent, as the ledger tells of it, so that nothing is sent twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    runs::{Run, Runs},
    table::{Row, bytes, id, moment, number, text},
};
use crate::{
    ledger::{Entry, Fact, fact::Delivery},
    model::{
        notification::Subject,
        run::{MessageState, RunState},
    },
};

/// The channel of everything that is on record.
const EMAIL: &str = "email";

/// What is in the outbox.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The end of each delivery, in the order of the first one.
    sent: Vec<(DateTime<Utc>, Delivery)>,
    /// Where each is, by its `Message-ID`.
    places: BTreeMap<String, usize>,
    /// Fire times whose message is written: the job, the time, when, the runs and the messages.
    combined: Vec<Combined>,
    /// Rejected messages that were to be sent again.
    again: BTreeSet<String>,
}

#[derive(Debug)]
struct Combined {
    job: String,
    fire_at: DateTime<Utc>,
    at: DateTime<Utc>,
    runs: Vec<Uuid>,
    messages: Vec<String>,
}

/// A message that was to be sent, and of which the ledger does not say that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// The run.
    pub run: Uuid,
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it was due.
    pub fire_at: DateTime<Utc>,
    /// The `Message-ID`.
    pub message_id: String,
}

impl Outbox {
    /// Follows an entry.
    pub(super) fn follow(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Delivery(delivery) => {
                self.again.remove(&delivery.message_id);
                let told = (entry.at, delivery.clone());
                if let Some(place) = self.places.get(&delivery.message_id) {
                    self.sent[*place] = told;
                } else {
                    self.places.insert(delivery.message_id.clone(), self.sent.len());
                    self.sent.push(told);
                }
            }
            Fact::Retried { run } => {
                let rejected = self.sent.iter().filter(|(_, sent)| sent.run == Some(run.run) && !sent.accepted);
                self.again.extend(rejected.map(|(_, sent)| sent.message_id.clone()));
            }
            Fact::Combined { job, fire_at, runs, messages, .. } => {
                let (job, runs, messages) = (job.clone(), runs.clone(), messages.clone());
                self.combined.push(Combined { job, fire_at: *fire_at, at: entry.at, runs, messages });
            }
            _ => {}
        }
    }

    /// Closes the runs whose audit is recorded. Their messages were sent, or are lost with the store: those are returned.
    pub(super) fn close(&self, runs: &mut Runs) -> Vec<Unsent> {
        let recorded = runs.by_id.iter().filter(|(_, run)| run.state == RunState::Recorded);
        let recorded: Vec<(Uuid, Run)> = recorded.map(|(run, of)| (*run, of.clone())).collect();
        let mut unsent = Vec::new();
        for (run, of) in recorded {
            let mut delivered_at = None;
            for message_id in of.messages {
                let sent = self.places.get(&message_id).filter(|_| !self.again.contains(&message_id));
                let Some(place) = sent else {
                    let (job, workspace) = (of.job.clone(), of.workspace.clone());
                    unsent.push(Unsent { run, job, workspace, fire_at: of.fire_at, message_id });
                    continue;
                };
                delivered_at = delivered_at.max(Some(self.sent[*place].0));
            }
            runs.close(run, delivered_at);
        }
        unsent
    }

    /// The rows of fire times whose message is written. What it was made of is not needed any more.
    pub(super) fn combinations(&self) -> impl Iterator<Item = Row> + '_ {
        self.combined.iter().map(|combined| {
            Row::from([
                ("job", text(&combined.job)),
                ("fire_at", moment(combined.fire_at)),
                ("terms", bytes(Vec::new())),
                ("since", moment(combined.at)),
                ("mailed_at", moment(combined.at)),
            ])
        })
    }

    /// The rows of messages: those that were delivered themselves, then those that another carried.
    pub(super) fn messages(&self, runs: &Runs) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut taken = BTreeSet::new();
        for (at, delivery) in &self.sent {
            let run = delivery.run.and_then(|run| Some((run, runs.by_id.get(&run)?)));
            let review = delivery.review.map(|review| (Subject::Review(review), None));
            let Some((subject, of)) = run.map(|(run, of)| (Subject::Run(run), Some((run, of)))).or(review) else {
                continue;
            };
            // Entries of an older rolecall do not say what tells notices of one kind apart.
            let is_free = taken.insert((subject.id(), &delivery.kind, &delivery.about, &delivery.recipient));
            let about = if is_free { &delivery.about } else { &delivery.message_id };
            let row = message(*at, delivery, about, &subject, of);
            rows.push(with_id(row, rows.len()));
        }
        for combined in &self.combined {
            for message_id in &combined.messages {
                let Some(place) = self.places.get(message_id) else { continue };
                let (at, delivery) = &self.sent[*place];
                let carrier = rows.iter().find(|row| row.get("message_id") == Some(&text(message_id)));
                let Some(carrier) = carrier.and_then(|row| row.get("id")).cloned() else { continue };
                for run in combined.runs.iter().filter(|run| Some(**run) != delivery.run) {
                    let Some(of) = runs.by_id.get(run) else { continue };
                    let mut row = message(*at, delivery, &delivery.about, &Subject::Run(*run), Some((*run, of)));
                    row.insert("carried_by", carrier.clone());
                    rows.push(with_id(row, rows.len()));
                }
            }
        }
        rows
    }
}

fn with_id(mut row: Row, before: usize) -> Row {
    row.insert("id", number(i64::try_from(before + 1).unwrap_or(i64::MAX)));
    row
}

fn message(at: DateTime<Utc>, delivery: &Delivery, about: &str, subject: &Subject, of: Option<(Uuid, &Run)>) -> Row {
    let state = if delivery.accepted { MessageState::Accepted } else { MessageState::Rejected };
    let mut row = Row::from([
        ("subject_kind", text(subject.kind())),
        ("subject_id", text(subject.id())),
        ("channel", text(EMAIL)),
        ("kind", text(&delivery.kind)),
        ("about", text(about)),
        ("address", text(&delivery.recipient)),
        ("message_id", text(&delivery.message_id)),
        ("body", bytes(Vec::new())),
        ("state", text(state.word())),
        ("attempt", number(1)),
        ("fence", number(1)),
        ("not_before", moment(at)),
        ("created_at", moment(at)),
        ("finished_at", moment(at)),
        ("answer", text(&delivery.answer)),
    ]);
    if let Some((run, Run { job, workspace, fire_at, .. })) = of {
        row.extend([
            ("run", id(run)),
            ("job", text(job)),
            ("workspace", text(workspace)),
            ("fire_at", moment(*fire_at)),
        ]);
    }
    row
}
