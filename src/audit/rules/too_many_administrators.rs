//! Each additional administrator is one more account that can do everything.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "too-many-administrators",
    title: "Too many administrators",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("too-many-administrators.md"),
    judges_population: true,
    evaluate,
};

/// Every workspace needs two administrators, so the share does not apply to fewer users than that allows.
const ALWAYS_ALLOWED: usize = 2;

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.knows_administrators()?;
    let (count, active) = (context.population.active_administrators, context.population.active);
    let (most, most_percent) = (context.policy().max_administrators, context.policy().max_administrator_percent);
    let percent = 100.0 * count as f64 / active.max(1) as f64;
    if count > most {
        let message = format!(
            "{count} of {} can administer, {percent:.1} %; the policy allows {most}.",
            text::count(active, "active user", "active users")
        );
        sink.report(Subject::Workspace, message);
    } else if count > ALWAYS_ALLOWED && percent > most_percent {
        let message = format!(
            "{count} of {} can administer, {percent:.1} %; the policy allows {most_percent} %.",
            text::count(active, "active user", "active users")
        );
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
