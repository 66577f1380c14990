//! Without a role it cannot be told whose records a user sees.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "no-role",
    title: "User without a role",
    severity: Severity::Low,
    criterion: "CC6.3",
    doc: include_str!("no-role.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if context.population.without_role == 0 {
        return;
    }
    for row in context.present().filter(|row| row.role.is_none()) {
        sink.report(
            Subject::User(row.user.index()),
            "This user has no role, so that it cannot be told whose records the user sees; assign one.",
        );
    }
}
