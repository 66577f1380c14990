//! Nobody left who can revoke access.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "no-administrator",
    title: "Workspace that nobody can administer",
    severity: Severity::High,
    criterion: "CC6.1",
    doc: include_str!("no-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if context.input.administrator_profiles.is_empty() {
        let message = "None of the policy's administrator profiles is on the master list, so that nobody counts as \
                       administrator; correct administrator_profiles in the policy.";
        sink.report(Subject::Workspace, message);
    } else if context.population.usable_administrators == 0 {
        let message = "No active and confirmed user has an administrator profile; give it to somebody who answers \
                       for the workspace.";
        sink.report(Subject::Workspace, message);
    }
}
