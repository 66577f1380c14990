//! Full power without an approval in the policy.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unapproved-administrator",
    title: "Unapproved administrator",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("unapproved-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    if context.policy().approved_administrators.is_none() {
        return Err(NotEvaluated::because(
            "the policy has no list of approved administrators (approved_administrators)",
        ));
    }
    context.knows_administrators()?;
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        if context.policy().approves(row.user.email()) == Some(true) {
            continue;
        }
        let held = if row.administrator {
            "This administrator".to_owned()
        } else {
            format!("This user has full power by {} and", row.full_power_by())
        };
        let message = if row.user.email().is_some() {
            let what = if row.profile_power.is_full() { "profile" } else { "role" };
            format!(
                "{held} is not in the policy's list of approved administrators; remove the {what}, or have the person \
                 approved and listed."
            )
        } else {
            format!(
                "{held} has no address to look up in the policy's list of approved administrators; find out who it is."
            )
        };
        sink.report(Subject::User(row.user.index()), message + &context.declared(row.user.index()));
    }
    Ok(())
}
