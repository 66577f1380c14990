//! What the open findings ask for: one entry for each rule, the most urgent first.

use std::{collections::HashMap, fmt};

use super::{
    actors::{Actors, Who},
    is_new, title,
};
use crate::{
    access::matrix::AccessMatrix,
    model::{
        audit::Audit,
        finding::{Finding, Severity, Subject},
    },
    words::{self, number},
};

/// Subjects that an action names.
const NAMED: usize = 3;

/// What a rule's open findings ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The rule's name.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// How to resolve it; names of settings and files are in backticks.
    pub advice: String,
    /// The highest severity among its open findings.
    pub severity: Severity,
    /// Its open findings.
    pub open: usize,
    /// How many of them the previous audit did not have; 0 if there was none.
    pub new: usize,
    /// The subjects: `Dana Reyes, Ola Berg and 3 more`, new ones first.
    pub subjects: String,
    /// Who should resolve it; never one of the subjects.
    pub who: Who,
}

/// By when something should be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By(Severity);

impl By {
    fn when(self) -> &'static str {
        match self.0 {
            Severity::Critical => "Now",
            Severity::High => "This week",
            Severity::Medium => "Before the next review",
            Severity::Low => "When convenient",
            Severity::Info => "For information",
        }
    }

    /// The severity that asks for it.
    pub fn severity(self) -> Severity {
        self.0
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.when(), self.0)
    }
}

impl Action {
    /// By when to resolve it.
    pub fn by(&self) -> By {
        By(self.severity)
    }

    /// What of it is new: `new`, `2 new`, or nothing.
    pub fn news(&self) -> String {
        match self.new {
            0 => String::new(),
            all if all == self.open => "new".to_owned(),
            some => format!("{} new", number(some)),
        }
    }
}

/// The findings of one rule.
struct Group<'a> {
    severity: Severity,
    findings: Vec<&'a Finding>,
}

pub(super) fn actions(audit: &Audit, matrix: &AccessMatrix<'_>) -> Vec<Action> {
    let actors = Actors::of(audit, matrix);
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for finding in audit.open_findings().filter(|finding| finding.severity > Severity::Info) {
        let place = *places.entry(finding.rule.as_str()).or_insert_with(|| {
            groups.push(Group { severity: finding.severity, findings: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.severity = group.severity.max(finding.severity);
        group.findings.push(finding);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.severity));
    groups.iter().map(|group| action(audit, &actors, group)).collect()
}

fn action(audit: &Audit, actors: &Actors<'_>, group: &Group<'_>) -> Action {
    let findings = &group.findings;
    let rule = findings.first().map_or("", |finding| finding.rule.as_str());
    let product = audit.directory.source.connector.product();
    Action {
        rule: rule.to_owned(),
        title: title(audit, rule).to_owned(),
        advice: audit.rules.get(rule).map(|rule| rule.advice(product)).unwrap_or_default(),
        severity: group.severity,
        open: findings.len(),
        new: findings.iter().filter(|finding| is_new(finding)).count(),
        subjects: subjects(audit, findings),
        who: actors.for_findings(rule, findings),
    }
}

/// The first subjects, new ones before the rest, and how many more there are.
fn subjects(audit: &Audit, findings: &[&Finding]) -> String {
    if findings.iter().all(|finding| finding.subject == Subject::Workspace) {
        return "the workspace as a whole".to_owned();
    }
    let new = findings.iter().filter(|finding| is_new(finding));
    let known = findings.iter().filter(|finding| !is_new(finding));
    let named: Vec<String> = new
        .chain(known)
        .take(NAMED)
        .map(|finding| super::short(&audit.subject_label(&finding.subject).0).into_owned())
        .collect();
    words::list(&named, findings.len())
}
