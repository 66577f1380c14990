//! Power that comes by the role and not by the profile is seen by nobody who looks at profiles.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "administrative-role",
    title: "Administrative role without an administrator profile",
    severity: Severity::Medium,
    criterion: "CC6.3",
    doc: include_str!("administrative-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let roles = &context.directory.roles;
    let silent: Vec<&str> =
        roles.iter().filter(|role| role.admin_user.is_none()).map(|role| role.name.as_str()).collect();
    if silent.len() == roles.len() {
        return sink.not_evaluated("the API does not tell which roles are administrative (admin_user)");
    }
    if !silent.is_empty() {
        sink.not_evaluated(format!("the API does not tell whether {} is administrative", text::names(silent)));
    }
    if roles.iter().all(|role| role.admin_user != Some(true)) {
        return;
    }
    for row in context.present().filter(|row| row.user.status().is_active() && !row.administrator) {
        let Some(role) = row.role.and_then(|role| role.master) else { continue };
        if role.admin_user == Some(true) {
            let message = format!(
                "The role “{}” is administrative, and this user has no administrator profile; confirm that it is meant.",
                role.name
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
}
