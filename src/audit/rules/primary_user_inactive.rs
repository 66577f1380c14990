//! The account that no other administrator can remove belongs to someone who left or never joined.

use super::prelude::*;
use crate::access::matrix::MatrixRow;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "primary-user-inactive",
    title: "Primary user unable to administer",
    severity: Severity::High,
    criteria: &["CC6.2"],
    doc: include_str!("primary-user-inactive.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let Some(zuid) = &context.directory.organization.primary_zuid else {
        return Err(NotEvaluated::because("the API did not report the primary user of the organization"));
    };
    let mut found = None;
    let mut any_zuid = false;
    for row in context.input.matrix.rows() {
        any_zuid |= row.user.zuid().is_some();
        // A person may have two accounts: prefer the one that is not deleted.
        if row.user.zuid() == Some(zuid.as_str()) && found.is_none_or(|known| is_deleted(&known)) {
            found = Some(row);
        }
    }
    let shown = context.directory.organization.primary_email.as_deref().unwrap_or(zuid.as_str());
    match found {
        None if !any_zuid => sink.not_evaluated("no user record has a zuid, the id that identifies the primary user"),
        None => {
            let message = format!(
                "The primary user (super admin) {shown} is not in the user list of the workspace; have the vendor transfer the ownership."
            );
            sink.report(Subject::Workspace, message);
        }
        Some(row) if is_deleted(&row) => {
            let message =
                format!("The primary user (super admin) {shown} is deleted; have the vendor transfer the ownership.");
            sink.report(Subject::Workspace, message);
        }
        Some(row) => {
            let mut defects = Vec::new();
            if !row.user.status().is_active() {
                defects.push(format!("has the status “{}”", row.user.status().word()));
            }
            if row.user.confirmed() == Some(false) {
                defects.push("has not accepted the invitation".to_owned());
            }
            if !context.input.administrator_profiles.is_empty() && !row.administrator {
                defects.push("has no administrator profile".to_owned());
            }
            if !defects.is_empty() {
                let message = format!(
                    "The primary user (super admin) {}; transfer the ownership to an active administrator.",
                    defects.join(" and ")
                );
                sink.report(Subject::User(row.user.index()), message);
            }
        }
    }
    Ok(())
}

fn is_deleted(row: &MatrixRow<'_>) -> bool {
    row.user.status().is_deleted()
}
