//! Without a profile it is unknown what a user may do.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "no-profile",
    title: "User without a profile",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("no-profile.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    if context.population.without_profile == 0 {
        return Ok(());
    }
    for row in context.present().filter(|row| row.profile.is_none()) {
        sink.report(
            Subject::User(row.user.index()),
            "This user has no profile, so it is unknown what the user may do; assign one.",
        );
    }
    Ok(())
}
