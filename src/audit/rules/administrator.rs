//! Names every active administrator for review; approved ones for information.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "administrator",
    title: "Active administrator",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.knows_administrators()?;
    // Other ways to full power have rules of their own.
    for row in context.administrators().filter(|row| row.administrator && row.user.status().is_active()) {
        let subject = Subject::User(row.user.index());
        let declared = context.declared(row.user.index());
        let profile = row.profile_name().unwrap_or_default();
        if context.policy().approves(row.user.email()) == Some(true) {
            let message = format!("Administrator through the profile “{profile}”, approved in the policy.{declared}");
            sink.report_as(Severity::Info, subject, message);
        } else {
            let whom = if declared.is_empty() { "this person" } else { "this account" };
            let message =
                format!("Administrator through the profile “{profile}”; confirm that {whom} still needs it.{declared}");
            sink.report(subject, message);
        }
    }
    Ok(())
}
