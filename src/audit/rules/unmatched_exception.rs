//! An exception that matches nothing is misspelt, or accepts findings in advance.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unmatched-exception",
    title: "Exception that matches no finding",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("unmatched-exception.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let mut messages = Vec::new();
    for entry in sink.exceptions().entries().iter().filter(|entry| !entry.matched && !entry.expired) {
        let exception = entry.item;
        let (rule, subject) = (exception.rule.as_str(), exception.subject.as_str());
        if context.rules.get(rule).is_none() {
            messages.push(format!("The exception for {subject} names an unknown rule, {rule}; correct it."));
        } else if sink.has_looked_at_everything(rule) {
            messages
                .push(format!("The exception to {rule} for {subject} matches no finding; correct it or remove it."));
        }
    }
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
