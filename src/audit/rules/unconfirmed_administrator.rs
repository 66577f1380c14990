//! Anyone who opens the invitation can do everything.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unconfirmed-administrator",
    title: "Administrator with a pending invitation",
    severity: Severity::High,
    criteria: &["CC6.2"],
    doc: include_str!("unconfirmed-administrator.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.knows_administrators()?;
    let mut unknown = 0;
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        match row.user.confirmed() {
            Some(true) => {}
            Some(false) => sink.report(
                Subject::User(row.user.index()),
                "This administrator has not accepted the invitation, and anyone who opens it gets full power; withdraw \
                 it or have it accepted.",
            ),
            None => unknown += 1,
        }
    }
    if unknown > 0 {
        let who = text::count(unknown, "active administrator", "active administrators");
        sink.not_evaluated(format!("the API did not report whether {who} confirmed"));
    }
    Ok(())
}
