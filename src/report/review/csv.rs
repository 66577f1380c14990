//! The tables of a review: every decision that was ever made, every attestation, and what was carried out.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::{days, time};
use crate::{
    report::{csv, guarded},
    review::{
        carrying_out::CarriedOut,
        event::{Decision, Target},
        item::{Item, Named},
        state::Review,
    },
};

/// Writes a table.
struct Table<'w>(::csv::Writer<&'w mut dyn Write>);

impl<'w> Table<'w> {
    fn new(out: &'w mut dyn Write, columns: &[&str]) -> io::Result<Self> {
        let mut table = Self(csv::builder().from_writer(out));
        table.row(columns)?;
        Ok(table)
    }

    fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(&*csv::quoted(&guarded(cell)))?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn name(named: Option<&Named>) -> &str {
    named.map_or("", |named| named.name.as_deref().unwrap_or(&named.id))
}

fn target(decision: &Decision) -> &str {
    match decision {
        Decision::Change { to } => to.id(),
        Decision::Keep | Decision::Remove => "",
    }
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn findings(item: &Item) -> String {
    item.findings.iter().map(|flag| flag.rule.as_str()).collect::<Vec<_>>().join("; ")
}

/// One row for each decision, also those that were replaced, and for each account without one.
pub(super) fn decisions(review: &Review, _: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        "item",
        "workspace",
        "user_id",
        "full_name",
        "email",
        "status",
        "role_name",
        "profile_name",
        "power",
        "findings",
        "changed",
        "reviewer",
        "decision",
        "change_to",
        "reason",
        "decided_by",
        "decided_at",
        "via",
        "decided_together",
        "stands",
        "audit_bag_sha256",
        "spreadsheet_sha256",
        "signed_by",
        "page_sha256",
    ];
    let mut table = Table::new(out, &columns)?;
    for (item, course) in review.items() {
        let (number, findings) = (item.item.to_string(), findings(item));
        let account = [
            &number,
            &*item.workspace,
            &item.user_id,
            item.full_name.as_deref().unwrap_or(""),
            item.email.as_deref().unwrap_or(""),
            &item.status,
            name(item.role.as_ref()),
            name(item.profile.as_ref()),
            item.power.word(),
            &findings,
            yes(item.changed),
            course.reviewer().as_str(),
        ];
        let last = course.decisions().len();
        if last == 0 {
            table.row(&[&account[..], &[""; 12]].concat())?;
        }
        for (place, made) in (1..).zip(course.decisions()) {
            let (at, together) = (time(made.at), made.together.to_string());
            let decision = [
                made.decision.word(),
                target(&made.decision),
                made.reason.as_deref().unwrap_or(""),
                made.by.as_str(),
                &at,
                made.via.word(),
                &together,
                yes(place == last),
                &made.bag,
                made.sheet.as_ref().map_or("", |sheet| &sheet.sha256),
                made.sheet.as_ref().and_then(|sheet| sheet.signed_by.as_deref()).unwrap_or(""),
                made.page.as_deref().unwrap_or(""),
            ];
            table.row(&[&account[..], &decision].concat())?;
        }
    }
    table.end()
}

/// One row for each attestation. It stands if the decisions that it confirms are still the same.
pub(super) fn attestations(review: &Review, _: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(
        out,
        &["attested_by", "reviewers", "attested_at", "via", "statement", "decisions_sha256", "stands"],
    )?;
    for (at, attested) in review.attestations() {
        let of = attested.of.iter().map(crate::review::person::Address::as_str).collect::<Vec<_>>().join("; ");
        let stands = review.decisions_sha256(&attested.of) == attested.decisions_sha256;
        table.row(&[
            attested.by.as_str(),
            &of,
            &time(*at),
            attested.via.word(),
            &attested.statement,
            &attested.decisions_sha256,
            yes(stands),
        ])?;
    }
    table.end()
}

/// One row for each account that is to be changed or removed and is not proven: what is left to do.
pub(super) fn work(review: &Review, now: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        "item",
        "workspace",
        "user_id",
        "full_name",
        "email",
        "role_name",
        "profile_name",
        "decision",
        "change_to",
        "change_to_name",
        "reason",
        "decided_by",
        "decided_at",
        "due",
        "overdue",
        "not_by",
    ];
    let mut table = Table::new(out, &columns)?;
    for work in review.work_list(now) {
        let (item, made) = (work.item, work.made);
        let name_of_target = match &made.decision {
            Decision::Change { to: Target::Role(named) | Target::Profile(named) } => name(Some(named)),
            Decision::Keep | Decision::Remove => "",
        };
        table.row(&[
            &*item.item.to_string(),
            &item.workspace,
            &item.user_id,
            item.full_name.as_deref().unwrap_or(""),
            item.email.as_deref().unwrap_or(""),
            name(item.role.as_ref()),
            name(item.profile.as_ref()),
            made.decision.word(),
            target(&made.decision),
            name_of_target,
            made.reason.as_deref().unwrap_or(""),
            made.by.as_str(),
            &time(made.at),
            &time(work.due),
            yes(work.is_overdue),
            work.not_by.map_or("", crate::review::person::Address::as_str),
        ])?;
    }
    table.end()
}

/// One row for each account that is to be changed or removed.
pub(super) fn remediation(review: &Review, now: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        "item",
        "workspace",
        "user_id",
        "email",
        "decision",
        "change_to",
        "decided_by",
        "decided_at",
        "due",
        "carried_out",
        "overdue",
        "shown",
        "audit",
        "audit_bag_sha256",
        "shown_at",
        "days",
    ];
    let mut table = Table::new(out, &columns)?;
    for (item, course) in review.items() {
        let Some(made) = course.work() else { continue };
        let carried_out = review.carried_out(item, course, now);
        let (number, at, due) = (item.item.to_string(), time(made.at), time(review.due_of(item, made)));
        let work = [
            &*number,
            &item.workspace,
            &item.user_id,
            item.email.as_deref().unwrap_or(""),
            made.decision.word(),
            target(&made.decision),
            made.by.as_str(),
            &at,
            &due,
            carried_out.word(),
            yes(matches!(carried_out, CarriedOut::Overdue { .. })),
        ];
        let CarriedOut::Proven(proven) = carried_out else {
            table.row(&[&work[..], &[""; 5]].concat())?;
            continue;
        };
        let (audit, shown_at, took) = (proven.audit.to_string(), time(proven.read_at), days(proven.read_at - made.at));
        let sha256 = proven.bag.as_ref().map_or("", |bag| bag.sha256.as_str());
        table.row(&[&work[..], &[proven.shown.word(), &audit, sha256, &shown_at, &took]].concat())?;
    }
    table.end()
}
