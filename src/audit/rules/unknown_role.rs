//! It is unknown whose records this user sees.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unknown-role",
    title: "Unknown role (not in the role list)",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("unknown-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let known: HashSet<&RoleId> = context.directory.roles.iter().map(|role| &role.id).collect();
    if context.directory.users.stated_roles().iter().all(|stated| known.contains(&stated.id)) {
        return Ok(());
    }
    for row in context.present() {
        let Some(role) = row.role.filter(|role| role.master.is_none()) else { continue };
        let message = format!(
            "This user's role, {} “{}”, is not in the role list; assign one from the list.",
            role.stated.id,
            role.stated.name.as_deref().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}
