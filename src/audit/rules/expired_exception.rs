//! What was accepted for a time is accepted no longer.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "expired-exception",
    title: "Exception that has expired",
    severity: Severity::Low,
    criterion: "CC6.3",
    doc: include_str!("expired-exception.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(_: &Context<'_>, sink: &mut Sink<'_>) {
    let messages: Vec<String> = sink
        .exceptions()
        .entries()
        .iter()
        .filter(|entry| entry.expired)
        .map(|entry| {
            let exception = entry.exception;
            let what = if entry.matched { "what it accepted counts again" } else { "nothing matches it any more" };
            format!(
                "The exception from {} for {}, approved by {}, ended on {}: {what}; renew it or take it out of the policy.",
                exception.rule, exception.subject, exception.approved_by, exception.until
            )
        })
        .collect();
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
}
