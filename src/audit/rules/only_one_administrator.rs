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
    let (all, services) = (context.population.usable_administrators, context.population.usable_services);
    let message = match all - services {
        0 if services > 0 => {
            "Only service accounts can administer the workspace; appoint two people, so that somebody can act."
        }
        1 if services > 0 => {
            "Only one active and confirmed person can administer the workspace beside service accounts; appoint a \
             second one for absences and emergencies."
        }
        1 => {
            "Only one active and confirmed user can administer the workspace; appoint a second one for absences and \
             emergencies."
        }
        _ => return Ok(()),
    };
    sink.report(Subject::Workspace, message);
    Ok(())
}
