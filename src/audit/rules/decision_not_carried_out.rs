//! What was decided has to be done.

use super::prelude::*;
use crate::{
    audit::reviewed::{accounts, held, place},
    model::reviewed::Wanted,
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "decision-not-carried-out",
    title: "Decision of a review that was not carried out in time",
    severity: Severity::High,
    criteria: &["CC6.2", "CC6.3"],
    doc: include_str!("decision-not-carried-out.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    for (review, account, user) in accounts(context) {
        let Some((decision, due)) = account.decision.as_ref().and_then(|decision| Some((decision, decision.due?)))
        else {
            continue;
        };
        // An account that is not listed any more is gone, which carries out any decision.
        let Some(user) = user.filter(|_| due < context.input.now) else { continue };
        if decision.wanted.shown_by(Some(held(&user))).is_some() {
            continue;
        }
        let (what, still) = match &decision.wanted {
            Wanted::Role { id, name } => {
                (format!("to give it the role “{}”", name.as_ref().unwrap_or(id)), "has another role")
            }
            Wanted::Profile { id, name } => {
                (format!("to give it the profile “{}”", name.as_ref().unwrap_or(id)), "has another profile")
            }
            Wanted::Keep | Wanted::Remove => ("to remove it".to_owned(), "can sign in"),
        };
        let days = (context.input.now - due).num_days();
        let late =
            if days == 0 { "since today".to_owned() } else { format!("for {}", text::count(days, "day", "days")) };
        let message = format!(
            "{} decided {what} on {} in {}. That was due on {}, is overdue {late}, and the account still {still}; carry it out.",
            decision.by,
            decision.at.format("%Y-%m-%d"),
            place(review, account),
            due.format("%Y-%m-%d"),
        );
        sink.report(Subject::User(user.index()), message);
    }
    Ok(())
}
