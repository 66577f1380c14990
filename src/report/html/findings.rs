//! The findings, by rule.

use std::collections::HashMap;

use super::text::{Budget, LABEL, PROSE, Part, Span, shown, spans};
use crate::{
    model::{
        finding::{Finding, FindingStatus, Severity, Subject},
        rule_name::RuleName,
    },
    report::ReportInput,
};

/// Findings that the page shows.
const FINDINGS: usize = 2000;
/// Bytes that the findings may take.
const FINDINGS_BYTES: usize = 1_400_000;

/// The findings of one rule.
pub(super) struct Group {
    pub(super) rule: RuleName,
    pub(super) title: String,
    pub(super) criterion: Option<String>,
    /// How to resolve it; empty if “Who should do what” says that.
    pub(super) advice: Vec<Span>,
    /// The highest severity among them.
    pub(super) severity: Severity,
    pub(super) open: usize,
    pub(super) accepted: usize,
    pub(super) rows: Vec<FindingRow>,
    /// Whether they differ in severity, so that each row names its own.
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
    /// Who accepted it, why and until when; `None` if it is open.
    pub(super) accepted: Option<String>,
}

/// Findings by rule, the most severe first; and how many there are and are shown.
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
            group.accepted += 1;
        }
        if left > 0 {
            let row = row(input, finding);
            let accepted = row.accepted.as_deref().unwrap_or("");
            if budget.take(&[&row.subject, &row.id, &row.message, accepted]) {
                group.rows.push(row);
                left -= 1;
                continue;
            }
            // The most severe come first: once one does not fit, no less severe one takes its place.
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
        accepted: 0,
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
        // A workspace has no other id than its name.
        id: if finding.subject == Subject::Workspace { String::new() } else { shown(&id, LABEL) },
        message: shown(&finding.message, PROSE),
        new: finding.continuing == Some(false),
        accepted,
    }
}
