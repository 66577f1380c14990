//! What could not be read was not reviewed: an audit on part of the population must not look like a whole one.

use super::prelude::*;
use crate::model::reading::{CheckKind, CheckOutcome};

pub(in crate::audit) const RULE: Rule = Rule {
    name: "incomplete-read",
    title: "Incomplete read of the workspace",
    severity: Severity::Critical,
    criterion: "CC6.2",
    doc: include_str!("incomplete-read.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let reading = &context.directory.reading;
    let problems: Vec<_> = reading.problems().collect();
    let clock = problems.iter().find(|(check, _)| check.kind == CheckKind::Clock);
    if let (Some((_, detail)), 1) = (clock, problems.len()) {
        sink.report(Subject::Workspace, format!("All users were read, but {detail}; set the clock, and run it again."));
    } else if !problems.is_empty() {
        let problems: Vec<String> =
            problems.iter().map(|(check, detail)| format!("{} ({detail})", check.kind.title())).collect();
        let message = format!(
            "The users could not be read completely, so that this audit says nothing of those it missed: {}; run it \
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
}
