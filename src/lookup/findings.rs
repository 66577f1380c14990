//! Findings of an audit, as rows.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{
    audit::Audit,
    exception::AboutFindings as _,
    finding::{Finding, FindingStatus},
};

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingRow {
    /// The rule that found it; `explain_finding` says what it means.
    pub rule: String,
    /// critical, high, medium, low or info.
    pub severity: &'static str,
    /// `open`, or `excepted` if it is accepted by an exception.
    pub status: &'static str,
    /// What it is about: workspace, user, role or profile.
    pub subject_type: &'static str,
    /// The subject's id.
    pub subject_id: String,
    /// The subject as a person would name it.
    pub subject: String,
    /// What was found.
    pub message: String,
    /// Whether the previous audit had it too; null if there was no previous audit.
    pub continuing: Option<bool>,
    /// Who accepted it, why and until when; null if it is open.
    pub exception: Option<ExceptionRow>,
    /// By when and by whom it is planned to be fixed; null if that is not planned. It is open until it is fixed.
    pub planned_fix: Option<PlannedFixRow>,
}

/// When a finding is planned to be fixed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedFixRow {
    /// Who fixes it.
    pub owner: String,
    /// What will be done.
    pub reason: String,
    /// The day by which it is fixed.
    pub until: NaiveDate,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// Whether that day is over.
    pub overdue: bool,
}

/// The exception that accepts a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExceptionRow {
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// The last day of the exception.
    pub until: NaiveDate,
    /// Where it was requested.
    pub ticket: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
}

impl FindingRow {
    /// A finding of an audit.
    pub fn of(audit: &Audit, finding: &Finding) -> Self {
        let (subject, subject_id) = audit.subject_label(&finding.subject);
        let exception = match finding.status {
            FindingStatus::Open => None,
            FindingStatus::Excepted(place) => audit.policy.exceptions.get(place),
        };
        let planned = finding.planned.and_then(|place| audit.policy.planned_fixes.get(place));
        Self {
            rule: finding.rule.to_string(),
            severity: finding.severity.word(),
            status: finding.status.word(),
            subject_type: finding.subject.kind(),
            subject_id,
            subject,
            message: finding.message.clone().into_owned(),
            continuing: finding.continuing,
            exception: exception.map(|exception| ExceptionRow {
                approved_by: exception.approved_by.clone(),
                reason: exception.reason.clone(),
                until: exception.until,
                ticket: exception.ticket.clone(),
                owner: exception.owner.clone(),
            }),
            planned_fix: planned.map(|fix| PlannedFixRow {
                owner: fix.owner.clone(),
                reason: fix.reason.clone(),
                until: fix.until,
                ticket: fix.ticket.clone(),
                overdue: fix.is_over(audit.judged_at.date_naive()),
            }),
        }
    }
}
