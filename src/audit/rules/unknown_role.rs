//! Whose records this user sees cannot be told.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::RoleId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unknown-role",
    title: "User with a role that is on no list",
    severity: Severity::Medium,
    criterion: "CC6.3",
    doc: include_str!("unknown-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let known: HashSet<&RoleId> = context.directory.roles.iter().map(|role| &role.id).collect();
    if context.directory.users.stated_roles().iter().all(|stated| known.contains(&stated.id)) {
        return;
    }
    for row in context.present() {
        let Some(role) = row.role.filter(|role| role.master.is_none()) else { continue };
        let message = format!(
            "The role of this user, {} “{}”, is not on the master list of roles; assign one that is.",
            role.stated.id,
            role.stated.name.as_deref().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
}
