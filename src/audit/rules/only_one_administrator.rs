//! Nobody can act when the only administrator is away, locked out or the one to remove.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "only-one-administrator",
    title: "Only one administrator",
    severity: Severity::Low,
    criteria: &["CC6.1"],
    doc: include_str!("only-one-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.knows_administrators()?;
    if context.population.usable_administrators == 1 {
        let message = "Only one active and confirmed user can administer the workspace; appoint a second one for \
                       absences and emergencies.";
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
