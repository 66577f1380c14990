//! The findings, by rule, and the changes.

use std::collections::HashMap;

use super::text::{Budget, LABEL, PROSE, Part, Span, moment, shown, spans};
use crate::{
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
        finding::{Finding, FindingStatus, Severity, Subject},
        rule::RuleName,
    },
    report::{ReportInput, summary},
    words::{count, number},
};

/// Findings that the page shows.
const FINDINGS: usize = 2000;
/// Bytes that the findings may take.
const FINDINGS_BYTES: usize = 1_400_000;
/// Changes that the page shows.
const CHANGES: usize = 1000;
/// Bytes that the changes may take.
const CHANGES_BYTES: usize = 600_000;

/// The findings of one rule.
pub(super) struct Group {
    pub(super) rule: RuleName,
    pub(super) title: String,
    pub(super) criterion: Option<String>,
    /// How to fix it; empty where that stands under “What to do”.
    pub(super) advice: Vec<Span>,
    /// The gravest among them.
    pub(super) severity: Severity,
    pub(super) open: usize,
    pub(super) excepted: usize,
    pub(super) rows: Vec<FindingRow>,
    /// Whether they differ in severity, so that each must tell its own.
    pub(super) mixed: bool,
    /// Findings that the page does not show.
    pub(super) hidden: usize,
}

/// One finding.
pub(super) struct FindingRow {
    pub(super) severity: Severity,
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) id: String,
    pub(super) message: String,
    pub(super) new: bool,
    /// Who accepted it, why and until when; none where it is open.
    pub(super) accepted: Option<String>,
}

/// Findings by rule, the gravest first; and how many there are and are shown.
pub(super) fn groups(input: &ReportInput<'_>) -> (Vec<Group>, Part<()>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut budget = Budget::new(FINDINGS_BYTES);
    let mut left = FINDINGS;
    let findings = &input.audit.findings;
    for finding in findings {
        let place = *places.entry(&finding.rule).or_insert_with(|| {
            groups.push(group(input, finding));
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.mixed |= finding.severity != group.severity;
        if finding.is_open() && finding.severity > Severity::Info {
            group.advice.clear();
        }
        if finding.is_open() {
            group.open += 1;
        } else {
            group.excepted += 1;
        }
        if left > 0 {
            let row = row(input, finding);
            let accepted = row.accepted.as_deref().unwrap_or("");
            if budget.take(&[&row.subject, &row.id, &row.message, accepted]) {
                group.rows.push(row);
                left -= 1;
                continue;
            }
            // The gravest come first: once one does not fit, none that is less grave takes its place.
            left = 0;
        }
        group.hidden += 1;
    }
    groups.sort_by_key(|group| (group.open == 0, std::cmp::Reverse(group.severity)));
    let hidden = groups.iter().map(|group| group.hidden).sum();
    (groups, Part { rows: Vec::new(), all: findings.len(), hidden })
}

fn group(input: &ReportInput<'_>, finding: &Finding) -> Group {
    Group {
        rule: finding.rule.clone(),
        title: input.rule_title(&finding.rule).to_owned(),
        criterion: input.rule(&finding.rule).map(|rule| rule.criteria_text().into_owned()),
        advice: input.advice(&finding.rule).map_or_else(Vec::new, |advice| spans(&advice)),
        severity: finding.severity,
        open: 0,
        excepted: 0,
        rows: Vec::new(),
        mixed: false,
        hidden: 0,
    }
}

fn row(input: &ReportInput<'_>, finding: &Finding) -> FindingRow {
    let (subject, id) = input.audit.subject_label(&finding.subject);
    let exception = match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => Some(input.audit.policy.exceptions.get(place)),
    };
    let accepted = exception.map(|exception| match exception {
        Some(exception) => format!(
            "Accepted by {} until {}: {}",
            shown(&exception.approved_by, LABEL),
            exception.until,
            shown(&exception.reason, PROSE)
        ),
        None => "Accepted by an exception that the policy no longer has".to_owned(),
    });
    FindingRow {
        severity: finding.severity,
        kind: finding.subject.kind(),
        subject: shown(&subject, LABEL),
        // A workspace has no id but its name.
        id: if finding.subject == Subject::Workspace { String::new() } else { shown(&id, LABEL) },
        message: shown(&finding.message, PROSE),
        new: finding.continuing == Some(false),
        accepted,
    }
}

/// How many changes are about access, and how many about findings.
pub(super) struct ChangeCounts {
    pub(super) access: usize,
    pub(super) new: usize,
    pub(super) resolved: usize,
}

impl ChangeCounts {
    pub(super) fn of(audit: &Audit) -> Self {
        let of_kind = |kind| audit.drift.changes.iter().filter(|change| change.kind == kind).count();
        let (new, resolved) = (of_kind(ChangeKind::FindingNew), of_kind(ChangeKind::FindingResolved));
        Self { access: audit.drift.changes.len() - new - resolved, new, resolved }
    }

    pub(super) fn words(&self) -> String {
        let access = match self.access {
            0 => "No change of users, roles and profiles".to_owned(),
            access => format!("{} of users, roles and profiles", count(access, "change")),
        };
        let findings = match (self.new, self.resolved) {
            (0, 0) => String::new(),
            (new, 0) => format!("; {}", count(new, "new finding")),
            (0, resolved) => format!("; {}", count(resolved, "resolved finding")),
            (new, resolved) => {
                format!("; {}, {} resolved", count(new, "new finding"), number(resolved))
            }
        };
        access + &findings
    }
}

/// Whether a change is one of access, and not of what is found of it.
fn is_of_access(change: &Change) -> bool {
    !matches!(change.kind, ChangeKind::FindingNew | ChangeKind::FindingResolved)
}

/// The subject of a change for people: of a finding, the rule's title in place of its name.
fn subject(input: &ReportInput<'_>, change: &Change) -> String {
    let titled = || {
        let (rule, label) = change.subject.split_once(": ")?;
        Some(format!("{}: {label}", input.rule(rule)?.title))
    };
    let titled = if is_of_access(change) { None } else { titled() };
    shown(titled.as_deref().unwrap_or(&change.subject), LABEL * 2)
}

/// A change as one sentence. What a finding says stands with the finding.
pub(super) fn sentence(input: &ReportInput<'_>, change: &Change) -> String {
    match change.kind {
        ChangeKind::FindingNew => format!("New finding: {}", subject(input, change)),
        ChangeKind::FindingResolved => format!("Resolved: {}", subject(input, change)),
        _ => shown(&summary::change_sentence(change), PROSE),
    }
}

/// One change.
pub(super) struct ChangeRow {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) phrase: &'static str,
    pub(super) id: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// The changes, the weightiest first.
pub(super) fn changes(input: &ReportInput<'_>) -> Part<ChangeRow> {
    Part::of(
        input.audit.drift.changes.iter(),
        CHANGES,
        Budget::new(CHANGES_BYTES),
        |change| ChangeRow {
            kind: change.kind.word(),
            subject: subject(input, change),
            phrase: change.kind.phrase(),
            id: if is_of_access(change) {
                format!("{} {}", change.subject_type, shown(&change.subject_id, LABEL))
            } else {
                shown(&change.subject_id, LABEL)
            },
            before: shown(&change.before, PROSE),
            after: shown(&change.after, PROSE),
        },
        |row| vec![&row.subject, &row.id, &row.before, &row.after],
    )
}

/// The audit that was compared with, for people.
pub(super) fn compared_with(input: &ReportInput<'_>) -> Option<String> {
    input.audit.drift.previous.as_ref().map(|previous| {
        format!(
            "audit {} of {}: {}, {}",
            shown(&previous.id, LABEL),
            moment(previous.finished_at),
            count(previous.users, "user"),
            count(previous.administrators, "administrator"),
        )
    })
}
