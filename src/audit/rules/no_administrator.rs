//! Nobody is left who can revoke access.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "no-administrator",
    title: "No administrator",
    severity: Severity::High,
    criteria: &["CC6.1"],
    doc: include_str!("no-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    if context.input.administrator_profiles.is_empty() {
        let message = "None of the policy's administrator profiles exists in the workspace, so nobody is recognised as an \
                       administrator; correct administrator_profiles in the policy.";
        sink.report(Subject::Workspace, message);
    } else if context.population.usable_administrators == 0 {
        let message = "No active and confirmed user can administer the workspace; assign an administrator profile to the \
                       person responsible for it.";
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
