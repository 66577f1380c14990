//! No second pair of hands when the one is away, locked out or the one to be removed.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "only-one-administrator",
    title: "Only one administrator",
    severity: Severity::Low,
    criterion: "CC6.1",
    doc: include_str!("only-one-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if context.knows_administrators(sink) && context.population.usable_administrators == 1 {
        let message = "Only one active and confirmed user can administer the workspace; name a second one for \
                       absence and emergencies.";
        sink.report(Subject::Workspace, message);
    }
}
