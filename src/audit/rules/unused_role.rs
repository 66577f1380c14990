//! Unused roles make the hierarchy harder to review.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unused-role",
    title: "Unused role",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("unused-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let stated = context.directory.users.stated_roles().iter().zip(&context.population.roles);
    let used: HashSet<&RoleId> =
        stated.filter(|(_, holders)| holders.present > 0).map(|(stated, _)| &stated.id).collect();
    for role in context.directory.roles.iter().filter(|role| !used.contains(&role.id)) {
        sink.report(
            Subject::Role(role.id.clone()),
            "No user has this role (deleted users are ignored); delete it if nobody needs it.",
        );
    }
    Ok(())
}
