//! `rolecall policy try`: whom a rule finds now, and why.

use std::path::Path;

use serde::Serialize;

use crate::{
    audit::{Lacking, RuleSet, Tried},
    cli::{
        again::{self, Judge, OF_REPORT},
        args::{RuleFormat, TryArgs},
        check, lookup,
        output::{self, Failure, plain},
        workspaces,
    },
    model::{
        audit::Audit,
        finding::{Finding, RuleResult},
        policy::{CustomRule, Policy},
    },
    run,
    store::Kept,
    words::count,
};

/// The longest text in a line, in characters.
const LONGEST: usize = 400;

/// What a rule says of a subject.
#[derive(Serialize)]
struct Row {
    subject_type: &'static str,
    subject_id: String,
    subject: String,
    /// The sentence; null if the rule could not be evaluated.
    message: Option<String>,
    /// Why it could not be evaluated; null if it was.
    not_evaluated: Option<String>,
    /// The values that the condition names; empty for a built-in rule.
    values: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Answer {
    workspace: String,
    rule: String,
    /// Why the rule could not be evaluated at all, or in part; null if it was.
    not_evaluated: Option<String>,
    found: Vec<Row>,
}

pub(super) async fn run(named: Option<&Path>, args: &TryArgs) -> Result<(), Failure> {
    let settings = check::load_with_failing_tests(named)?;
    let answer = if let Some(path) = &args.report {
        let report = again::report(path)?;
        let policy = settings.policy_for(report.job.as_deref(), &report.workspace);
        let custom = custom(policy, &report.workspace, &args.rule)?;
        let judge = Judge { settings: &settings, policy: None };
        let audit = judge.report(report)?.audit;
        answer_about(&audit, &args.rule, custom, None, OF_REPORT)?
    } else {
        let (workspace, _) = workspaces::named(&settings, args.workspace.as_deref())?;
        let custom = custom(settings.policy_for(args.job.as_deref(), workspace), workspace, &args.rule)?;
        let (audit, previous) = lookup::judged_with_previous(&settings, workspace, args.job.as_deref()).await?;
        answer_about(&audit, &args.rule, custom, previous.as_ref(), Lacking::default())?
    };
    match args.format {
        RuleFormat::Json => output::json(&answer)?,
        RuleFormat::Table => print(&answer),
    }
    Ok(())
}

/// The rule of the company's own with this name; `None` if it is a built-in rule.
fn custom<'p>(policy: &'p Policy, workspace: &str, rule: &str) -> Result<Option<&'p CustomRule>, Failure> {
    let custom = policy.custom_rules.iter().find(|custom| custom.name == rule);
    if custom.is_none() && RuleSet::built_in().list().get(rule).is_none() {
        return Err(Failure::usage(format!("the policy of `{workspace}` has no rule `{rule}`")));
    }
    Ok(custom)
}

fn answer_about(
    audit: &Audit,
    rule: &str,
    custom: Option<&CustomRule>,
    previous: Option<&Kept>,
    lacking: Lacking,
) -> Result<Answer, Failure> {
    let Some(custom) = custom else { return Ok(judged(audit, rule)) };
    let all = run::try_rule(custom, audit, previous, lacking).map_err(|error| Failure::failed(error.to_string()))?;
    let row = |tried: &Tried| {
        let (subject, subject_id) = audit.subject_label(&tried.subject);
        Row {
            subject_type: tried.subject.kind(),
            subject_id,
            subject,
            message: tried.result.as_ref().ok().cloned(),
            not_evaluated: tried.result.as_ref().err().cloned(),
            values: tried.values.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect(),
        }
    };
    Ok(answer(audit, rule, all.iter().map(row).collect()))
}

/// What a rule found in an audit.
fn judged(audit: &Audit, rule: &str) -> Answer {
    let row = |finding: &Finding| {
        let (subject, subject_id) = audit.subject_label(&finding.subject);
        Row {
            subject_type: finding.subject.kind(),
            subject_id,
            subject,
            message: Some(finding.message.to_string()),
            not_evaluated: None,
            values: serde_json::Map::new(),
        }
    };
    let found = audit.findings.iter().filter(|finding| finding.rule == *rule).map(row).collect();
    answer(audit, rule, found)
}

fn answer(audit: &Audit, rule: &str, found: Vec<Row>) -> Answer {
    let outcome = audit.outcomes.iter().find(|outcome| outcome.rule == *rule);
    let not_evaluated = outcome.and_then(|outcome| match &outcome.result {
        RuleResult::SwitchedOff => Some("the policy switches it off".to_owned()),
        result => result.not_evaluated().map(str::to_owned),
    });
    Answer { workspace: audit.workspace.clone(), rule: rule.to_owned(), not_evaluated, found }
}

fn print(answer: &Answer) {
    let found = answer.found.iter().filter(|row| row.message.is_some()).count();
    output::line(&format!("{} in {}: {}", answer.rule, answer.workspace, count(found, "finding")));
    if let Some(reason) = &answer.not_evaluated {
        output::line(&format!("not evaluated: {}", plain(reason, LONGEST)));
    }
    for row in &answer.found {
        let said = match (&row.message, &row.not_evaluated) {
            (Some(message), _) => plain(message, LONGEST),
            (None, reason) => format!("not evaluated: {}", plain(reason.as_deref().unwrap_or_default(), LONGEST)),
        };
        output::line(&format!("\n{} {} ({})", row.subject_type, row.subject_id, plain(&row.subject, LONGEST)));
        output::line(&format!("  {said}"));
        for (name, value) in &row.values {
            output::line(&format!("  {name} = {}", plain(value.as_str().unwrap_or_default(), LONGEST)));
        }
    }
}
