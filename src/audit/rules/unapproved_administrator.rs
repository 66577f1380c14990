//! Full power without an approval in the policy.

use super::prelude::*;
use crate::model::email;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unapproved-administrator",
    title: "Unapproved administrator",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("unapproved-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let Some(approved) = &context.policy().approved_administrators else {
        return Err(NotEvaluated::because(
            "the policy has no list of approved administrators (approved_administrators)",
        ));
    };
    context.knows_administrators()?;
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        match row.user.email().map(email::comparable) {
            Some(address) if approved.contains(&address) => {}
            Some(_) => sink.report(
                Subject::User(row.user.index()),
                "This administrator is not in the policy's list of approved administrators; remove the profile, or have \
                 the person approved and listed.",
            ),
            None => sink.report(
                Subject::User(row.user.index()),
                "This administrator has no address to look up in the policy's list of approved administrators; find \
                 out who it is.",
            ),
        }
    }
    Ok(())
}
