//! An outdated role name misleads anyone who reads only the user list.

use std::collections::HashMap;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "stale-role-name",
    title: "Outdated role name in user records",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("stale-role-name.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.stated_names()?;
    let names: HashMap<&RoleId, &str> =
        context.directory.roles.iter().map(|role| (&role.id, role.name.as_str())).collect();
    let stated = context.directory.users.stated_roles();
    for (stated, holders) in stated.iter().zip(&context.population.roles).filter(|(_, holders)| holders.present > 0) {
        let (Some(name), Some(listed)) = (stated.name.as_deref(), names.get(&stated.id)) else { continue };
        if name != *listed {
            let message = format!(
                "{} “{name}” for this role; the role list and the reports call it “{listed}”.",
                text::count(holders.present, "user record says", "user records say")
            );
            sink.report(Subject::Role(stated.id.clone()), message);
        }
    }
    Ok(())
}
