//! The three tables of an audit, cell by cell: the CSV files and the sheets of the workbook hold the same.
//!
//! The first columns are a contract; more may be added after them. A text from outside passes the guard
//! against formulas here, so that no sink can forget it. The workbook holds the same `'`: a sheet that is
//! saved as CSV later would lose a mark that only the cell's style carries.

use std::io;

use super::{
    ReportInput,
    cell::{NOT_APPLICABLE, Stamp, UNKNOWN, guarded},
};
use crate::{
    access::matrix::MatrixRow,
    model::{
        finding::{Finding, FindingStatus},
        rule::RuleInfo,
    },
};

/// What takes the cells of a table.
pub(super) trait Sink {
    /// The next cell of the row, with a text that few rows share.
    fn cell(&mut self, text: &str) -> io::Result<()>;
    /// The next cell of the row, with a text that many rows share.
    fn repeated(&mut self, text: &str) -> io::Result<()>;
    /// The row is whole.
    fn end_row(&mut self) -> io::Result<()>;
}

/// One of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    AccessMatrix,
    Findings,
    Changes,
}

impl Table {
    pub(super) const ALL: [Self; 3] = [Self::AccessMatrix, Self::Findings, Self::Changes];

    /// The columns: the name, and a width in characters that shows most values whole.
    pub(super) fn columns(self) -> &'static [(&'static str, u16)] {
        match self {
            Self::AccessMatrix => &[
                ("workspace", 16),
                ("user_id", 22),
                ("full_name", 26),
                ("email", 34),
                ("status", 10),
                ("confirmed", 11),
                ("role_id", 22),
                ("role_name", 22),
                ("profile_id", 22),
                ("profile_name", 22),
                ("administrator", 14),
                ("findings", 40),
                ("power", 14),
                ("zuid", 16),
                ("created_time", 21),
                ("modified_time", 21),
                ("role_name_in_record", 22),
                ("profile_name_in_record", 24),
            ],
            Self::Findings => &[
                ("workspace", 16),
                ("severity", 10),
                ("rule", 30),
                ("subject_type", 13),
                ("subject_id", 22),
                ("subject", 28),
                ("message", 90),
                ("status", 10),
                ("continuing", 12),
                ("criterion", 11),
                ("approved_by", 26),
                ("until", 12),
                ("reason", 40),
                ("planned_until", 14),
                ("owner", 26),
                ("ticket", 14),
            ],
            Self::Changes => &[
                ("workspace", 16),
                ("change", 24),
                ("subject_type", 13),
                ("subject_id", 22),
                ("subject", 28),
                ("field", 18),
                ("before", 32),
                ("after", 32),
            ],
        }
    }

    /// How many rows it has, the header apart.
    pub(super) fn rows(self, input: &ReportInput<'_>) -> usize {
        match self {
            Self::AccessMatrix => input.matrix.rows().len(),
            Self::Findings => input.audit.findings.len(),
            Self::Changes => input.audit.drift.changes.len(),
        }
    }

    /// Writes all rows, the header apart.
    pub(super) fn write(self, input: &ReportInput<'_>, sink: &mut impl Sink) -> io::Result<()> {
        match self {
            Self::AccessMatrix => access_matrix(input, sink),
            Self::Findings => input.audit.findings.iter().try_for_each(|finding| finding_row(input, finding, sink)),
            Self::Changes => changes(input, sink),
        }
    }
}

fn access_matrix(input: &ReportInput<'_>, sink: &mut impl Sink) -> io::Result<()> {
    let workspace = guarded(&input.audit.workspace);
    let mut flagged = input.flagged.walk();
    let mut rules = String::new();
    let mut stamp = Stamp::default();
    for row in input.matrix.rows() {
        let user = row.user;
        sink.repeated(&workspace)?;
        sink.cell(&guarded(user.id()))?;
        sink.cell(&guarded(user.full_name().unwrap_or(UNKNOWN)))?;
        sink.cell(&guarded(user.email().unwrap_or(UNKNOWN)))?;
        sink.repeated(&guarded(user.status().word()))?;
        sink.repeated(truth(user.confirmed()))?;
        sink.repeated(&guarded(row.role.map_or("", |role| role.stated.id.as_str())))?;
        sink.repeated(&guarded(row.role_name().unwrap_or("")))?;
        sink.repeated(&guarded(row.profile.map_or("", |profile| profile.stated.id.as_str())))?;
        sink.repeated(&guarded(row.profile_name().unwrap_or("")))?;
        sink.repeated(truth(Some(row.administrator)))?;
        rules.clear();
        for rule in flagged.of(user.index()) {
            rules.push_str(if rules.is_empty() { "" } else { ";" });
            rules.push_str(rule);
        }
        sink.repeated(&rules)?;
        sink.repeated(row.power().word())?;
        sink.cell(&guarded(zuid(&row)))?;
        sink.cell(stamp.of(user.created()))?;
        sink.cell(stamp.of(user.modified()))?;
        sink.repeated(&guarded(row.role.map_or("", |role| role.stated.name.as_deref().unwrap_or(UNKNOWN))))?;
        sink.repeated(&guarded(row.profile.map_or("", |profile| profile.stated.name.as_deref().unwrap_or(UNKNOWN))))?;
        sink.end_row()?;
    }
    Ok(())
}

/// A truth value in a table.
pub(super) fn truth(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => UNKNOWN,
    }
}

/// The vendor gives no `zuid` before the invitation is accepted.
fn zuid<'a>(row: &MatrixRow<'a>) -> &'a str {
    let absent = if row.user.confirmed() == Some(false) { NOT_APPLICABLE } else { UNKNOWN };
    row.user.zuid().unwrap_or(absent)
}

fn finding_row(input: &ReportInput<'_>, finding: &Finding, sink: &mut impl Sink) -> io::Result<()> {
    let (subject, id) = input.audit.subject_label(&finding.subject);
    sink.repeated(&guarded(&input.audit.workspace))?;
    sink.repeated(finding.severity.word())?;
    sink.repeated(&guarded(&finding.rule))?;
    sink.repeated(finding.subject.kind())?;
    sink.cell(&guarded(&id))?;
    sink.cell(&guarded(&subject))?;
    sink.cell(&guarded(&finding.message))?;
    sink.repeated(finding.status.word())?;
    sink.repeated(continuing(finding))?;
    sink.repeated(&guarded(&input.rule(&finding.rule).map(RuleInfo::criteria_text).unwrap_or_default()))?;
    let exception = match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => input.audit.policy.exceptions.get(place),
    };
    sink.repeated(&guarded(exception.map_or("", |exception| &exception.approved_by)))?;
    sink.repeated(&exception.map_or_else(String::new, |exception| exception.until.to_string()))?;
    sink.repeated(&guarded(exception.map_or("", |exception| &exception.reason)))?;
    let planned = finding.planned.and_then(|place| input.audit.policy.planned_fixes.get(place));
    sink.repeated(&planned.map_or_else(String::new, |fix| fix.until.to_string()))?;
    let owner = planned.map(|fix| &fix.owner).or_else(|| exception?.owner.as_ref());
    let ticket = planned.map_or_else(|| exception?.ticket.as_ref(), |fix| fix.ticket.as_ref());
    sink.repeated(&guarded(owner.map_or("", String::as_str)))?;
    sink.repeated(&guarded(ticket.map_or("", String::as_str)))?;
    sink.end_row()
}

/// Whether the previous audit had a finding too.
pub(super) fn continuing(finding: &Finding) -> &'static str {
    match finding.continuing {
        Some(true) => "continuing",
        Some(false) => "new",
        None => UNKNOWN,
    }
}

fn changes(input: &ReportInput<'_>, sink: &mut impl Sink) -> io::Result<()> {
    for change in &input.audit.drift.changes {
        sink.repeated(&guarded(&input.audit.workspace))?;
        sink.repeated(change.kind.word())?;
        sink.repeated(change.subject_type)?;
        sink.cell(&guarded(&change.subject_id))?;
        sink.cell(&guarded(&change.subject))?;
        sink.repeated(&guarded(change.field))?;
        sink.cell(&guarded(&change.before))?;
        sink.cell(&guarded(&change.after))?;
        sink.end_row()?;
    }
    Ok(())
}
