//! Without a role it is unknown whose records a user sees.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "no-role",
    title: "User without a role",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("no-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    if context.population.without_role == 0 {
        return Ok(());
    }
    for row in context.present().filter(|row| row.role.is_none()) {
        sink.report(
            Subject::User(row.user.index()),
            "This user has no role, so it is unknown whose records the user sees; assign one.",
        );
    }
    Ok(())
}
