//! An exception that matches nothing is misspelt, or accepts findings in advance.

use super::{conflicting_access, prelude::*};
use crate::model::{email::comparable, exception::Exception, pattern::Pattern};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unmatched-exception",
    title: "Exception that matches no finding",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("unmatched-exception.md"),
    judges_population: true,
    evaluate,
};

/// Whether it may accept rights that a user of this workspace and another workspace have together.
fn may_be_across(context: &Context<'_>, exception: &Exception) -> bool {
    let is_exception = exception.rule == conflicting_access::RULE.name && exception.workspace.is_none();
    let pattern = Pattern::parse(&exception.subject).ok().filter(|pattern| !pattern.is_exact());
    let is_meant = |address: &str| match &pattern {
        Some(pattern) => pattern.matches_address(address),
        None => comparable(address) == comparable(&exception.subject),
    };
    is_exception && context.present().any(|row| row.user.email().is_some_and(is_meant))
}

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let mut messages = Vec::new();
    for entry in sink.exceptions().entries().iter().filter(|entry| !entry.matched && !entry.expired) {
        let exception = entry.item;
        let (rule, subject) = (exception.rule.as_str(), exception.subject.as_str());
        if context.rules.get(rule).is_none() {
            messages.push(format!("The exception for {subject} names an unknown rule, {rule}; correct it."));
        } else if sink.has_looked_at_everything(rule) && !may_be_across(context, exception) {
            messages
                .push(format!("The exception to {rule} for {subject} matches no finding; correct it or remove it."));
        }
    }
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
