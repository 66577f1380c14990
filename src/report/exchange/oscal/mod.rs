//! OSCAL assessment results.
//!
//! A result is one audit. An observation is a finding, or what could not be evaluated; a risk says whether a finding is open or
//! accepted. An OSCAL finding is the verdict of one rule on one criterion: its target is an objective below the control
//! (`cc6.3_obj.unapproved-administrator`), and not the control, which no rule covers alone. What was not evaluated has
//! no verdict: a state for that does not exist.

mod model;

use std::{
    collections::{BTreeSet, HashMap},
    io::{self, Write},
};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use self::model::{
    AuditResult, BackMatter, Control, ControlSelection, Document, Evidence, File, Finding, Hash, Link, Metadata,
    Objective, ObjectiveSelection, Observation, Property, Reference, RelatedObservation, RelatedRisk, Resource,
    ReviewedControls, Risk, Status, Subject, Target, VERSION,
};
use super::{
    facts::{AuditFacts, Ended, Found, RuleFacts, criteria},
    ids,
    text::{markdown, one_line, token},
};

/// The namespace of our properties.
const NS: &str = "urn:rolecall:oscal";
/// The control of a rule that supports no criterion.
const OWN_CONTROL: &str = "company-policy";

/// The title of the document of one audit.
pub(super) fn title(audit: &AuditFacts) -> String {
    format!("Access audit of {}, {}", audit.workspace, audit.judged_at.format("%Y-%m-%d"))
}

pub(super) fn write(audits: &[AuditFacts], title: &str, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &File { assessment_results: document(audits, title) })?;
    out.write_all(b"\n")
}

fn document(audits: &[AuditFacts], title: &str) -> Document {
    let mut of: Vec<String> = vec!["assessment-results".to_owned()];
    of.extend(audits.iter().map(|audit| audit.audit_id.to_string()));
    let of: Vec<&str> = of.iter().map(String::as_str).collect();
    let uuid = ids::lasting(&of);
    let plan = ids::of_audit(uuid, &["assessment-plan"]);
    let versions: BTreeSet<&str> = audits.iter().map(|audit| audit.generator.version.as_str()).collect();
    let versions = one_line(&versions.into_iter().collect::<Vec<_>>().join(", "));
    let mut resources = vec![Resource {
        uuid: plan,
        title: "Assessment plan".to_owned(),
        description:
            "The configuration of rolecall: its jobs, their schedules and the policies. Each evidence bag has it as \
                      data/configuration.toml, and the policy as applied as data/policy.json."
                .to_owned(),
        rlinks: Vec::new(),
    }];
    resources.extend(audits.iter().map(evidence));
    Document {
        uuid,
        metadata: Metadata {
            title: markdown(title),
            last_modified: audits.iter().map(|audit| audit.judged_at).max().unwrap_or(DateTime::UNIX_EPOCH),
            version: "1".to_owned(),
            oscal_version: VERSION,
            remarks: format!(
                "Made from audits of rolecall {versions}. It supports evidence for the criteria that it names; whether they are \
                 met is for the auditor to assess."
            ),
        },
        import_ap: Reference { href: format!("#{plan}") },
        results: audits.iter().map(result).collect(),
        back_matter: BackMatter { resources },
    }
}

/// The evidence of an audit, as the document lists it.
fn evidence(audit: &AuditFacts) -> Resource {
    let manifest = |bag: &crate::model::bag::BagName| Link {
        href: format!("{}/tagmanifest-sha256.txt", path(&bag.folder)),
        media_type: "text/plain",
        hashes: [Hash { algorithm: "SHA-256", value: bag.sha256.clone() }],
    };
    let description = match &audit.bag {
        Some(_) => "The evidence bag. The digest of its tag manifest covers everything in it.",
        None => "The reports of the audit. Its evidence bag was not sealed when this was written.",
    };
    Resource {
        uuid: evidence_id(audit),
        title: format!("Evidence of audit {}", audit.audit_id),
        description: description.to_owned(),
        rlinks: audit.bag.iter().map(manifest).collect(),
    }
}

/// A folder as part of a URI.
fn path(folder: &str) -> String {
    use std::fmt::Write as _;
    folder.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'/' => path.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
        path
    })
}

fn evidence_id(audit: &AuditFacts) -> Uuid {
    ids::of_audit(audit.audit_id, &["evidence"])
}

fn property(name: &'static str, value: &str) -> Property {
    Property { name, ns: NS, value: one_line(value) }
}

fn result(audit: &AuditFacts) -> AuditResult {
    let observed: Vec<Observed<'_>> = observed(audit);
    let mut observations: Vec<Observation> = observed.iter().map(|one| observation(audit, one)).collect();
    observations.extend(audit.rules.iter().filter_map(|rule| unevaluated(audit, rule)));
    let mut props = vec![
        property("workspace", &audit.workspace),
        property("audit-id", &audit.audit_id.to_string()),
        property("read-completely", if audit.complete { "yes" } else { "no" }),
        property("connector", &audit.source.connector),
        property("read-from", &audit.source.api_url),
    ];
    let more = [
        ("job", &audit.job),
        ("organization-id", &audit.organization.id),
        ("organization", &audit.organization.company_name),
        ("policy", &audit.policy.name),
        ("policy-sha256", &audit.policy.sha256),
    ];
    props.extend(more.into_iter().filter_map(|(name, value)| Some(property(name, value.as_deref()?))));
    AuditResult {
        uuid: ids::of_audit(audit.audit_id, &["result"]),
        title: markdown(&title(audit)),
        description: markdown(&audit.summary.verdict),
        start: audit.reading.started_at,
        end: audit.judged_at.max(audit.reading.finished_at),
        props,
        reviewed_controls: reviewed(audit),
        observations,
        risks: observed.iter().map(|one| risk(audit, one)).collect(),
        findings: audit.rules.iter().flat_map(|rule| verdicts(audit, rule, &observed)).collect(),
    }
}

/// The controls and objectives that the rules are about.
fn reviewed(audit: &AuditFacts) -> ReviewedControls {
    let rules = audit.rules.iter().filter(|rule| rule.result != Ended::SwitchedOff);
    let (mut controls, mut objectives) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        for control in controls_of(rule) {
            objectives.insert(objective(&control, rule));
            controls.insert(control);
        }
    }
    if controls.is_empty() {
        controls.insert(OWN_CONTROL.to_owned());
    }
    let controls = controls.into_iter().map(|control_id| Control { control_id }).collect();
    let objectives: Vec<Objective> = objectives.into_iter().map(|objective_id| Objective { objective_id }).collect();
    ReviewedControls {
        description: "The criteria that the rules of this audit support evidence for, by their ids.".to_owned(),
        control_selections: vec![ControlSelection { include_controls: controls }],
        control_objective_selections: if objectives.is_empty() {
            Vec::new()
        } else {
            vec![ObjectiveSelection { include_objectives: objectives }]
        },
    }
}

/// The controls that a rule supports.
fn controls_of(rule: &RuleFacts) -> Vec<String> {
    let controls: BTreeSet<String> =
        criteria(rule.criterion.as_deref()).map(|criterion| token(criterion).to_lowercase()).collect();
    if controls.is_empty() { vec![OWN_CONTROL.to_owned()] } else { controls.into_iter().collect() }
}

fn objective(control: &str, rule: &RuleFacts) -> String {
    format!("{control}_obj.{}", token(&rule.rule))
}

/// A finding with its identifiers.
struct Observed<'a> {
    found: &'a Found,
    /// Distinguishes several findings of a rule about one subject.
    number: String,
}

impl Observed<'_> {
    fn id(&self, audit: &AuditFacts, what: &str) -> Uuid {
        let Found { rule, subject_type, subject_id, .. } = self.found;
        ids::of_audit(audit.audit_id, &[what, rule, subject_type, subject_id, &self.number])
    }
}

fn observed(audit: &AuditFacts) -> Vec<Observed<'_>> {
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut observed = Vec::with_capacity(audit.findings.len());
    for found in &audit.findings {
        let count = seen.entry(found.key()).or_default();
        *count += 1;
        observed.push(Observed { found, number: count.to_string() });
    }
    observed
}

fn observation(audit: &AuditFacts, observed: &Observed<'_>) -> Observation {
    let found = observed.found;
    let seen = match found.continuing {
        Some(true) => "continuing",
        Some(false) => "new",
        None => "unknown",
    };
    Observation {
        uuid: observed.id(audit, "observation"),
        title: markdown(audit.title(&found.rule)),
        description: markdown(&found.message),
        props: vec![
            property("rule", &found.rule),
            property("severity", found.severity.word()),
            property("status", &found.status),
            property("since-previous-audit", seen),
        ],
        methods: ["TEST"],
        types: ["finding"],
        subjects: vec![Subject {
            uuid: ids::lasting(&[&audit.workspace, &found.subject_type, &found.subject_id]),
            kind: token(&found.subject_type),
            title: markdown(&found.subject),
            props: vec![property("subject-id", &found.subject_id), property("workspace", &audit.workspace)],
        }],
        relevant_evidence: [proof(audit, "data/reports/findings.csv and data/reports/report.json")],
        collected: audit.reading.finished_at,
    }
}

fn proof(audit: &AuditFacts, files: &str) -> Evidence {
    Evidence { href: format!("#{}", evidence_id(audit)), description: format!("{files} in the evidence of the audit") }
}

/// What a rule could not evaluate, or that the policy switches it off.
fn unevaluated(audit: &AuditFacts, rule: &RuleFacts) -> Option<Observation> {
    let (kind, reason) = match rule.result {
        Ended::SwitchedOff => ("switched-off", rule.off_because.as_deref().unwrap_or_default()),
        // What an incomplete read did not find proves nothing.
        Ended::Passed if !audit.complete => ("not-evaluated", "the read of the workspace was incomplete"),
        _ => ("not-evaluated", rule.not_evaluated.as_deref()?),
    };
    Some(Observation {
        uuid: ids::of_audit(audit.audit_id, &[kind, &rule.rule]),
        title: markdown(audit.title(&rule.rule)),
        description: markdown(reason),
        props: vec![property("rule", &rule.rule)],
        methods: ["TEST"],
        types: [kind],
        subjects: Vec::new(),
        relevant_evidence: [proof(audit, "data/rules.json")],
        collected: audit.reading.finished_at,
    })
}

/// Midnight of the day after, in UTC: a day that is named is included.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN).and_utc()
}

fn risk(audit: &AuditFacts, observed: &Observed<'_>) -> Risk {
    let found = observed.found;
    let mut props = vec![property("severity", found.severity.word())];
    let (status, deadline, statement) = match (&found.exception, &found.planned_fix) {
        (Some(accepted), _) => {
            props.push(property("approved-by", &accepted.approved_by));
            ("deviation-approved", Some(end_of(accepted.until)), accepted.reason.as_str())
        }
        (None, Some(planned)) => {
            props.push(property("owner", &planned.owner));
            ("remediating", Some(end_of(planned.until)), found.message.as_str())
        }
        (None, None) if found.is_open() => ("open", None, found.message.as_str()),
        (None, None) => ("deviation-approved", None, found.message.as_str()),
    };
    Risk {
        uuid: observed.id(audit, "risk"),
        title: markdown(audit.title(&found.rule)),
        description: markdown(&found.message),
        statement: markdown(statement),
        props,
        status,
        deadline,
        related_observations: [RelatedObservation { observation_uuid: observed.id(audit, "observation") }],
    }
}

/// The verdict of a rule on each criterion that it supports; none if it was not evaluated in full and found nothing.
fn verdicts(audit: &AuditFacts, rule: &RuleFacts, observed: &[Observed<'_>]) -> Vec<Finding> {
    let status = match rule.result {
        Ended::Passed if audit.complete => Status { state: "satisfied", reason: "pass" },
        Ended::Failed if rule.open > 0 => Status { state: "not-satisfied", reason: "fail" },
        // Everything that it found is accepted: the risks say so.
        Ended::Failed => Status { state: "not-satisfied", reason: "other" },
        Ended::Passed | Ended::NotEvaluated | Ended::SwitchedOff => return Vec::new(),
    };
    let own: Vec<&Observed<'_>> = observed.iter().filter(|one| one.found.rule == rule.rule).collect();
    let accepted = own.iter().filter(|one| !one.found.is_open()).count();
    let description = match own.len() {
        0 => "Nothing was found.".to_owned(),
        all => format!("Found: {all}, of which {accepted} accepted by exceptions."),
    };
    let finding = |control: String| Finding {
        uuid: ids::of_audit(audit.audit_id, &["finding", &control, &rule.rule]),
        title: markdown(audit.title(&rule.rule)),
        description: description.clone(),
        target: Target { kind: "objective-id", id: objective(&control, rule), status: Status { ..status } },
        related_observations: own
            .iter()
            .map(|one| RelatedObservation { observation_uuid: one.id(audit, "observation") })
            .collect(),
        related_risks: own.iter().map(|one| RelatedRisk { risk_uuid: one.id(audit, "risk") }).collect(),
    };
    controls_of(rule).into_iter().map(finding).collect()
}
