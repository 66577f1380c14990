//! Full power that is newer than the first audit is a finding until it is approved, accepted or removed.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "new-full-power",
    title: "New full power",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("new-full-power.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.previous()?;
    for user in context.input.undecided {
        let row = context.input.matrix.row(*user);
        let message = format!(
            "Full power by {} is new and has not been approved; approve the person in approved_administrators, \
             accept it with an exception, or remove the power.",
            row.full_power_by()
        );
        sink.report(Subject::User(*user), message);
    }
    Ok(())
}
