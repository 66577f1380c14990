//! Without a manager, nobody reviews what a person may do.

use std::collections::BTreeMap;

use super::{leaver_active::left, prelude::*};
use crate::access::roster::{Match, Standing};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "manager-left",
    title: "User whose manager has left",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("manager-left.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    if people.members().iter().all(|member| member.manager().is_empty()) {
        return Err(NotEvaluated::because("the roster does not say who is whose manager"));
    }
    let mut unclear: BTreeMap<&str, usize> = BTreeMap::new();
    for row in context.usable() {
        let Some(member) = context.member(people, &row) else { continue };
        let manager = member.manager();
        if manager.is_empty() || matches!(member.standing, Standing::Left(_)) {
            continue;
        }
        if !manager.contains('@') {
            *unclear.entry("a manager who is named without an address").or_default() += 1;
            continue;
        }
        match people.find(manager) {
            Match::One(other) if matches!(other.standing, Standing::Left(_)) => {
                let message =
                    format!("The manager {}; name a new one who reviews this person's access.", left(context, other));
                sink.report(Subject::User(row.user.index()), message);
            }
            Match::One(_) => {}
            Match::Nobody => *unclear.entry("a manager who is not in the roster").or_default() += 1,
            Match::Several(_) => *unclear.entry("a manager whose address several people have").or_default() += 1,
        }
    }
    for (what, users) in unclear {
        sink.not_evaluated(format!("{} {what}", text::count(users, "user has", "users have")));
    }
    Ok(())
}
