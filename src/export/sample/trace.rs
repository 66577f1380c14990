//! The way of an item through the evidence.

use std::{collections::BTreeSet, io};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    audit::{AuditBag, Audits, Changed, Recording},
    draw::{About, Candidate},
    people::{self, ByPeople},
    raw,
    step::{Place, Step, cell, entry, row},
};
use crate::{
    coverage::Row,
    evidence::{mail, storage::Storage},
    export::bag::{self, ANSWERS, CHANGES, COMPLETENESS, FINDINGS, MATRIX},
    ledger::{Entry, Fact},
    words::count,
};

/// Everything that a trace is made from.
pub(super) struct World<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) entries: &'a [&'a Entry],
    pub(super) audits: &'a Audits,
    pub(super) reviews: &'a [ByPeople],
}

/// The parts of `completeness.json` that a trace quotes.
#[derive(Deserialize)]
struct Completeness {
    complete: bool,
    sums: Vec<String>,
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The steps of an item.
pub(super) fn steps(world: &World<'_>, candidate: &Candidate) -> io::Result<Vec<Step>> {
    match &candidate.about {
        About::Review(due) => review(world, due),
        About::Account { user, first, last, audits } => account(world, user, [*first, *last], *audits),
        About::Change { audit, row, change } => changed(world, *audit, *row, change),
    }
}

impl World<'_> {
    fn audit(&self, run: Uuid) -> io::Result<&Recording> {
        self.audits.run(run).ok_or_else(|| io::Error::other(format!("the ledger has no audit {run}")))
    }

    /// What people decided about an account, and the proof that it was carried out.
    fn by_people(&self, workspace: &str, user: &str) -> io::Result<Vec<Step>> {
        people::steps(self.reviews, (self.storage, self.audits), workspace, user)
    }
}

fn account(world: &World<'_>, user: &str, [first, last]: [Uuid; 2], audits: usize) -> io::Result<Vec<Step>> {
    let audit = world.audit(last)?;
    let bag = audit.open(world.storage)?;
    let earliest = world.audit(first)?;
    let in_period = match audits {
        1 => "One audit of the period lists the account.".to_owned(),
        all => format!("{} of the period list the account. This is the last of them.", count(all, "audit")),
    };
    let mut steps = vec![
        about_audit(&bag)?
            .fact("In the period", in_period)
            .fact("First listed in the period", format!("{} ({first})", time(earliest.recorded.read_to))),
        raw::step("Raw answer", &bag, user)?,
        matrix_row("Row of the access matrix", &bag, user)?,
        findings(&bag, "user", user)?,
    ];
    steps.extend(world.by_people(&audit.recorded.workspace, user)?);
    steps.push(delivery(world, audit.recorded.run));
    Ok(steps)
}

fn changed(world: &World<'_>, run: Uuid, number: usize, change: &Changed) -> io::Result<Vec<Step>> {
    let audit = world.audit(run)?;
    let bag = audit.open(world.storage)?;
    let report = bag.report()?;
    let mut steps = vec![about_audit(&bag)?, change_row(&bag, number)?];
    let before = report.previous.and_then(|previous| previous.audit_id.parse().ok());
    let before = before.and_then(|before| world.audits.run(before)).filter(|before| before.bag.is_some());
    let (id, is_user) =
        (change.subject_id.strip_prefix('\'').unwrap_or(&change.subject_id), change.subject_type == "user");
    match before {
        Some(before) => {
            let before = before.open(world.storage)?;
            steps
                .push(raw::step("Raw answer before", &before, id)?.fact("Audit before", before.recording.recorded.run));
            if is_user {
                steps.push(matrix_row("Row of the access matrix before", &before, id)?);
            }
        }
        None => steps.push(
            Step::new("Raw answer before", "The bag of the audit before is not here. This bag has its snapshot.")
                .at(bag.place("data/previous.jsonl.zst", format!("the line with the id {id}"))),
        ),
    }
    steps.push(raw::step("Raw answer after", &bag, id)?);
    if is_user {
        steps.push(matrix_row("Row of the access matrix after", &bag, id)?);
    }
    steps.push(findings(&bag, &change.subject_type, id)?);
    if is_user {
        steps.extend(world.by_people(&audit.recorded.workspace, id)?);
    }
    steps.push(delivery(world, run));
    Ok(steps)
}

fn review(world: &World<'_>, due: &Row) -> io::Result<Vec<Step>> {
    let mut schedule = Step::new("Schedule", format!("The review is {}.", due.state.label()))
        .fact("Job", due.job.as_deref().unwrap_or("none: on demand"))
        .fact("Workspace", &due.workspace)
        .fact("Scheduled", time(due.fire_at));
    if !due.reason.is_empty() {
        schedule = schedule.fact("Why", &due.reason);
    }
    let ledger = world.entries.iter().find(|entry| {
        matches!(&entry.fact, Fact::Due { job, fire_at, .. } if Some(job) == due.job.as_ref() && *fire_at == due.fire_at)
    });
    if let Some(due) = ledger {
        schedule = schedule.at(entry(due.number));
    }
    let mut steps = vec![schedule];
    let audit = due.review.as_ref().and(due.run).and_then(|run| world.audits.run(run));
    let Some(audit) = audit else {
        steps.push(Step::new("Audit", "No audit covers this scheduled time."));
        return Ok(steps);
    };
    if audit.bag.is_none() {
        steps.push(Step::new("Audit", "The ledger has the audit; its bag is not here.").at(entry(audit.entry)));
        return Ok(steps);
    }
    let bag = audit.open(world.storage)?;
    steps.push(about_audit(&bag)?);
    steps.push(read(&bag)?);
    let report = bag.report()?;
    let open = report.summary.open_findings.iter().filter(|(_, count)| **count > 0);
    let open: Vec<String> = open.map(|(severity, count)| format!("{count} {severity}")).collect();
    let open = if open.is_empty() { "none".to_owned() } else { open.join(", ") };
    steps.push(
        Step::new("Findings", report.summary.verdict)
            .fact("Open findings", open)
            .at(bag.place(FINDINGS, "every row"))
            .at(bag.place(MATRIX, "every row")),
    );
    steps.extend(people::of_audit(world.reviews, audit.recorded.run, &audit.recorded.workspace));
    steps.push(delivery(world, audit.recorded.run));
    Ok(steps)
}

/// The audit, and how to find its evidence.
fn about_audit(from: &AuditBag<'_>) -> io::Result<Step> {
    let recorded = &from.recording.recorded;
    let report = from.report()?;
    let complete = if report.complete { "completely" } else { "INCOMPLETELY" };
    Ok(Step::new("Audit", format!("The workspace {} was read {complete}.", recorded.workspace))
        .fact("Audit", recorded.run)
        .fact("Job", recorded.job.as_deref().unwrap_or("none: on demand"))
        .some_fact("Scheduled", recorded.fire_at.map(time))
        .fact("Read", format!("{} to {}", time(recorded.read_from), time(recorded.read_to)))
        .fact("Judged", time(report.judged_at))
        .fact("Bag", &from.sealed.name.folder)
        .fact("SHA-256 of the bag", &from.sealed.name.sha256)
        .at(from.place("bag-info.txt", "every line"))
        .at(entry(from.recording.entry)))
}

/// How the workspace was read.
fn read(from: &AuditBag<'_>) -> io::Result<Step> {
    let answers = bag::answers(&from.sealed)?;
    let completeness: Option<Completeness> = bag::json(&from.sealed, COMPLETENESS)?;
    let Some(completeness) = completeness else {
        return Ok(Step::new("Raw answers", "The bag does not say how completely the workspace was read."));
    };
    let says = if completeness.complete { "Every check of the read agrees." } else { "A check of the read disagrees." };
    let mut step = Step::new("Raw answers", says).fact("Answers kept", answers.len());
    for (place, sum) in completeness.sums.iter().enumerate() {
        step = step.fact(format!("Sum {}", place + 1), sum);
    }
    let index = from.place(ANSWERS, format!("{}, one for each answer", count(answers.len(), "line")));
    Ok(step.at(index).at(from.place(COMPLETENESS, "JSON pointer /sums")))
}

/// The row of a user in the access matrix.
fn matrix_row(title: &'static str, from: &AuditBag<'_>, user: &str) -> io::Result<Step> {
    let table = bag::table(&from.sealed, MATRIX)?;
    let found = table.as_ref().and_then(|table| {
        let mut rows = table.numbered();
        rows.find(|(_, row)| table.cell(row, "user_id") == Some(&cell(user))).map(|found| (table, found))
    });
    let Some((table, (number, cells))) = found else {
        return Ok(Step::new(title, format!("The access matrix has no row of user {user}."))
            .at(from.place(MATRIX, "every row")));
    };
    let step = Step::new(title, "The row as it was reported, joined by ids.").at(from.place(MATRIX, row(number)));
    let named = table.header.iter().zip(cells).filter(|(_, value)| !value.is_empty());
    Ok(named.fold(step, |step, (name, value)| step.fact(name, value)))
}

/// The row of a change.
fn change_row(from: &AuditBag<'_>, number: usize) -> io::Result<Step> {
    let step = Step::new("Change", "The change as it was reported.").at(from.place(CHANGES, row(number)));
    let Some(table) = bag::table(&from.sealed, CHANGES)? else { return Ok(step) };
    let Some((_, cells)) = table.numbered().find(|(at, _)| *at == number) else { return Ok(step) };
    let named = table.header.iter().zip(cells).filter(|(_, value)| !value.is_empty());
    Ok(named.fold(step, |step, (name, value)| step.fact(name, value)))
}

/// The findings about a subject.
fn findings(from: &AuditBag<'_>, subject_type: &str, id: &str) -> io::Result<Step> {
    let Some(table) = bag::table(&from.sealed, FINDINGS)? else {
        return Ok(Step::new("Findings", "The bag has no table of findings."));
    };
    let is_it = |row: &[String]| {
        table.cell(row, "subject_type") == Some(subject_type) && table.cell(row, "subject_id") == Some(&cell(id))
    };
    let about: Vec<(usize, &[String])> = table.numbered().filter(|(_, row)| is_it(row)).collect();
    if about.is_empty() {
        return Ok(Step::new("Findings", "No rule found anything about it in this audit.")
            .at(from.place(FINDINGS, "every row"))
            .at(from.place("data/rules.json", "which rules ran")));
    }
    let mut step = Step::new("Findings", format!("{} about it.", count(about.len(), "finding")));
    for (number, cells) in about {
        let of = |name| table.cell(cells, name).unwrap_or_default();
        let name = format!("{} ({}, {})", of("rule"), of("severity"), of("status"));
        let accepted = match of("approved_by") {
            "" => String::new(),
            by => format!(" Accepted by {by} until {}: {}", of("until"), of("reason")),
        };
        step = step.fact(name, format!("{}{accepted}", of("message"))).at(from.place(FINDINGS, row(number)));
    }
    Ok(step)
}

/// To whom the report of an audit was sent.
fn delivery(world: &World<'_>, run: Uuid) -> Step {
    let mut messages: BTreeSet<&str> = BTreeSet::new();
    for entry in world.entries {
        match &entry.fact {
            Fact::Recorded(recorded) if recorded.run == run => {
                messages.extend(recorded.messages.iter().map(|id| &**id));
            }
            Fact::Combined { runs, messages: combined, .. } if runs.contains(&run) => {
                messages.extend(combined.iter().map(|id| &**id));
            }
            _ => {}
        }
    }
    let mut step = Step::new("Delivery of the report", "");
    let (mut accepted, mut refused) = (0_usize, 0_usize);
    for told in world.entries {
        let Fact::Delivery(delivery) = &told.fact else { continue };
        if !messages.contains(delivery.message_id.as_str()) {
            continue;
        }
        let outcome = if delivery.accepted { "accepted" } else { "given up" };
        *if delivery.accepted { &mut accepted } else { &mut refused } += 1;
        step = step
            .fact(
                &delivery.recipient,
                format!("{outcome} {}: {} ({})", time(told.at), delivery.answer, delivery.message_id),
            )
            .at(entry(told.number));
        if delivery.kept {
            let file = mail::key(&delivery.sha256);
            let sha256 = Some(delivery.sha256.clone());
            step = step.at(Place { audit: None, bag: None, file, at: "the mail as it was sent".to_owned(), sha256 });
        }
    }
    step.says = match (messages.len(), accepted, refused) {
        (0, _, _) => "The report was not mailed.".to_owned(),
        (_, 0, 0) => "No mail server has accepted the report yet.".to_owned(),
        (_, accepted, 0) => format!("Mail servers accepted {}.", count(accepted, "message")),
        (_, accepted, refused) => format!("Mail servers accepted {}; {refused} given up.", count(accepted, "message")),
    };
    step
}
