//! What an audit says beyond its matrix: the same from an audit and from its `report.json`.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    model::{
        bag::BagName,
        change::ChangeKind,
        finding::{Finding, FindingStatus, RuleOutcome, RuleResult, Severity},
        rule::RuleInfo,
    },
    report::ReportInput,
};

/// A report cannot be read again.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// It is not a report.json.
    #[error("it is not a report.json of rolecall: {0}")]
    Json(#[from] serde_json::Error),
    /// A later rolecall made it.
    #[error("its schema_version is {0}; expected 1")]
    Version(String),
}

/// What an audit says. The names are those of `report.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AuditFacts {
    pub(super) audit_id: Uuid,
    pub(super) job: Option<String>,
    pub(super) workspace: String,
    pub(super) judged_at: DateTime<Utc>,
    pub(super) complete: bool,
    pub(super) generator: Generator,
    pub(super) summary: Summary,
    pub(super) source: Source,
    pub(super) organization: Organization,
    pub(super) reading: Reading,
    pub(super) findings: Vec<Found>,
    /// Of the changes, those that are about a finding that is gone.
    pub(super) changes: Vec<Changed>,
    pub(super) rules: Vec<RuleFacts>,
    pub(super) policy: PolicyFacts,
    /// The evidence; `None` if there is none, or if it is not sealed yet.
    #[serde(skip)]
    pub(super) bag: Option<BagName>,
}

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Generator {
    pub(super) version: String,
}

/// The answer in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Summary {
    pub(super) verdict: String,
}

/// The API that was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Source {
    pub(super) connector: String,
    pub(super) api_url: String,
}

/// The organization that the workspace belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Organization {
    pub(super) id: Option<String>,
    pub(super) company_name: Option<String>,
}

/// When it was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Reading {
    pub(super) started_at: DateTime<Utc>,
    pub(super) finished_at: DateTime<Utc>,
}

/// The policy that was applied. Reports of an older rolecall do not name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct PolicyFacts {
    pub(super) name: Option<String>,
    pub(super) sha256: Option<String>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Found {
    pub(super) severity: Severity,
    pub(super) rule: String,
    pub(super) criterion: Option<String>,
    pub(super) subject_type: String,
    pub(super) subject_id: String,
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) status: String,
    pub(super) continuing: Option<bool>,
    pub(super) exception: Option<Accepted>,
    pub(super) planned_fix: Option<Planned>,
}

/// Why a finding is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Accepted {
    pub(super) approved_by: String,
    pub(super) reason: String,
    pub(super) until: NaiveDate,
}

/// When a finding will be fixed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Planned {
    pub(super) owner: String,
    pub(super) until: NaiveDate,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Changed {
    change: String,
    subject_id: String,
    subject: String,
    before: String,
}

/// How a rule ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RuleFacts {
    pub(super) rule: String,
    pub(super) title: Option<String>,
    pub(super) criterion: Option<String>,
    pub(super) result: Ended,
    pub(super) open: usize,
    pub(super) not_evaluated: Option<String>,
    pub(super) off_because: Option<String>,
}

/// The result of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ended {
    Passed,
    Failed,
    NotEvaluated,
    SwitchedOff,
}

/// A finding of the previous audit that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone<'a> {
    pub(super) rule: &'a str,
    pub(super) subject_type: &'a str,
    pub(super) subject_id: &'a str,
    pub(super) subject: &'a str,
    pub(super) message: &'a str,
    /// Whether it is resolved; if not, the policy no longer counts it.
    pub(super) is_resolved: bool,
}

impl Changed {
    fn is_gone(&self) -> bool {
        [ChangeKind::FindingResolved, ChangeKind::FindingNotCounted].iter().any(|kind| kind.word() == self.change)
    }

    fn gone(&self) -> Option<Gone<'_>> {
        let mut parts = self.subject_id.splitn(3, ':');
        let (rule, subject_type, subject_id) = (parts.next()?, parts.next()?, parts.next()?);
        let subject = self.subject.strip_prefix(rule).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&self.subject);
        let is_resolved = self.change == ChangeKind::FindingResolved.word();
        Some(Gone { rule, subject_type, subject_id, subject, message: &self.before, is_resolved })
    }
}

impl Found {
    /// What identifies it over weeks: rule, type and id of the subject.
    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.rule, &self.subject_type, &self.subject_id)
    }

    pub(super) fn is_open(&self) -> bool {
        self.status == FindingStatus::Open.word()
    }
}

impl AuditFacts {
    /// What an audit says.
    pub fn of(input: &ReportInput<'_>) -> Self {
        let audit = input.audit();
        let directory = &audit.directory;
        let changes = audit.drift.changes.iter().map(|change| Changed {
            change: change.kind.word().to_owned(),
            subject_id: change.subject_id.clone(),
            subject: change.subject.clone(),
            before: change.before.clone(),
        });
        Self {
            audit_id: audit.id,
            job: audit.job.clone(),
            workspace: audit.workspace.clone(),
            judged_at: audit.judged_at,
            complete: directory.reading.is_complete(),
            generator: Generator { version: audit.version.to_owned() },
            summary: Summary { verdict: input.brief().verdict.clone() },
            source: Source {
                connector: directory.source.connector.name().to_owned(),
                api_url: directory.source.api_url.clone(),
            },
            organization: Organization {
                id: directory.organization.id.clone(),
                company_name: directory.organization.company_name.clone(),
            },
            reading: Reading { started_at: directory.reading.started_at, finished_at: directory.reading.finished_at },
            findings: audit.findings.iter().map(|finding| found(input, finding)).collect(),
            changes: changes.filter(Changed::is_gone).collect(),
            rules: audit.outcomes.iter().map(|outcome| rule(input, outcome)).collect(),
            policy: PolicyFacts { name: Some(audit.policy.name.clone()), sha256: Some(audit.policy.sha256()) },
            bag: None,
        }
    }

    /// What the `report.json` in a bag says.
    ///
    /// # Errors
    /// [`FactsError`]
    pub fn read(report: &[u8], bag: BagName) -> Result<Self, FactsError> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: String,
        }
        let Version { schema_version } = serde_json::from_slice(report)?;
        if schema_version.split('.').next() != Some("1") {
            return Err(FactsError::Version(schema_version));
        }
        let mut facts: Self = serde_json::from_slice(report)?;
        facts.changes.retain(Changed::is_gone);
        facts.bag = Some(bag);
        Ok(facts)
    }

    /// The findings of the previous audit that this one does not have, and no other about the same subject by the same rule.
    pub(super) fn gone(&self) -> impl Iterator<Item = Gone<'_>> {
        let mut known: HashSet<_> = self.findings.iter().map(Found::key).collect();
        let gone = self.changes.iter().filter_map(Changed::gone);
        gone.filter(move |gone| known.insert((gone.rule, gone.subject_type, gone.subject_id)))
    }

    /// How a rule ended.
    pub(super) fn rule(&self, name: &str) -> Option<&RuleFacts> {
        self.rules.iter().find(|rule| rule.rule == name)
    }

    /// A rule's title; its name if the audit does not say.
    pub(super) fn title<'a>(&'a self, name: &'a str) -> &'a str {
        self.rule(name).and_then(|rule| rule.title.as_deref()).unwrap_or(name)
    }
}

/// The criteria in one text.
pub(super) fn criteria(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|one| !one.is_empty())
}

fn found(input: &ReportInput<'_>, finding: &Finding) -> Found {
    let audit = input.audit();
    let (subject, subject_id) = audit.subject_label(&finding.subject);
    let exception = match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => audit.policy.exceptions.get(place),
    };
    let planned = finding.planned.and_then(|place| audit.policy.planned_fixes.get(place));
    Found {
        severity: finding.severity,
        rule: finding.rule.to_string(),
        criterion: audit.rules.get(&finding.rule).map(|rule| rule.criteria_text().into_owned()),
        subject_type: finding.subject.kind().to_owned(),
        subject_id,
        subject,
        message: finding.message.to_string(),
        status: finding.status.word().to_owned(),
        continuing: finding.continuing,
        exception: exception.map(|exception| Accepted {
            approved_by: exception.approved_by.clone(),
            reason: exception.reason.clone(),
            until: exception.until,
        }),
        planned_fix: planned.map(|fix| Planned { owner: fix.owner.clone(), until: fix.until }),
    }
}

fn rule(input: &ReportInput<'_>, outcome: &RuleOutcome) -> RuleFacts {
    let audit = input.audit();
    let info: Option<&RuleInfo> = audit.rules.get(&outcome.rule);
    let (result, open) = match &outcome.result {
        RuleResult::Passed => (Ended::Passed, 0),
        RuleResult::Failed { open, .. } => (Ended::Failed, *open),
        RuleResult::NotEvaluated(_) => (Ended::NotEvaluated, 0),
        RuleResult::SwitchedOff => (Ended::SwitchedOff, 0),
    };
    RuleFacts {
        rule: outcome.rule.to_string(),
        title: info.map(|info| info.title.to_string()),
        criterion: info.map(|info| info.criteria_text().into_owned()),
        result,
        open,
        not_evaluated: outcome.result.not_evaluated().map(str::to_owned),
        off_because: (result == Ended::SwitchedOff).then(|| audit.policy.off_reason(&outcome.rule).to_owned()),
    }
}
