//! The account that no other administrator can remove belongs to someone else now.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "primary-user-changed",
    title: "Primary user changed",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("primary-user-changed.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let previous = context.previous()?;
    let organization = &context.directory.organization;
    let (Some(before), Some(now)) = (&previous.primary_zuid, &organization.primary_zuid) else {
        return Err(NotEvaluated::because("the API did not report the primary user, now or at the previous audit"));
    };
    if before != now {
        let before = previous.primary_email.as_deref().unwrap_or(before.as_str());
        let now = organization.primary_email.as_deref().unwrap_or(now.as_str());
        let message = format!(
            "The primary user (super admin) was {before} at the previous audit and is {now} now; confirm that the \
             owner of the workspace ordered the change."
        );
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
