//! An exception that answers for nothing is a misspelling, or accepts in advance.

use super::prelude::*;
use crate::audit::registry;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unmatched-exception",
    title: "Exception that matches nothing",
    severity: Severity::Info,
    criterion: "CC6.3",
    doc: include_str!("unmatched-exception.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(_: &Context<'_>, sink: &mut Sink<'_>) {
    let mut messages = Vec::new();
    for entry in sink.exceptions().entries().iter().filter(|entry| !entry.matched && !entry.expired) {
        let exception = entry.exception;
        let (rule, subject) = (exception.rule.as_str(), exception.subject.as_str());
        // Whether exceptions from this rule and those after it match is not known yet.
        let later =
            registry::rules().iter().skip_while(|other| other.name != RULE.name).any(|other| other.name == rule);
        if registry::rule(rule).is_none() {
            messages.push(format!("The exception for {subject} is from {rule}, which is no rule; correct it."));
        } else if !later && !sink.is_partial(rule) {
            messages.push(format!(
                "The exception from {rule} for {subject} matches no finding; correct it or take it out."
            ));
        }
    }
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
}
