//! Who began lately and has no account yet.

use std::collections::HashSet;

use super::prelude::*;
use crate::{access::roster::Standing, audit::roster::Identity, words::list};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "joiner-without-account",
    title: "People who started lately and have no account",
    severity: Severity::Low,
    criteria: &["CC6.2"],
    doc: include_str!("joiner-without-account.md"),
    judges_population: true,
    evaluate,
};

/// Days since the first day for which somebody is new.
const NEW: i64 = 30;

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    if people.members().iter().all(|member| member.start().is_none()) {
        return Err(NotEvaluated::because("the roster does not say when people started"));
    }
    let mut accounts: HashSet<usize> = HashSet::new();
    for row in context.present() {
        match context.employment.identity(row.user.index()) {
            Identity::One(place) => _ = accounts.insert(place),
            Identity::Several => {
                accounts.extend(row.user.email().map(|address| people.places(address)).unwrap_or_default());
            }
            Identity::NoAddress | Identity::Nobody => {}
        }
    }
    let is_new = |start: chrono::NaiveDate, today: chrono::NaiveDate| (0..=NEW).contains(&(today - start).num_days());
    let mut without: Vec<String> = Vec::new();
    for (place, member) in people.members().iter().enumerate() {
        let Some(start) = member.start().filter(|_| matches!(member.standing, Standing::Current(_))) else { continue };
        if is_new(start, context.today(&member.record().roster)) && !accounts.contains(&place) {
            without.push(format!("“{}” (since {start})", member.label()));
        }
    }
    without.sort();
    if !without.is_empty() {
        let shown = &without[..without.len().min(10)];
        let message = format!("No account belongs to {}; create one if they need it.", list(shown, without.len()));
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}
