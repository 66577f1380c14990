//! A list that names nobody is a misspelling, or approves in advance.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::model::email;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unmatched-policy-entry",
    title: "Entry of the policy that matches nothing",
    severity: Severity::Info,
    criterion: "CC6.3",
    doc: include_str!("unmatched-policy-entry.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    for name in context.input.unmatched_administrator_profiles {
        // Graver than the rest: a misspelt profile hides administrators.
        let message = format!(
            "“{name}” of administrator_profiles in the policy is no profile on the master list, so that nobody counts as \
             administrator by it; correct it."
        );
        sink.report_as(Severity::Medium, Subject::Workspace, message);
    }
    let Some(approved) = context.policy().approved_administrators.as_ref() else { return };
    // Somebody who was not read may be the one.
    if !context.complete || !context.knows_administrators(sink) {
        return;
    }
    let addresses: BTreeSet<String> =
        context.administrators().filter_map(|row| row.user.email().map(email::comparable)).collect();
    for address in approved.difference(&addresses) {
        let message = format!(
            "{address} of approved_administrators in the policy is no administrator's address; correct it or take it out."
        );
        sink.report(Subject::Workspace, message);
    }
}
