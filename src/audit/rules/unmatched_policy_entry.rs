//! A policy entry that matches nothing is misspelt, or approves in advance.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::model::email;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unmatched-policy-entry",
    title: "Policy entry that matches nothing",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("unmatched-policy-entry.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    for name in context.input.unmatched_administrator_profiles {
        // More severe than the rest: a misspelt profile hides administrators.
        let message = format!(
            "“{name}” in administrator_profiles of the policy is not in the profile list, so it makes nobody an \
             administrator; correct it."
        );
        sink.report_as(Severity::Medium, Subject::Workspace, message);
    }
    let Some(approved) = context.policy().approved_administrators.as_ref() else { return Ok(()) };
    // The administrator may be among the users that were not read.
    if !context.complete {
        return Ok(());
    }
    context.knows_administrators()?;
    let addresses: BTreeSet<String> =
        context.administrators().filter_map(|row| row.user.email().map(email::comparable)).collect();
    for address in approved.difference(&addresses) {
        let message = format!(
            "{address} in approved_administrators of the policy is not the address of anyone who can administer; correct it or remove it."
        );
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
