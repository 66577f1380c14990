//! An exception that never ends is never looked at again.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "long-exception",
    title: "Exception that lasts too long",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("long-exception.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let (today, most) = (context.input.now.date_naive(), context.policy().max_exception_days);
    let exceptions = sink.exceptions().entries().iter().map(|entry| entry.item);
    let messages: Vec<String> = exceptions
        .filter(|exception| (exception.until - today).num_days() > most)
        .map(|exception| {
            format!(
                "The exception to {} for {}, approved by {}, lasts until {}, longer than the {most} days that the \
                 policy allows; choose an earlier day and renew it then.",
                exception.rule, exception.subject, exception.approved_by, exception.until
            )
        })
        .collect();
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
