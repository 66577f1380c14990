//! In a circle everybody stands above everybody: the hierarchy restricts nobody.

use std::collections::HashMap;

use super::prelude::*;
use crate::{
    access::hierarchy::{self, Top},
    model::id::RoleId,
};

pub(in crate::audit) const RULE: Rule = Rule {
    name: "role-cycle",
    title: "Roles that report to each other in a circle",
    severity: Severity::Medium,
    criterion: "CC6.3",
    doc: include_str!("role-cycle.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let names: HashMap<&RoleId, &str> =
        context.directory.roles.iter().map(|role| (&role.id, role.name.as_str())).collect();
    for branch in hierarchy::tree(&context.directory.roles) {
        let Some(Top::Cycle(cycle)) = branch.top else { continue };
        let through = cycle.iter().filter_map(|id| names.get(id).copied());
        let message =
            format!("This role reports to itself through {}; give one of them another superior.", text::names(through));
        sink.report(Subject::Role(branch.role.id.clone()), message);
    }
}
