//! OCSF Compliance Findings, one event a line.
//!
//! A finding is identified by workspace, rule and subject, so that it is the same over weeks: an audit opens it, updates it, and
//! closes it when it is gone. Beside the findings each rule has one of its own, `WORKSPACE/RULE`, which is open while the rule
//! cannot be evaluated.

mod model;

use std::{
    collections::HashMap,
    io::{self, Write},
};

use self::model::{Analytic, CLASS, Compliance, Event, FindingInfo, Metadata, Product, Resource, Unmapped, VERSION};
use super::{
    facts::{AuditFacts, Ended, Found, Gone, RuleFacts, criteria},
    ids,
};
use crate::model::finding::Severity;

/// What happened to a finding.
#[derive(Clone, Copy)]
enum Activity {
    Create = 1,
    Update = 2,
    Close = 3,
}

/// Where a finding stands.
#[derive(Clone, Copy)]
enum Status {
    New = 1,
    InProgress = 2,
    Suppressed = 3,
    Resolved = 4,
}

/// What a check said.
#[derive(Clone, Copy)]
enum Check {
    Pass = 1,
    Warning = 2,
    Fail = 3,
    Other = 99,
}

/// What distinguishes one event of an audit from another.
struct Told<'a> {
    rule: &'a str,
    criterion: Option<&'a str>,
    /// Type, id and name of the subject; `None` if it is about the rule itself.
    subject: Option<[&'a str; 3]>,
    activity: Activity,
    status: Status,
    status_detail: Option<String>,
    check: Check,
    severity: Severity,
    message: String,
}

pub(super) fn write(audit: &AuditFacts, out: &mut dyn Write) -> io::Result<()> {
    let told = findings(audit).chain(audit.gone().map(|gone| closed(audit, &gone)));
    let told = told.chain(audit.rules.iter().map(|rule| evaluation(audit, rule)));
    for one in told {
        serde_json::to_writer(&mut *out, &event(audit, &one))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The findings, one for each rule and subject. Several of a rule about one subject are one here: a reader would not know
/// which of them is gone.
fn findings(audit: &AuditFacts) -> impl Iterator<Item = Told<'_>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&Found>> = Vec::new();
    for found in &audit.findings {
        let place = *places.entry(found.key()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    groups.into_iter().filter_map(|group| Some(finding(group.first()?, &group)))
}

fn finding<'a>(first: &'a Found, same: &[&'a Found]) -> Told<'a> {
    let open: Vec<&&Found> = same.iter().filter(|found| found.is_open()).collect();
    let is_known = same.iter().any(|found| found.continuing == Some(true));
    let (status, status_detail) = match (open.first(), &first.exception) {
        (Some(found), _) => {
            let planned = found.planned_fix.as_ref();
            let planned = planned.map(|fix| format!("Planned to be fixed by {} until {}.", fix.owner, fix.until));
            let is_planned = planned.is_some();
            (if is_known || is_planned { Status::InProgress } else { Status::New }, planned)
        }
        (None, Some(accepted)) => {
            let detail = format!("Accepted by {} until {}: {}", accepted.approved_by, accepted.until, accepted.reason);
            (Status::Suppressed, Some(detail))
        }
        (None, None) => (Status::Suppressed, None),
    };
    let severity = |found: &[&Found]| found.iter().map(|found| found.severity).max();
    let open: Vec<&Found> = open.into_iter().copied().collect();
    let messages: Vec<&str> = same.iter().map(|found| found.message.as_str()).collect();
    Told {
        rule: &first.rule,
        criterion: first.criterion.as_deref(),
        subject: Some([&first.subject_type, &first.subject_id, &first.subject]),
        activity: if is_known { Activity::Update } else { Activity::Create },
        status,
        status_detail,
        check: Check::Fail,
        severity: severity(&open).or_else(|| severity(same)).unwrap_or(first.severity),
        message: messages.join(" "),
    }
}

fn closed<'a>(audit: &'a AuditFacts, gone: &Gone<'a>) -> Told<'a> {
    let detail = if gone.is_resolved {
        "This audit does not find it any more."
    } else {
        "The policy no longer counts it. What was found may still be there."
    };
    Told {
        rule: gone.rule,
        criterion: audit.rule(gone.rule).and_then(|rule| rule.criterion.as_deref()),
        subject: Some([gone.subject_type, gone.subject_id, gone.subject]),
        activity: Activity::Close,
        status: if gone.is_resolved { Status::Resolved } else { Status::Suppressed },
        status_detail: Some(detail.to_owned()),
        check: if gone.is_resolved { Check::Pass } else { Check::Other },
        severity: Severity::Info,
        message: gone.message.to_owned(),
    }
}

/// Whether a rule could be evaluated.
fn evaluation<'a>(audit: &'a AuditFacts, rule: &'a RuleFacts) -> Told<'a> {
    let incomplete = "the read of the workspace was incomplete".to_owned();
    let lacking = match rule.result {
        Ended::Passed if !audit.complete => Some(incomplete),
        _ => rule.not_evaluated.clone(),
    };
    let (activity, status, check, message) = match (rule.result, &lacking) {
        (Ended::SwitchedOff, _) => {
            let reason = rule.off_because.as_deref().unwrap_or_default();
            (Activity::Close, Status::Suppressed, Check::Other, format!("The policy switches the rule off: {reason}"))
        }
        (_, Some(reason)) => (
            Activity::Create,
            Status::New,
            Check::Warning,
            format!("The rule could not be evaluated in full: {reason}"),
        ),
        (Ended::Failed, None) => {
            let message = "The rule was evaluated in full. Each thing that it found is a finding of its own.";
            (Activity::Close, Status::Resolved, Check::Fail, message.to_owned())
        }
        (Ended::Passed | Ended::NotEvaluated, None) => {
            let message = "The rule was evaluated in full and found nothing.";
            (Activity::Close, Status::Resolved, Check::Pass, message.to_owned())
        }
    };
    Told {
        rule: &rule.rule,
        criterion: rule.criterion.as_deref(),
        subject: None,
        activity,
        status,
        status_detail: None,
        check,
        severity: if lacking.is_some() { Severity::Medium } else { Severity::Info },
        message,
    }
}

fn event<'a>(audit: &'a AuditFacts, told: &Told<'a>) -> Event<'a> {
    let (workspace, rule) = (audit.workspace.as_str(), told.rule);
    let [kind, id, name] = told.subject.unwrap_or(["workspace", workspace, workspace]);
    let uid = match told.subject {
        Some(_) => format!("{workspace}/{rule}/{kind}/{id}"),
        None => format!("{workspace}/{rule}"),
    };
    let (severity_id, severity) = match told.severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    };
    let activity_id = told.activity as u32;
    let first_seen_time = matches!(told.activity, Activity::Create).then_some(audit.reading.finished_at);
    Event {
        activity_id,
        activity_name: told.activity.caption(),
        category_name: "Findings",
        category_uid: CLASS / 1000,
        class_name: "Compliance Finding",
        class_uid: CLASS,
        compliance: compliance(told),
        end_time: audit.reading.finished_at,
        finding_info: FindingInfo {
            analytic: Analytic { name: audit.title(rule), kind: "Rule", type_id: 1, uid: rule },
            first_seen_time,
            last_seen_time: (!matches!(told.activity, Activity::Close)).then_some(audit.reading.finished_at),
            title: audit.title(rule),
            types: [if told.subject.is_some() { "Access review" } else { "Rule evaluation" }],
            uid: uid.clone(),
        },
        message: told.message.clone(),
        metadata: Metadata {
            log_name: "rolecall",
            product: Product { name: "rolecall", vendor_name: "rolecall", version: &audit.generator.version },
            tenant_uid: audit.organization.id.as_deref(),
            uid: ids::of_audit(audit.audit_id, &["event", &uid]),
            version: VERSION,
        },
        resources: [Resource { name, kind, uid: id }],
        severity,
        severity_id,
        start_time: audit.reading.started_at,
        status: told.status.caption(),
        status_detail: told.status_detail.clone(),
        status_id: told.status as u32,
        time: audit.judged_at,
        type_name: format!("Compliance Finding: {}", told.activity.caption()),
        type_uid: CLASS * 100 + activity_id,
        unmapped: Unmapped {
            audit_id: audit.audit_id,
            workspace,
            job: audit.job.as_deref(),
            read_completely: audit.complete,
            policy_sha256: audit.policy.sha256.as_deref(),
            evidence_bag: audit.bag.as_ref().map(|bag| bag.folder.as_str()),
            evidence_sha256: audit.bag.as_ref().map(|bag| bag.sha256.as_str()),
        },
    }
}

fn compliance<'a>(told: &Told<'a>) -> Compliance<'a> {
    let requirements: Vec<&str> = criteria(told.criterion).collect();
    let standard = |criterion: &&str| match criterion.split('.').next() {
        Some("CC6" | "CC5" | "CC3") => "SOC 2 Trust Services Criteria",
        Some("A") => "ISO/IEC 27001:2022",
        _ => "Company policy",
    };
    let mut standards: Vec<&str> = requirements.iter().map(standard).collect();
    standards.dedup();
    if standards.is_empty() {
        standards.push("Company policy");
    }
    Compliance {
        control: requirements.first().copied(),
        requirements,
        standards,
        status: match told.check {
            Check::Pass => "Pass",
            Check::Warning => "Warning",
            Check::Fail => "Fail",
            Check::Other => "Not counted",
        },
        status_id: told.check as u32,
    }
}

impl Activity {
    fn caption(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Close => "Close",
        }
    }
}

impl Status {
    fn caption(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::InProgress => "In Progress",
            Self::Suppressed => "Suppressed",
            Self::Resolved => "Resolved",
        }
    }
}
