//! Switched on again, the account has full power at once.

use super::prelude::*;
use crate::model::status::StatusKind;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "inactive-administrator",
    title: "Inactive user who still holds an administrator profile",
    severity: Severity::Medium,
    criterion: "CC6.2",
    doc: include_str!("inactive-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !context.knows_administrators(sink) {
        return;
    }
    for row in context.administrators().filter(|row| row.user.status().kind() == StatusKind::Inactive) {
        let message = format!(
            "This user is {} and still has the profile “{}”; give it a lesser profile or delete it.",
            row.user.status().word(),
            row.profile_name().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
}
