//! What `rolecall review` prints.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::{
    cli::output::plain,
    model::run::MessageState,
    review::{
        carrying_out::CarriedOut,
        event::Decision,
        item::Item,
        state::{Course, Review, State, Summary},
    },
    store::history::MessageRecord,
    words::count,
};

/// A review in a list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: String,
    name: String,
    state: &'static str,
    opened_at: String,
    due: String,
    items: u32,
    undecided: u32,
}

impl From<Summary> for Row {
    fn from(summary: Summary) -> Self {
        Self {
            id: summary.id.to_string(),
            name: summary.name,
            state: summary.state.word(),
            opened_at: time(summary.opened_at),
            due: time(summary.due),
            items: summary.items,
            undecided: summary.undecided,
        }
    }
}

impl Row {
    /// In two lines, narrow enough for a terminal of 80 columns.
    pub(super) fn line(&self) -> String {
        let undecided = match self.undecided {
            0 => "all decided".to_owned(),
            undecided => format!("{undecided} not decided"),
        };
        let Self { id, name, state, opened_at, due, items, .. } = self;
        format!("{opened_at}  {id}  {state}\n  {name}: {}, {undecided}, due {due}", count(*items, "account"))
    }
}

/// A review with its items.
#[derive(Debug, Serialize)]
pub(super) struct ShownReview {
    #[serde(flatten)]
    row: Row,
    owner: String,
    next_review: Option<String>,
    not_attested: Vec<String>,
    not_delivered: Vec<MailRow>,
    items: Vec<ItemRow>,
}

/// The last message to a person, if no server has accepted it.
#[derive(Debug, Serialize)]
struct MailRow {
    kind: String,
    to: String,
    state: &'static str,
    answer: Option<String>,
}

impl MailRow {
    /// Of each person, the last message that was sent or tried, unless it was accepted.
    fn all(messages: &[MessageRecord]) -> Vec<Self> {
        let mut last: BTreeMap<&str, &MessageRecord> = BTreeMap::new();
        for message in messages.iter().filter(|message| message.attempt > 0) {
            last.insert(&message.address, message);
        }
        let failed = last.into_values().filter(|message| message.state != MessageState::Accepted);
        let row = |message: &MessageRecord| Self {
            kind: message.kind.clone(),
            to: message.address.clone(),
            state: message.state.word(),
            answer: message.answer.clone(),
        };
        failed.map(row).collect()
    }

    fn line(&self) -> String {
        let Self { kind, to, state, answer } = self;
        let next = if *state == MessageState::Waiting.word() { "it is tried again" } else { "it is not sent again" };
        let answer = answer.as_ref().map(|answer| format!(": {answer}")).unwrap_or_default();
        plain(&format!("  not delivered: {kind} to {to}; {next}{answer}"), super::TEXT * 2)
    }
}

/// An item.
#[derive(Debug, Serialize)]
struct ItemRow {
    item: String,
    workspace: String,
    user_id: String,
    full_name: Option<String>,
    email: Option<String>,
    status: String,
    role: Option<String>,
    profile: Option<String>,
    privileged: bool,
    findings: Vec<String>,
    changed: bool,
    reviewer: String,
    version: u32,
    decision: Option<&'static str>,
    change_to: Option<String>,
    reason: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<String>,
    via: Option<&'static str>,
    carried_out: &'static str,
    carry_out_by: Option<String>,
    overdue: bool,
    proven_by: Option<String>,
    proposals: Vec<ProposalRow>,
}

/// What a program proposes.
#[derive(Debug, Serialize)]
struct ProposalRow {
    decision: &'static str,
    change_to: Option<String>,
    reason: String,
    by: String,
}

impl ShownReview {
    pub(super) fn of(review: &Review, messages: &[MessageRecord], now: DateTime<Utc>) -> Self {
        let not_attested = if review.state() == State::Closed { Vec::new() } else { review.unattested() };
        Self {
            row: review.summary().into(),
            owner: review.opening().owner.to_string(),
            next_review: review.next_review().map(|day| day.to_string()),
            not_attested: not_attested.iter().map(ToString::to_string).collect(),
            not_delivered: MailRow::all(messages),
            items: review.items().map(|(item, course)| ItemRow::of(review, item, course, now)).collect(),
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let late = if self.not_attested.is_empty() {
            String::new()
        } else {
            format!("\n  not attested: {}", self.not_attested.join(", "))
        };
        let next = self.next_review.as_ref().map(|day| format!("\n  next review: {day}")).unwrap_or_default();
        let head = format!("{}\n  owner: {}{late}{next}", self.row.line(), self.owner);
        let mails = self.not_delivered.iter().map(MailRow::line);
        [head].into_iter().chain(mails).chain(self.items.iter().map(ItemRow::line)).collect()
    }
}

impl ItemRow {
    fn of(review: &Review, item: &Item, course: &Course, now: DateTime<Utc>) -> Self {
        let (made, carried_out) = (course.decided(), review.carried_out(item, course, now));
        Self {
            item: item.item.to_string(),
            workspace: item.workspace.clone(),
            user_id: item.user_id.clone(),
            full_name: item.full_name.clone(),
            email: item.email.clone(),
            status: item.status.clone(),
            role: item.role.as_ref().map(ToString::to_string),
            profile: item.profile.as_ref().map(ToString::to_string),
            privileged: item.is_privileged(),
            findings: item.findings.iter().map(|flag| flag.rule.clone()).collect(),
            changed: item.changed,
            reviewer: course.reviewer().to_string(),
            version: course.version(),
            decision: made.map(|made| made.decision.word()),
            change_to: made.and_then(|made| target(&made.decision)),
            reason: made.and_then(|made| made.reason.clone()),
            decided_by: made.map(|made| made.by.to_string()),
            decided_at: made.map(|made| time(made.at)),
            via: made.map(|made| made.via.word()),
            carried_out: carried_out.word(),
            carry_out_by: course.work().map(|made| time(review.due_of(item, made))),
            overdue: matches!(carried_out, CarriedOut::Overdue { .. }),
            proven_by: match carried_out {
                CarriedOut::Proven(proven) => Some(proven.audit.to_string()),
                _ => None,
            },
            proposals: course
                .proposals()
                .iter()
                .map(|one| ProposalRow {
                    decision: one.decision.word(),
                    change_to: target(&one.decision),
                    reason: one.reason.clone(),
                    by: one.by.to_string(),
                })
                .collect(),
        }
    }

    fn line(&self) -> String {
        let label = self.email.as_deref().or(self.full_name.as_deref()).unwrap_or(&self.user_id);
        let marks =
            [(self.privileged, "privileged"), (!self.findings.is_empty(), "flagged"), (self.changed, "changed")];
        let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        let decided = match (self.decision, &self.decided_by) {
            (Some(decision), Some(by)) => {
                let overdue = if self.overdue { ", overdue" } else { "" };
                let carried = match self.carried_out {
                    "none" => String::new(),
                    word => format!(", carried out: {word}{overdue}"),
                };
                format!("{decision} by {by}{carried}")
            }
            _ => format!("not decided, waits for {}", self.reviewer),
        };
        let access = [&self.role, &self.profile].map(|name| name.as_deref().unwrap_or("none")).join(" / ");
        let item =
            plain(&format!("  {:>4}  {}  {label}: {access}{marks}; {decided}", self.item, self.workspace), super::TEXT);
        let proposal = |one: &ProposalRow| {
            let to = one.change_to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            let text = format!("        {} proposes: {}{to}, because {}", one.by, one.decision, one.reason);
            format!("\n{}", plain(&text, super::TEXT * 2))
        };
        self.proposals.iter().map(proposal).fold(item, |all, one| all + &one)
    }
}

/// The id of the role or profile to change to.
fn target(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Change { to } => Some(to.id().to_owned()),
        Decision::Keep | Decision::Remove => None,
    }
}

/// A time in UTC.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
