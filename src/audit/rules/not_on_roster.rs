//! An account that belongs to nobody who works here.

use super::prelude::*;
use crate::{access::roster::Standing, audit::roster::Identity};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "not-on-roster",
    title: "Active account of nobody in the roster",
    severity: Severity::High,
    criteria: &["CC6.2"],
    doc: include_str!("not-on-roster.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    let mut without_address = 0;
    for row in context.usable() {
        if !context.is_person(row.user.index()) {
            continue;
        }
        match context.employment.identity(row.user.index()) {
            Identity::NoAddress => without_address += 1,
            Identity::One(_) | Identity::Several => {}
            Identity::Nobody => {
                let name = row.user.full_name().unwrap_or_default();
                let hint = people.suggest(name).map(|member| {
                    let has = match member.record().addresses.first() {
                        Some(address) => format!("has another address there ({address})"),
                        None => "has no address there".to_owned(),
                    };
                    let left = if matches!(member.standing, Standing::Left(_)) { " and has left" } else { "" };
                    format!(
                        " A person named “{}” {has}{left}: if it is the same person, add the address as an alias.",
                        member.label()
                    )
                });
                let address = row.user.email().unwrap_or_default().trim();
                let message = format!(
                    "Nobody in the roster has the address {address}; find out whose account it is, or declare it in \
                     policy.accounts.{}",
                    hint.unwrap_or_default()
                );
                sink.report(Subject::User(row.user.index()), message);
            }
        }
    }
    if without_address > 0 {
        sink.not_evaluated(format!("{} no e-mail address", text::count(without_address, "user has", "users have")));
    }
    Ok(())
}
