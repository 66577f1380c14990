//! `rolecall policy try`: whom a rule finds now, and why.

use std::path::Path;

use serde::Serialize;

use crate::{
    access::{administrators::resolve_administrator_profiles, matrix::AccessMatrix},
    audit::{JudgeInput, RuleSet, Tried, try_custom_rule},
    cli::{
        args::{RuleFormat, TryArgs},
        check, lookup,
        output::{self, Failure, plain},
        workspaces,
    },
    model::{
        audit::Audit,
        finding::{Finding, RuleResult},
        policy::CustomRule,
    },
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
    let (workspace, _) = workspaces::named(&settings, args.workspace.as_deref())?;
    let policy = settings.policy_for(args.job.as_deref(), workspace);
    let custom = policy.custom_rules.iter().find(|rule| rule.name == args.rule);
    let is_known = custom.is_some() || RuleSet::built_in().list().get(&args.rule).is_some();
    if !is_known {
        return Err(Failure::usage(format!("the policy of `{workspace}` has no rule `{}`", args.rule)));
    }
    let audit = lookup::judged(&settings, workspace, args.job.as_deref()).await?;
    let answer = match custom {
        Some(custom) if !names_previous(custom) => tried(&audit, custom)?,
        // Judged with the previous audit's users.
        _ => judged(&audit, &args.rule),
    };
    match args.format {
        RuleFormat::Json => {
            let json = serde_json::to_string_pretty(&answer).map_err(|error| Failure::failed(error.to_string()))?;
            output::line(&json);
        }
        RuleFormat::Table => print(&answer),
    }
    Ok(())
}

fn names_previous(custom: &CustomRule) -> bool {
    custom.when.contains("previous.") || custom.message.contains("previous.")
}

/// What a rule of the company's own says, with the values that it names.
fn tried(audit: &Audit, custom: &CustomRule) -> Result<Answer, Failure> {
    let matrix = AccessMatrix::of(audit);
    let (_, unmatched) =
        resolve_administrator_profiles(&audit.policy.administrator_profiles, &audit.directory.profiles);
    let input = JudgeInput {
        matrix: &matrix,
        administrator_profiles: &audit.administrator_profiles,
        unmatched_administrator_profiles: &unmatched,
        policy: &audit.policy,
        workspace: &audit.workspace,
        roster: audit.roster.as_ref(),
        now: audit.judged_at,
        previous: None,
        previous_users: None,
        undecided: &[],
        changes: &[],
    };
    let all = try_custom_rule(custom, &input).map_err(Failure::failed)?;
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
    Ok(answer(audit, &custom.name, all.iter().map(row).collect()))
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
        RuleResult::NotEvaluated(reason) | RuleResult::Failed { not_evaluated: reason, .. } => Some(reason.clone()),
        RuleResult::SwitchedOff => Some("the policy switches it off".to_owned()),
        RuleResult::Passed => None,
    });
    let not_evaluated = not_evaluated.filter(|reason| !reason.is_empty());
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
