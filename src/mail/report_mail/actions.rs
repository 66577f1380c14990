//! Findings as things to do: one per rule, the most urgent first, and who can do them.

use std::collections::HashSet;

use super::{RuleTitle, lists::Bounded};
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    mail::text::{count, name},
    model::{
        audit::Audit,
        email,
        finding::{Finding, Severity, Subject},
        users::UserIndex,
    },
};

/// Subjects that one thing to do names.
const NAMED: usize = 3;
/// The longest name of a subject, in characters.
pub(super) const MAX_NAME: usize = 80;

/// One thing to do.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) severity: Severity,
    /// The rule's title.
    pub(super) title: String,
    /// Whom or what it is about.
    pub(super) subjects: String,
}

impl Action {
    /// By when.
    pub(super) fn when(&self) -> &'static str {
        when(self.severity)
    }

    /// The word of the severity.
    pub(super) fn word(&self) -> &'static str {
        self.severity.word()
    }
}

/// By when a finding of this severity wants to be acted on.
fn when(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Now",
        Severity::High => "This week",
        Severity::Medium => "Before the next review",
        Severity::Low => "When convenient",
        Severity::Info => "To know",
    }
}

/// The open findings by severity and rule, the gravest first. Those that ask for nothing are no action.
pub(super) fn actions(audit: &Audit, title: RuleTitle<'_>, limit: usize) -> Bounded<Action> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in audit.open_findings().filter(|finding| finding.severity > Severity::Info) {
        let same = |group: &&mut Vec<&Finding>| group[0].rule == finding.rule && group[0].severity == finding.severity;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group[0].severity));
    Bounded::new(&groups, limit, |group| Action {
        severity: group[0].severity,
        title: name(title(group[0].rule), MAX_NAME),
        subjects: subjects(audit, group),
    })
}

fn subjects(audit: &Audit, group: &[&Finding]) -> String {
    if group.iter().all(|finding| finding.subject == Subject::Workspace) {
        return "the workspace as a whole".to_owned();
    }
    let named: Vec<String> =
        group.iter().take(NAMED).map(|finding| name(&audit.subject_label(&finding.subject).0, MAX_NAME)).collect();
    match group.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Who can do it: administrators of the workspace that are active, confirmed, approved where a list says who is,
/// and in no grave finding themselves.
pub(super) fn actors(audit: &Audit, matrix: &AccessMatrix<'_>) -> String {
    let grave: HashSet<UserIndex> = audit
        .open_findings()
        .filter(|finding| finding.severity >= Severity::High)
        .filter_map(|finding| if let Subject::User(index) = finding.subject { Some(index) } else { None })
        .collect();
    let trusted = |row: &MatrixRow<'_>| {
        let approved = audit.policy.approved_administrators.as_ref().is_none_or(|approved| {
            row.user.email().is_some_and(|address| approved.contains(&email::comparable(address)))
        });
        row.is_active_administrator()
            && row.user.confirmed() != Some(false)
            && approved
            && !grave.contains(&row.user.index())
    };
    let all: Vec<MatrixRow<'_>> = matrix.rows().filter(trusted).collect();
    let named: Vec<String> = all.iter().take(NAMED).map(|row| name(row.user.label(), MAX_NAME)).collect();
    match (named.len(), all.len() - named.len()) {
        (0, _) => "An administrator of the workspace".to_owned(),
        (1, _) => named.concat(),
        (_, 0) => format!("One of {}", named.join(", ")),
        (_, more) => format!("One of {} and {}", named.join(", "), count(more, "other administrator")),
    }
}
