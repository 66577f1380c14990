//! Who sees the records of this role's holders cannot be told.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "missing-parent-role",
    title: "Role whose superior is on no list",
    severity: Severity::Low,
    criterion: "CC6.3",
    doc: include_str!("missing-parent-role.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let known: HashSet<&RoleId> = context.directory.roles.iter().map(|role| &role.id).collect();
    for role in &context.directory.roles {
        let Some(parent) = role.reporting_to.as_ref().filter(|parent| !known.contains(parent)) else { continue };
        let message = format!(
            "This role reports to {parent}, which is not on the master list of roles; give it a superior that is."
        );
        sink.report(Subject::Role(role.id.clone()), message);
    }
}
