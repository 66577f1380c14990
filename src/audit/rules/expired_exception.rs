//! An exception does not apply after its last day.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "expired-exception",
    title: "Expired exception",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("expired-exception.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(_: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let messages: Vec<String> = sink
        .exceptions()
        .entries()
        .iter()
        .filter(|entry| entry.expired)
        .map(|entry| {
            let exception = entry.item;
            let what = if entry.matched { "the findings it accepted are open again" } else { "no finding matches it any more" };
            format!(
                "The exception to {} for {}, approved by {}, expired after {}: {what}; renew it or remove it from the policy.",
                exception.rule, exception.subject, exception.approved_by, exception.until
            )
        })
        .collect();
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
