//! It is unknown who sees the records of this role's holders.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "missing-parent-role",
    title: "Role that reports to an unknown role",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("missing-parent-role.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let known: HashSet<&RoleId> = context.directory.roles.iter().map(|role| &role.id).collect();
    for role in &context.directory.roles {
        let Some(parent) = role.reporting_to.as_ref().filter(|parent| !known.contains(parent)) else { continue };
        let message = format!(
            "This role reports to {parent}, which is not in the role list; make it report to an existing role."
        );
        sink.report(Subject::Role(role.id.clone()), message);
    }
    Ok(())
}
