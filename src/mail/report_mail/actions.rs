//! Findings as things to do: one per rule, by when, the most urgent first; and who can do them.

use std::collections::HashSet;

use super::subject::is_new;
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    mail::text::{name, one_line},
    model::{
        audit::Audit,
        change::ChangeKind,
        email,
        finding::{Finding, Severity, Subject},
        users::UserIndex,
    },
    words::{count, number},
};

/// Subjects that one thing to do names.
const NAMED: usize = 3;
/// The longest name of a subject, in characters.
pub(super) const MAX_NAME: usize = 80;

/// The rule that finds a read incomplete. It is settled by whoever runs rolecall, to whom a sentence of its own
/// speaks.
const INCOMPLETE_READ: &str = "incomplete-read";
/// The longest advice, in characters.
const MAX_ADVICE: usize = 300;

/// What is to be done by one time.
#[derive(Debug)]
pub(super) struct Deadline {
    severity: Severity,
    pub(super) actions: Vec<Action>,
}

impl Deadline {
    /// By when.
    pub(super) fn when(&self) -> &'static str {
        match self.severity {
            Severity::Critical => "Now",
            Severity::High => "This week",
            Severity::Medium => "Before the next review",
            Severity::Low => "When convenient",
            Severity::Info => "To know",
        }
    }

    /// The word of the severity.
    pub(super) fn word(&self) -> &'static str {
        self.severity.word()
    }
}

/// One thing to do.
#[derive(Debug)]
pub(super) struct Action {
    /// The rule's title.
    pub(super) title: String,
    /// Whom or what it is about.
    pub(super) subjects: String,
    /// How many of them are new, in words; empty where none is.
    pub(super) new: String,
    /// How to do it; empty where that is not known.
    pub(super) advice: String,
}

/// The open findings by severity and rule, the gravest first, and how many of those are not shown. Those that ask
/// for nothing are no action.
pub(super) fn actions(audit: &Audit, limit: usize) -> (Vec<Deadline>, usize) {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let asks = |finding: &&Finding| finding.severity > Severity::Info && finding.rule != INCOMPLETE_READ;
    for finding in audit.open_findings().filter(asks) {
        let same = |group: &&mut Vec<&Finding>| group[0].rule == finding.rule && group[0].severity == finding.severity;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group[0].severity));
    let shown = groups.len().min(limit);
    let deadline = |groups: &[Vec<&Finding>]| Deadline {
        severity: groups[0][0].severity,
        actions: groups.iter().map(|group| action(audit, group)).collect(),
    };
    let deadlines = groups[..shown].chunk_by(|a, b| a[0].severity == b[0].severity).map(deadline).collect();
    (deadlines, groups.len() - shown)
}

/// A rule's title; its name if the audit does not know the rule.
pub(super) fn title<'t>(audit: &'t Audit, rule: &'t str) -> &'t str {
    audit.rules.get(rule).map_or(rule, |rule| &rule.title)
}

fn action(audit: &Audit, group: &[&Finding]) -> Action {
    let rule = &group[0].rule;
    let advice =
        audit.rules.get(rule).map(|rule| rule.advice(audit.directory.source.connector.product())).unwrap_or_default();
    let new = match group.iter().filter(|finding| is_new(finding)).count() {
        0 => String::new(),
        all if all == group.len() => "new".to_owned(),
        some => format!("{} new", number(some)),
    };
    Action {
        title: name(title(audit, rule), MAX_NAME),
        subjects: subjects(audit, group),
        new,
        // Its marks around names of settings are for pages.
        advice: one_line(&advice.replace('`', ""), MAX_ADVICE),
    }
}

/// The first subjects, new ones before the rest and namesakes once, and how many more there are.
fn subjects(audit: &Audit, group: &[&Finding]) -> String {
    if group.iter().all(|finding| finding.subject == Subject::Workspace) {
        return "the workspace as a whole".to_owned();
    }
    let (new, known): (Vec<&Finding>, Vec<&Finding>) = group.iter().partition(|finding| is_new(finding));
    let mut named: Vec<(String, usize)> = Vec::new();
    for finding in new.iter().chain(&known).take(NAMED) {
        let label = name(&audit.subject_label(&finding.subject).0, MAX_NAME);
        match named.iter_mut().find(|(known, _)| *known == label) {
            Some((_, times)) => *times += 1,
            None => named.push((label, 1)),
        }
    }
    let times = |(label, times): &(String, usize)| match times {
        1 => label.clone(),
        2 => format!("{label} (twice)"),
        more => format!("{label} ({more} times)"),
    };
    let labels: Vec<String> = named.iter().map(times).collect();
    match (labels.as_slice(), group.len() - group.len().min(NAMED)) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (all, 0) => all.concat(),
        (some, more) => format!("{} and {} more", some.join(", "), number(more)),
    }
}

/// Who can do it: administrators of the workspace that are active, confirmed, approved where a list says who is,
/// in no grave finding themselves, and not new in that power, which is to be looked at first.
pub(super) fn actors(audit: &Audit, matrix: &AccessMatrix<'_>) -> String {
    let grave: HashSet<UserIndex> = audit
        .open_findings()
        .filter(|finding| finding.severity >= Severity::High)
        .filter_map(|finding| if let Subject::User(index) = finding.subject { Some(index) } else { None })
        .collect();
    let granted: HashSet<&str> = audit
        .drift
        .changes
        .iter()
        .filter(|change| change.kind == ChangeKind::AdministratorGranted)
        .map(|change| change.subject_id.as_str())
        .collect();
    let trusted = |row: &MatrixRow<'_>| {
        let approved = audit.policy.approved_administrators.as_ref().is_none_or(|approved| {
            row.user.email().is_some_and(|address| approved.contains(&email::comparable(address)))
        });
        row.is_active_administrator()
            && row.user.confirmed() != Some(false)
            && approved
            && !grave.contains(&row.user.index())
            && !granted.contains(row.user.id())
    };
    let all: Vec<MatrixRow<'_>> = matrix.rows().filter(trusted).collect();
    let named: Vec<String> = all.iter().take(NAMED).map(|row| name(row.user.label(), MAX_NAME)).collect();
    match (named.len(), all.len() - named.len()) {
        (0, _) => "An administrator of the workspace".to_owned(),
        (1, _) => named.concat(),
        (_, 0) => format!("One of {}", either(&named)),
        (_, more) => format!("One of {} or {}", named.join(", "), count(more, "other administrator")),
    }
}

/// `Ana, Ola or Eve`.
fn either(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        all => all.concat(),
    }
}
