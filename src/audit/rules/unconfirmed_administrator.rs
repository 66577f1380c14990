//! Whoever opens the invitation can do everything.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unconfirmed-administrator",
    title: "Open invitation that makes an administrator",
    severity: Severity::High,
    criterion: "CC6.2",
    doc: include_str!("unconfirmed-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !context.knows_administrators(sink) {
        return;
    }
    let mut unknown = 0;
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        match row.user.confirmed() {
            Some(true) => {}
            Some(false) => sink.report(
                Subject::User(row.user.index()),
                "The invitation to this administrator was never accepted, and whoever opens it can do everything; \
                 withdraw it or have it accepted.",
            ),
            None => unknown += 1,
        }
    }
    if unknown > 0 {
        let who = text::count(unknown, "active administrator", "active administrators");
        sink.not_evaluated(format!("the API did not say whether {who} confirmed"));
    }
}
