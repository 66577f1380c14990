//! A pending invitation is access that nobody monitors.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unconfirmed-user",
    title: "Invitation pending for too long",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("unconfirmed-user.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let days = context.policy().unconfirmed_days;
    let (mut unknown, mut undated) = (0, 0);
    let people = context.present().filter(|row| context.is_person(row.user.index()));
    for row in people.filter(|row| row.user.status().is_active()) {
        match (row.user.confirmed(), row.user.created()) {
            (Some(true), _) => {}
            (None, _) => unknown += 1,
            (Some(false), None) => undated += 1,
            (Some(false), Some(created)) => {
                let age = (context.input.now - created).num_days();
                if age > days {
                    let message = format!(
                        "The invitation has been pending for {age} days; the policy allows {days}; withdraw it or have \
                         it accepted."
                    );
                    sink.report(Subject::User(row.user.index()), message);
                }
            }
        }
    }
    if unknown > 0 {
        let users = text::count(unknown, "active user", "active users");
        sink.not_evaluated(format!("the API did not report whether {users} confirmed"));
    }
    if undated > 0 {
        let users = text::count(undated, "unconfirmed user was", "unconfirmed users were");
        sink.not_evaluated(format!("the API did not report when {users} created"));
    }
    Ok(())
}
