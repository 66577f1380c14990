//! A review of profiles does not show power that comes with a role.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "administrative-role",
    title: "Administrative role without an administrator profile",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("administrative-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let roles = &context.directory.roles;
    let silent: Vec<&str> =
        roles.iter().filter(|role| role.admin_user.is_none()).map(|role| role.name.as_str()).collect();
    if silent.len() == roles.len() {
        return Err(NotEvaluated::because("the API does not report which roles are administrative (admin_user)"));
    }
    if !silent.is_empty() {
        sink.not_evaluated(format!("the API does not report whether {} is administrative", text::names(silent)));
    }
    if roles.iter().all(|role| role.admin_user != Some(true)) {
        return Ok(());
    }
    for row in context.present().filter(|row| row.user.status().is_active() && !row.administrator) {
        let Some(role) = row.role.and_then(|role| role.master) else { continue };
        if role.admin_user == Some(true) {
            let message = format!(
                "The role “{}” is administrative, but this user has no administrator profile; confirm that this is intended.",
                role.name
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
    Ok(())
}
