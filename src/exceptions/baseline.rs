//! The exceptions for everything that is open today, so that a company can begin.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::NaiveDate;

use super::{
    lines::{comment, last_day, plain, table},
    matching::WORKSPACE,
};
use crate::{
    model::{
        exception::{Exception, PROTECTED},
        pattern::exactly,
    },
    words::{count, counted},
};

/// Why a baseline accepts a finding.
const REASON: &str = "accepted at adoption";

/// An open finding of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFinding {
    /// The rule that found it.
    pub rule: String,
    /// The subject as an exception writes it, by id.
    pub subject: String,
    /// The subject as a person would name it.
    pub label: String,
    /// The workspace.
    pub workspace: String,
}

impl OpenFinding {
    /// An open finding about a subject, by its kind and id.
    pub fn new(rule: &str, kind: &str, id: &str, label: &str, workspace: &str) -> Self {
        let is_workspace = kind == WORKSPACE;
        Self {
            rule: rule.to_owned(),
            subject: if is_workspace { WORKSPACE.to_owned() } else { exactly(id) },
            label: if is_workspace { String::new() } else { format!("{kind} {}", plain(label)) },
            workspace: workspace.to_owned(),
        }
    }
}

/// Who accepts what is open, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'a> {
    /// Who approved it.
    pub approved_by: &'a str,
    /// The day of the audit.
    pub open_on: NaiveDate,
    /// The day of the approval.
    pub today: NaiveDate,
    /// How many days the exceptions last.
    pub days: i64,
    /// The most that the policy allows.
    pub max_exception_days: i64,
}

/// The exceptions for open findings, as tables of a configuration.
pub fn baseline(findings: &[OpenFinding], of: &Baseline<'_>) -> String {
    let until = last_day(of.today, of.days, of.max_exception_days);
    let mut accepted: BTreeMap<(&str, &str, &str), (&str, usize)> = BTreeMap::new();
    let (protected, open): (Vec<&OpenFinding>, Vec<&OpenFinding>) =
        findings.iter().partition(|finding| PROTECTED.contains(&finding.rule.as_str()));
    for finding in open {
        accepted.entry((&finding.workspace, &finding.rule, &finding.subject)).or_insert((&finding.label, 0)).1 += 1;
    }
    let mut text = format!(
        "# {} for what was open on {}. Review each before {until}: after that day its findings are open again.\n",
        count(accepted.len(), "exception"),
        of.open_on
    );
    if !protected.is_empty() {
        let left = counted(protected.len(), "finding stays", "findings stay");
        let rules = PROTECTED.join(" or ");
        let _ = writeln!(text, "# {left} open: a baseline does not accept findings of {rules}.");
    }
    for ((workspace, rule, subject), (label, findings)) in accepted {
        let exception = Exception {
            rule: rule.to_owned(),
            subject: subject.to_owned(),
            workspace: Some(workspace.to_owned()),
            approved_by: of.approved_by.to_owned(),
            reason: REASON.to_owned(),
            until,
            ..Exception::default()
        };
        text.push('\n');
        text.push_str(&table(&exception, &comment(label, findings)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_exception_for_several_findings_of_a_rule_about_a_subject_says_so() {
        let open = |rule: &str, id: &str| OpenFinding::new(rule, "user", id, "Ana Lima", "acme");
        let workspace = |rule: &str| OpenFinding::new(rule, "workspace", "acme", "acme", "acme");
        let findings = [
            open("conflicting-access", "7"),
            open("conflicting-access", "7"),
            open("no-role", "7"),
            workspace("unmatched-policy-entry"),
            workspace("unmatched-policy-entry"),
        ];
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let of = Baseline {
            approved_by: "bo@example.com",
            open_on: day("2026-10-01"),
            today: day("2026-10-02"),
            days: 90,
            max_exception_days: 365,
        };
        let text = baseline(&findings, &of);
        assert!(text.starts_with("# 3 exceptions for what was open on 2026-10-01."), "{text}");
        let subjects: Vec<&str> = text.lines().filter(|line| line.starts_with("subject")).collect();
        let expected = [
            "subject = \"7\"  # user Ana Lima; accepts all 2 findings of this rule about it",
            "subject = \"7\"  # user Ana Lima",
            "subject = \"workspace\"  # accepts all 2 findings of this rule about it",
        ];
        assert_eq!(subjects, expected);
    }
}
