//! `JUnit` XML: a test case for each finding, and one for each rule without any.
//!
//! An open finding above `info` is a failure, whatever `--fail-on` says. What is accepted, switched off or could not be
//! evaluated is skipped with the reason, so that it is neither green nor red.

use std::io::{self, Write};

use super::{
    facts::{AuditFacts, Ended, Found, RuleFacts},
    text::xml,
};
use crate::model::finding::Severity;

/// The end of a test case.
enum End {
    Passed(Option<String>),
    Skipped(String),
    Failed { severity: Severity, message: String },
}

struct Case {
    class: String,
    name: String,
    end: End,
}

pub(super) fn write(audit: &AuditFacts, out: &mut dyn Write) -> io::Result<()> {
    let mut cases: Vec<Case> = audit.findings.iter().map(|found| of_finding(audit, found)).collect();
    cases.extend(audit.rules.iter().filter_map(|rule| of_rule(audit, rule)));
    let failures = cases.iter().filter(|case| matches!(case.end, End::Failed { .. })).count();
    let skipped = cases.iter().filter(|case| matches!(case.end, End::Skipped(_))).count();
    let counts = format!(r#"tests="{}" failures="{failures}" errors="0""#, cases.len());
    let seconds = (audit.reading.finished_at - audit.reading.started_at).as_seconds_f64().max(0.0);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="rolecall" {counts} time="{seconds:.3}">"#)?;
    writeln!(
        out,
        r#"  <testsuite name="{}" {counts} skipped="{skipped}" time="{seconds:.3}" timestamp="{}">"#,
        xml(&audit.workspace),
        audit.judged_at.format("%Y-%m-%dT%H:%M:%S")
    )?;
    properties(audit, out)?;
    cases.iter().try_for_each(|case| write_case(case, out))?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn properties(audit: &AuditFacts, out: &mut dyn Write) -> io::Result<()> {
    let id = audit.audit_id.to_string();
    let complete = if audit.complete { "yes" } else { "no" };
    let all = [
        ("audit_id", Some(id.as_str())),
        ("job", audit.job.as_deref()),
        ("read_from", Some(&audit.source.api_url)),
        ("read_completely", Some(complete)),
        ("policy", audit.policy.name.as_deref()),
        ("policy_sha256", audit.policy.sha256.as_deref()),
        ("rolecall_version", Some(&audit.generator.version)),
    ];
    writeln!(out, "    <properties>")?;
    for (name, value) in all.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        writeln!(out, r#"      <property name="{name}" value="{}"/>"#, xml(value))?;
    }
    writeln!(out, "    </properties>")
}

fn of_finding(audit: &AuditFacts, found: &Found) -> Case {
    let end = match &found.exception {
        Some(accepted) => End::Skipped(format!(
            "Accepted by {} until {}: {}. {}",
            accepted.approved_by, accepted.until, accepted.reason, found.message
        )),
        None if !found.is_open() => End::Skipped(format!("Accepted. {}", found.message)),
        None if found.severity == Severity::Info => End::Passed(Some(found.message.clone())),
        None => End::Failed { severity: found.severity, message: found.message.clone() },
    };
    let class = format!("{}.{}", audit.workspace, found.rule);
    Case { class, name: format!("{}: {} {}", audit.title(&found.rule), found.subject, found.subject_id), end }
}

/// The case of a rule: of one that found nothing, or that could not look at everything.
fn of_rule(audit: &AuditFacts, rule: &RuleFacts) -> Option<Case> {
    let end = match (rule.result, &rule.not_evaluated) {
        (Ended::SwitchedOff, _) => {
            End::Skipped(format!("The policy switches it off: {}", rule.off_because.as_deref().unwrap_or_default()))
        }
        (_, Some(reason)) => End::Skipped(format!("Not evaluated: {reason}")),
        (Ended::Passed, None) if !audit.complete => {
            End::Skipped("Not evaluated: the read of the workspace was incomplete".to_owned())
        }
        (Ended::Passed | Ended::NotEvaluated, None) => End::Passed(None),
        (Ended::Failed, None) => return None,
    };
    let class = format!("{}.{}", audit.workspace, rule.rule);
    Some(Case { class, name: audit.title(&rule.rule).to_owned(), end })
}

fn write_case(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    write!(out, r#"    <testcase classname="{}" name="{}" time="0""#, xml(&case.class), xml(&case.name))?;
    match &case.end {
        End::Passed(None) => writeln!(out, "/>"),
        End::Passed(Some(said)) => writeln!(out, "><system-out>{}</system-out></testcase>", xml(said)),
        End::Skipped(reason) => writeln!(out, r#"><skipped message="{}"/></testcase>"#, xml(reason)),
        End::Failed { severity, message } => {
            let text = xml(message);
            writeln!(out, r#"><failure type="{severity}" message="{text}">{text}</failure></testcase>"#)
        }
    }
}
