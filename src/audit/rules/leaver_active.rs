//! Whoever has left may not sign in any more.

use super::prelude::*;
use crate::access::roster::{Member, Standing};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "leaver-active",
    title: "Active account of a person who has left",
    severity: Severity::Critical,
    criteria: &["CC6.2"],
    doc: include_str!("leaver-active.md"),
    judges_population: true,
    evaluate,
};

/// A declared account is not passed over: a declaration must not hide the account of a person who has left.
fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    let (mut without_address, mut unknown) = (0, 0);
    for row in context.usable() {
        if row.user.email().is_none_or(|address| address.trim().is_empty()) {
            without_address += 1;
            continue;
        }
        let candidates = context.employment.candidates(people, &row);
        unknown += usize::from(candidates.iter().any(|one| one.standing == Standing::Unknown));
        let has_left = |one: &&Member<'_>| matches!(one.standing, Standing::Left(_));
        // If several people have the address and all of them have left, nobody may use it.
        let Some(member) = candidates.first().filter(|_| candidates.iter().all(has_left)) else { continue };
        let power = match row.full_power_by() {
            by if by.is_empty() => String::new(),
            by => format!(" and has full power through {by}"),
        };
        let message =
            format!("{}, and this account is still active{power}; disable or delete it.", left(context, member));
        sink.report(Subject::User(row.user.index()), message);
    }
    if without_address > 0 {
        sink.not_evaluated(format!("{} no e-mail address", text::count(without_address, "user has", "users have")));
    }
    if unknown > 0 {
        let users = text::count(unknown, "user is", "users are");
        sink.not_evaluated(format!("the status of people in the roster who {users} is not known; list the values that mean “works here” in `current`"));
    }
    Ok(())
}

/// Who left when, as the roster has it.
pub(super) fn left(context: &Context<'_>, member: &Member<'_>) -> String {
    let record = member.record();
    let when = match member.standing {
        Standing::Left(Some(last)) => {
            let days = (context.today(&record.roster) - last).num_days();
            let still = if record.meaning == crate::model::roster::Meaning::Current {
                format!(", although the roster still says “{}”", record.status)
            } else {
                String::new()
            };
            format!("{} ({} ago{still})", last, text::count(days, "day", "days"))
        }
        _ => return format!("“{}” has left: the status in the roster is “{}”", member.label(), record.status),
    };
    format!("“{}” left on {when}", member.label())
}
