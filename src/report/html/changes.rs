//! The changes, one row each.

use super::text::{Budget, LABEL, PROSE, Part, shown};
use crate::{model::change::Change, report::ReportInput};

/// Changes that the page shows.
const CHANGES: usize = 1000;
/// Bytes that the changes may take.
const CHANGES_BYTES: usize = 600_000;

/// One change.
pub(super) struct ChangeRow {
    pub(super) subject: String,
    pub(super) phrase: &'static str,
    pub(super) id: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// The changes, the most important first.
pub(super) fn changes(input: &ReportInput<'_>) -> Part<ChangeRow> {
    Part::of(
        input.audit.drift.changes.iter(),
        CHANGES,
        Budget::new(CHANGES_BYTES),
        |change| row(input, change),
        |row| vec![&row.subject, &row.id, &row.before, &row.after],
    )
}

fn row(input: &ReportInput<'_>, change: &Change) -> ChangeRow {
    let id = shown(&change.subject_id, LABEL);
    ChangeRow {
        subject: subject(input, change),
        phrase: change.phrase(),
        id: if is_about_a_finding(change) { id } else { format!("{} {id}", change.subject_type) },
        before: shown(&change.before, PROSE),
        after: shown(&change.after, PROSE),
    }
}

fn is_about_a_finding(change: &Change) -> bool {
    change.kind.is_of_finding()
}

/// The subject of a change for people: of a finding, the rule's title in place of its name.
fn subject(input: &ReportInput<'_>, change: &Change) -> String {
    let titled = || {
        let (rule, label) = change.subject.split_once(": ")?;
        Some(format!("{}: {label}", input.rule(rule)?.title))
    };
    let titled = if is_about_a_finding(change) { titled() } else { None };
    shown(titled.as_deref().unwrap_or(&change.subject), LABEL * 2)
}
