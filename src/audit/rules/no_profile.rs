//! Without a profile it cannot be told what a user may do.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "no-profile",
    title: "User without a profile",
    severity: Severity::Medium,
    criterion: "CC6.3",
    doc: include_str!("no-profile.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if context.population.without_profile == 0 {
        return;
    }
    for row in context.present().filter(|row| row.profile.is_none()) {
        sink.report(
            Subject::User(row.user.index()),
            "This user has no profile, so that it cannot be told what the user may do; assign one.",
        );
    }
}
