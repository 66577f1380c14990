//! The one account that nobody else can remove belongs to somebody who left, or never came.

use super::prelude::*;
use crate::access::matrix::MatrixRow;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "primary-user-inactive",
    title: "Primary user (super admin) who cannot act",
    severity: Severity::High,
    criterion: "CC6.2",
    doc: include_str!("primary-user-inactive.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(zuid) = &context.directory.organization.primary_zuid else {
        return sink.not_evaluated("the API did not name the primary user of the organization");
    };
    let mut found = None;
    let mut any_zuid = false;
    for row in context.input.matrix.rows() {
        any_zuid |= row.user.zuid().is_some();
        // Of two accounts of the person the one that is not deleted counts.
        if row.user.zuid() == Some(zuid.as_str()) && found.is_none_or(|known| is_deleted(&known)) {
            found = Some(row);
        }
    }
    let shown = context.directory.organization.primary_email.as_deref().unwrap_or(zuid.as_str());
    match found {
        None if !any_zuid => sink.not_evaluated("no user record carries the id that names the primary user (zuid)"),
        None => {
            let message = format!("The primary user (super admin) {shown} is not among the users of the workspace.");
            sink.report(Subject::Workspace, message);
        }
        Some(row) if is_deleted(&row) => {
            let message = format!("The primary user (super admin) {shown} is deleted; have the vendor transfer it.");
            sink.report(Subject::Workspace, message);
        }
        Some(row) => {
            let mut defects = Vec::new();
            if !row.user.status().is_active() {
                defects.push(format!("has the status “{}”", row.user.status().word()));
            }
            if row.user.confirmed() == Some(false) {
                defects.push("never accepted the invitation".to_owned());
            }
            if !context.input.administrator_profiles.is_empty() && !row.administrator {
                defects.push("has no administrator profile".to_owned());
            }
            if !defects.is_empty() {
                let message = format!(
                    "The primary user (super admin) {}; transfer it to an active administrator.",
                    defects.join(" and ")
                );
                sink.report(Subject::User(row.user.index()), message);
            }
        }
    }
}

fn is_deleted(row: &MatrixRow<'_>) -> bool {
    row.user.status().is_deleted()
}
