//! How tools identify findings.

use crate::model::{audit::Audit, finding::Finding};

/// Identifies a finding within an audit.
pub(super) fn key(audit: &Audit, finding: &Finding) -> String {
    format!("{} {} {}", finding.rule, finding.subject.kind(), audit.subject_label(&finding.subject).1)
}
