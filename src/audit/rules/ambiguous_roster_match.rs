//! One address, two people: whose account it is cannot be decided.

use super::prelude::*;
use crate::{
    access::roster::{Member, Standing},
    audit::roster::Identity,
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "ambiguous-roster-match",
    title: "Account of an address that several people have",
    severity: Severity::High,
    criteria: &["CC6.1"],
    doc: include_str!("ambiguous-roster-match.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    for row in context.usable().filter(|row| context.employment.identity(row.user.index()) == Identity::Several) {
        let candidates = context.employment.candidates(people, &row);
        let shown: Vec<String> = candidates.iter().take(10).map(|one| described(one)).collect();
        let created = row.user.created().map(|created| created.date_naive());
        let before = candidates.iter().find_map(|one| {
            let start = one.start().filter(|_| matches!(one.standing, Standing::Current(_)))?;
            created.filter(|created| *created < start).map(|created| (one.label(), start, created))
        });
        let before = before.map(|(name, start, created)| {
            format!(
                " It was created on {created}, before “{name}” started on {start}, so it was made for somebody else."
            )
        });
        let message = format!(
            "Several people in the roster have this address: {}. Decide whose account it is, and correct the roster.{}",
            crate::words::list(&shown, candidates.len()),
            before.unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}

fn described(member: &Member<'_>) -> String {
    let standing = match member.standing {
        Standing::Current(_) => "works here".to_owned(),
        Standing::Left(Some(last)) => format!("left on {last}"),
        Standing::Left(None) => "has left".to_owned(),
        Standing::Joining(_) => "has not started".to_owned(),
        Standing::Unknown => format!("status “{}”", member.record().status),
    };
    format!("“{}” ({standing})", member.label())
}
