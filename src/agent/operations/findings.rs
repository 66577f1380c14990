//! Findings as tools give them.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{
    audit::Audit,
    finding::{Finding, FindingStatus},
};

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FindingRow {
    /// The rule that found it; `explain_finding` says what it means.
    rule: String,
    /// critical, high, medium, low or info.
    severity: &'static str,
    /// `open`, or `excepted` if it is accepted by an exception.
    status: &'static str,
    /// What it is about: workspace, user, role or profile.
    subject_type: &'static str,
    /// The subject's id.
    subject_id: String,
    /// The subject as a person would name it.
    subject: String,
    /// What was found.
    message: String,
    /// Whether the previous audit had it too; null if there was no previous audit.
    continuing: Option<bool>,
    /// Who accepted it, why and until when; null if it is open.
    exception: Option<ExceptionRow>,
}

/// The exception that accepts a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ExceptionRow {
    /// Who approved it.
    approved_by: String,
    /// Why.
    reason: String,
    /// The last day of the exception.
    until: NaiveDate,
}

impl FindingRow {
    pub(super) fn of(audit: &Audit, finding: &Finding) -> Self {
        let (subject, subject_id) = audit.subject_label(&finding.subject);
        let exception = match finding.status {
            FindingStatus::Open => None,
            FindingStatus::Excepted(place) => audit.policy.exceptions.get(place),
        };
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
            }),
        }
    }
}

/// Identifies a finding within an audit.
pub(super) fn key(audit: &Audit, finding: &Finding) -> String {
    format!("{} {} {}", finding.rule, finding.subject.kind(), audit.subject_label(&finding.subject).1)
}
