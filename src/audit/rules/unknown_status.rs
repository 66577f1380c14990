//! It is unknown whether this user can sign in.

use super::prelude::*;
use crate::model::status::StatusKind;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unknown-status",
    title: "Unknown user status",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("unknown-status.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    for row in context.present().filter(|row| row.user.status().kind() == StatusKind::Other) {
        let message = format!(
            "rolecall does not recognise the status “{}”, so it is unknown whether this user can sign in.",
            row.user.status().word()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}
