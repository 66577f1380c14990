//! Once enabled again, the account has full power at once.

use super::prelude::*;
use crate::model::{account::AccountKind, status::StatusKind};

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
    // A declared emergency account is kept inactive until it is needed.
    let is_kept = |user| context.accounts.get(user).is_some_and(|account| account.kind == AccountKind::BreakGlass);
    let inactive = context.administrators().filter(|row| row.user.status().kind() == StatusKind::Inactive);
    for row in inactive.filter(|row| !is_kept(row.user.index())) {
        let message = format!(
            "This user is {} and still has {}; assign one with fewer permissions, or delete the user.",
            row.user.status().word(),
            row.full_power_by()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}
