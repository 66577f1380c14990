//! Once enabled again, the account has full power at once.

use super::prelude::*;
use crate::model::status::StatusKind;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "inactive-administrator",
    title: "Inactive user with an administrator profile",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("inactive-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.knows_administrators()?;
    for row in context.administrators().filter(|row| row.user.status().kind() == StatusKind::Inactive) {
        let message = format!(
            "This user is {} and still has {}; assign one with fewer permissions, or delete the user.",
            row.user.status().word(),
            row.full_power_by()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}
