//! A policy entry that matches nothing is misspelt, or approves in advance.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::{access::separation::Sides, model::email};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unmatched-policy-entry",
    title: "Policy entry that matches nothing",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("unmatched-policy-entry.md"),
    judges_population: true,
    evaluate,
};

/// Declarations of accounts that do not apply, or not to everything that they match.
fn accounts(context: &Context<'_>, sink: &mut Sink<'_>) {
    for entry in context.accounts.entries() {
        let (subject, kind, until) = (&entry.account.subject, entry.account.kind, entry.account.until);
        for user in &entry.too_powerful {
            let message = format!(
                "This user matches {subject} in accounts of the policy and has full power, which a pattern does not cover; \
                 declare the {kind} account by its address or id if it is one."
            );
            sink.report_as(Severity::Medium, Subject::User(*user), message);
        }
        if entry.is_over {
            let message = format!(
                "The declaration of {subject} as a {kind} account expired after {until} and no longer applies; renew it or \
                 remove it from the policy."
            );
            sink.report_as(Severity::Low, Subject::Workspace, message);
        } else if !entry.is_matched && context.complete {
            let message = format!("{subject} in accounts of the policy matches no user; correct it or remove it.");
            sink.report(Subject::Workspace, message);
        }
    }
}

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    for name in context.input.unmatched_administrator_profiles {
        // More severe than the rest: a misspelt profile hides administrators.
        let message = format!(
            "“{name}” in administrator_profiles of the policy is not in the profile list, so it makes nobody an \
             administrator; correct it."
        );
        sink.report_as(Severity::Medium, Subject::Workspace, message);
    }
    accounts(context, sink);
    separations(context, sink);
    planned_fixes(sink);
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

/// A separation of which one side matches nothing would never find anything, so it is as severe.
fn separations(context: &Context<'_>, sink: &mut Sink<'_>) {
    for separation in &context.policy().separations {
        for side in Sides::new(separation).unmatched(&context.directory.profiles, &context.directory.roles) {
            let message = format!(
                "The separation “{}” of the policy cannot find anybody: its {side} matches nothing here; correct it.",
                separation.name
            );
            sink.report_as(Severity::Medium, Subject::Workspace, message);
        }
    }
}

fn planned_fixes(sink: &mut Sink<'_>) {
    let unmatched = sink.planned_fixes().entries().iter().filter(|entry| !entry.matched);
    let unmatched = unmatched.filter(|entry| sink.has_looked_at_everything(&entry.item.rule));
    let messages: Vec<String> = unmatched
        .map(|entry| {
            let (rule, subject, owner) = (&entry.item.rule, &entry.item.subject, &entry.item.owner);
            format!(
                "The planned fix of {rule} for {subject} ({owner}) matches no finding; remove it if that is fixed, or correct \
                 it."
            )
        })
        .collect();
    for message in messages {
        sink.report(Subject::Workspace, message);
    }
}
