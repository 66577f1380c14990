//! A roster that is wrong would make a company of leavers.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unreliable-roster",
    title: "Roster that cannot be relied on",
    severity: Severity::High,
    criteria: &["CC6.2"],
    doc: include_str!("unreliable-roster.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    for reason in context.employment.unreliable()? {
        let message = format!("{reason} Until this is mended, nothing that depends on the roster is evaluated.");
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
