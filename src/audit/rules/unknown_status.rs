//! It cannot be told whether this user can sign in.

use super::prelude::*;
use crate::model::status::StatusKind;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unknown-status",
    title: "User with a status that rolecall does not know",
    severity: Severity::Medium,
    criterion: "CC6.2",
    doc: include_str!("unknown-status.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    for row in context.present().filter(|row| row.user.status().kind() == StatusKind::Other) {
        let message = format!(
            "The status “{}” is none that rolecall knows, so that it cannot be told whether this user can sign in.",
            row.user.status().word()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
}
