//! In a cycle every role is above every other: the hierarchy restricts nobody.

use std::collections::HashMap;

use super::prelude::*;
use crate::{
    access::hierarchy::{self, Top},
    model::id::RoleId,
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "role-cycle",
    title: "Cycle in the role hierarchy",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("role-cycle.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let names: HashMap<&RoleId, &str> =
        context.directory.roles.iter().map(|role| (&role.id, role.name.as_str())).collect();
    for branch in hierarchy::tree(&context.directory.roles) {
        let Some(Top::Cycle(cycle)) = branch.top else { continue };
        let through = cycle.iter().filter_map(|id| names.get(id).copied());
        let message = format!(
            "This role reports to itself through {}; make one of them report to a role outside the cycle.",
            text::names(through)
        );
        sink.report(Subject::Role(branch.role.id.clone()), message);
    }
    Ok(())
}
