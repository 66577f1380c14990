//! A role that nobody has makes the hierarchy harder to review.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unused-role",
    title: "Role that nobody has",
    severity: Severity::Info,
    criterion: "CC6.3",
    doc: include_str!("unused-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let stated = context.directory.users.stated_roles().iter().zip(&context.population.roles);
    let used: HashSet<&RoleId> =
        stated.filter(|(_, holders)| holders.present > 0).map(|(stated, _)| &stated.id).collect();
    for role in context.directory.roles.iter().filter(|role| !used.contains(&role.id)) {
        sink.report(
            Subject::Role(role.id.clone()),
            "No user has this role, deleted ones aside; delete it if nobody needs it.",
        );
    }
}
