//! Users that were not read were not reviewed: an audit of some users must not look like a complete one.

use super::prelude::*;
use crate::model::reading::{CheckKind, CheckOutcome};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "incomplete-read",
    title: "Incomplete read of the workspace",
    severity: Severity::Critical,
    criteria: &["CC6.2"],
    doc: include_str!("incomplete-read.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let reading = &context.directory.reading;
    let problems: Vec<_> = reading.problems().collect();
    let clock = problems.iter().find(|(check, _)| check.kind == CheckKind::Clock);
    if let (Some((_, detail)), 1) = (clock, problems.len()) {
        sink.report(
            Subject::Workspace,
            format!("All users were read, but {detail}; set the clock and run the audit again."),
        );
    } else if !problems.is_empty() {
        let problems: Vec<String> =
            problems.iter().map(|(check, detail)| format!("{} ({detail})", check.kind.title())).collect();
        let message = format!(
            "The users could not be read completely, so this audit says nothing about those it missed: {}; run it \
             again.",
            problems.join("; ")
        );
        sink.report(Subject::Workspace, message);
    }
    for check in &reading.checks {
        if let CheckOutcome::NotEvaluated { detail } = &check.outcome {
            sink.not_evaluated(format!("{}: {detail}", check.kind.title()));
        }
    }
    Ok(())
}
