//! A stale role name misleads whoever reads the user list by itself.

use std::collections::HashMap;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "stale-role-name",
    title: "User records that call a role by another name",
    severity: Severity::Low,
    criterion: "CC6.3",
    doc: include_str!("stale-role-name.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let names: HashMap<&RoleId, &str> =
        context.directory.roles.iter().map(|role| (&role.id, role.name.as_str())).collect();
    let stated = context.directory.users.stated_roles();
    for (stated, holders) in stated.iter().zip(&context.population.roles).filter(|(_, holders)| holders.present > 0) {
        let (Some(name), Some(listed)) = (stated.name.as_deref(), names.get(&stated.id)) else { continue };
        if name != *listed {
            let message = format!(
                "{} this role “{name}”; the master list calls it “{listed}”, and so do the reports.",
                text::count(holders.present, "user record calls", "user records call")
            );
            sink.report(Subject::Role(stated.id.clone()), message);
        }
    }
}
