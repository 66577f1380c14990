//! The subject: the result and the change in one line.

use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    mail::text::name,
    model::{
        audit::Audit,
        change::ChangeKind,
        finding::{Finding, Severity},
    },
    words::count,
};

/// The longest name of a job or a workspace in a subject, in characters.
const MAX_NAME: usize = 40;

/// What changed since the previous audit, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) granted: usize,
    pub(super) revoked: usize,
    /// Changes that are neither about administrators nor about findings.
    pub(super) other: usize,
    /// Open findings that the previous audit did not have.
    pub(super) new_findings: usize,
    pub(super) resolved: usize,
}

impl Delta {
    /// None for a first audit.
    pub(super) fn of(audit: &Audit) -> Option<Self> {
        audit.drift.previous.as_ref()?;
        let of_kind = |kind| audit.drift.changes.iter().filter(|change| change.kind == kind).count();
        let (granted, revoked) = (of_kind(ChangeKind::AdministratorGranted), of_kind(ChangeKind::AdministratorRevoked));
        let (new, resolved) = (of_kind(ChangeKind::FindingNew), of_kind(ChangeKind::FindingResolved));
        Some(Self {
            granted,
            revoked,
            other: audit.drift.changes.len() - granted - revoked - new - resolved,
            new_findings: audit.open_findings().filter(|finding| is_new(finding)).count(),
            resolved,
        })
    }

    /// Whether nothing changed at all.
    pub(super) fn is_none(self) -> bool {
        self == Self { granted: 0, revoked: 0, other: 0, new_findings: 0, resolved: 0 }
    }

    /// The parts of it that are not zero, as phrases.
    pub(super) fn phrases(self) -> Vec<String> {
        let mut phrases = Vec::new();
        if self.granted > 0 {
            phrases.push(format!("+{}", count(self.granted, "administrator")));
        }
        if self.revoked > 0 {
            phrases.push(format!("-{}", count(self.revoked, "administrator")));
        }
        if self.new_findings > 0 {
            phrases.push(format!("{} new", count(self.new_findings, "finding")));
        }
        if self.resolved > 0 {
            phrases.push(format!("{} resolved", self.resolved));
        }
        if self.other > 0 {
            phrases.push(count(self.other, if phrases.is_empty() { "change" } else { "other change" }));
        }
        phrases
    }
}

/// Whether a finding counts as new: there was a previous audit and it did not have it.
pub(super) fn is_new(finding: &Finding) -> bool {
    finding.continuing == Some(false)
}

/// `1 critical, 3 high`: the open findings to act on; none where there are none as grave as that.
fn gravest(audit: &Audit) -> Option<String> {
    let counts = audit.open_by_severity();
    let grave = counts.iter().filter(|(severity, open)| *severity >= Severity::High && *open > 0);
    let phrases: Vec<String> = grave.map(|(severity, open)| format!("{open} {severity}")).collect();
    (!phrases.is_empty()).then(|| phrases.join(", "))
}

/// The subject: `[rolecall] acme: +1 administrator, 2 findings new (open: 3 high) – weekly-access-review`.
pub(super) fn subject(audit: &Audit, matrix: &AccessMatrix<'_>) -> String {
    let complete = audit.directory.reading.is_complete();
    let open = audit.open_findings().count();
    let at_least = if complete { "" } else { "at least " };
    let standing = match open {
        0 if complete => "no open findings".to_owned(),
        0 => "cannot say that nothing is wrong".to_owned(),
        _ => {
            let brackets = gravest(audit).map(|grave| format!(" ({grave})")).unwrap_or_default();
            format!("{at_least}{} open{brackets}", count(open, "finding"))
        }
    };
    let result = match Delta::of(audit) {
        None => {
            let administrators = matrix.rows().filter(MatrixRow::is_active_administrator).count();
            format!("first audit, {}, {standing}", count(administrators, "administrator"))
        }
        Some(delta) if delta.is_none() => {
            let unchanged = if complete { "no change" } else { "no change seen" };
            format!("{unchanged}, {standing}")
        }
        Some(delta) if delta.new_findings > 0 && complete => {
            let brackets = gravest(audit).map(|grave| format!(" (open: {grave})")).unwrap_or_default();
            format!("{}{brackets}", delta.phrases().join(", "))
        }
        Some(delta) => format!("{}, {standing}", delta.phrases().join(", ")),
    };
    let mark = if complete { "" } else { "INCOMPLETE " };
    let job = audit.job.as_deref().map(|job| format!(" – {}", name(job, MAX_NAME))).unwrap_or_default();
    format!("[rolecall] {mark}{}: {result}{job}", name(&audit.workspace, MAX_NAME))
}
