//! While people decide about an account, nobody else should.

use std::collections::BTreeMap;

use super::prelude::*;
use crate::{
    audit::reviewed::{accounts, held, place},
    model::{
        reviewed::{AccountDecision, Held, ReviewedAccount, UnderReview, Wanted},
        status::StatusKind,
    },
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "changed-without-decision",
    title: "Account changed while under review, without a decision or against it",
    severity: Severity::Medium,
    criteria: &["CC6.2", "CC6.3"],
    doc: include_str!("changed-without-decision.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let mut gone: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for (review, account, user) in accounts(context) {
        let Some(user) = user else {
            // In an incomplete read the account may be there.
            if context.complete && !may_be_gone(review, account) {
                let of = (review.name.as_str(), review.review.to_string());
                gone.entry(of).or_default().push(format!("{} (item {})", account.account, account.item));
            }
            continue;
        };
        let now = held(&user);
        let changes = changes(review, account, now);
        if !changes.is_empty() {
            let decided = decided(account);
            let message =
                format!("Since the opening of {}, {}; {decided}.", place(review, account), changes.join(" and "));
            sink.report(Subject::User(user.index()), message);
        }
    }
    for ((name, id), accounts) in gone {
        let message = format!(
            "Since the opening of the review “{name}” ({id}), accounts are gone that nobody decided to remove: {}.",
            text::some_of(accounts.iter().map(String::as_str), accounts.len())
        );
        sink.report(Subject::Workspace, message);
    }
    Ok(())
}

fn is_there(status: StatusKind) -> bool {
    matches!(status, StatusKind::Active | StatusKind::Other)
}

/// Whether it is decided that the account loses access: then it may be gone. After the close, only what was decided counts.
fn may_be_gone(review: &UnderReview, account: &ReviewedAccount) -> bool {
    let wanted = account.decision.as_ref().map(|decision| &decision.wanted);
    !review.is_open || wanted.is_some_and(|wanted| *wanted != Wanted::Keep)
}

/// What became of an account that was not decided.
fn changes(review: &UnderReview, account: &ReviewedAccount, now: Held<'_>) -> Vec<&'static str> {
    let wanted = account.decision.as_ref().map(|decision| &decision.wanted);
    if wanted == Some(&Wanted::Remove) {
        return Vec::new();
    }
    if !is_there(now.status) {
        let what = if now.status == StatusKind::Deleted { "it was deleted" } else { "it was disabled" };
        return if may_be_gone(review, account) { Vec::new() } else { vec![what] };
    }
    let is_role = matches!(wanted, Some(Wanted::Role { .. }));
    let is_profile = matches!(wanted, Some(Wanted::Profile { .. }));
    // After the close, what was not to be changed may be.
    let looks_at = |is_wanted: bool| review.is_open || is_wanted;
    let is_other = |before: &Option<String>, held: Option<&str>| before.as_deref() != held;
    let is_carried_out = wanted.is_some_and(|wanted| wanted.shown_by(Some(now)).is_some());
    let mut changes = Vec::new();
    if looks_at(is_role) && is_other(&account.role_id, now.role) && !(is_role && is_carried_out) {
        changes.push("its role was changed");
    }
    if looks_at(is_profile) && is_other(&account.profile_id, now.profile) && !(is_profile && is_carried_out) {
        changes.push("its profile was changed");
    }
    changes
}

fn decided(account: &ReviewedAccount) -> String {
    let Some(AccountDecision { wanted, by, at, .. }) = &account.decision else {
        return format!("{} has not decided about it", account.reviewer);
    };
    let what = match wanted {
        Wanted::Keep => "to keep it as it was".to_owned(),
        Wanted::Remove => "to remove it".to_owned(),
        Wanted::Role { id, name } => format!("to give it the role “{}”", name.as_ref().unwrap_or(id)),
        Wanted::Profile { id, name } => format!("to give it the profile “{}”", name.as_ref().unwrap_or(id)),
    };
    format!("{by} decided {what} on {}", at.format("%Y-%m-%d"))
}
