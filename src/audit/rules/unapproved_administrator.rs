//! Power that is on no list of those who may have it.

use super::prelude::*;
use crate::model::email;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unapproved-administrator",
    title: "Administrator whom nobody approved",
    severity: Severity::High,
    criterion: "CC6.3",
    doc: include_str!("unapproved-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(approved) = &context.policy().approved_administrators else {
        return sink.not_evaluated("the policy has no list of approved administrators (approved_administrators)");
    };
    if !context.knows_administrators(sink) {
        return;
    }
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        match row.user.email().map(email::comparable) {
            Some(address) if approved.contains(&address) => {}
            Some(_) => sink.report(
                Subject::User(row.user.index()),
                "This administrator is not on the policy's list of approved administrators; take the profile away, \
                 or have it approved and listed.",
            ),
            None => sink.report(
                Subject::User(row.user.index()),
                "This administrator has no address to look up on the policy's list of approved administrators; find \
                 out who it is.",
            ),
        }
    }
}
