//! An emergency account is used in an emergency: every change of it has to have a reason.

use super::prelude::*;
use crate::model::{account::AccountKind, change::Change, users::User};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "break-glass-changed",
    title: "Emergency account changed or used",
    severity: Severity::High,
    criteria: &["CC6.1", "CC6.3"],
    doc: include_str!("break-glass-changed.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let emergency = || context.accounts.users().filter(|(_, account)| account.kind == AccountKind::BreakGlass);
    if emergency().count() == 0 {
        return Ok(());
    }
    let previous = context.previous()?;
    for (index, account) in emergency() {
        let user = context.directory.users.get(index);
        let mut signs: Vec<String> =
            context.input.changes.iter().filter(|change| is_of(change, &user)).map(sign).collect();
        if let Some(modified) = user.modified().filter(|modified| *modified > previous.finished_at) {
            signs.push(format!("the record was modified at {}", modified.format("%Y-%m-%d %H:%M UTC")));
        }
        if !signs.is_empty() {
            let message = format!(
                "Since the previous audit: {}. Ask {} what the emergency was, and whether the password was changed \
                 afterwards.",
                signs.join("; "),
                account.owner
            );
            sink.report(Subject::User(index), message);
        }
    }
    Ok(())
}

fn is_of(change: &Change, user: &User<'_>) -> bool {
    change.subject_type == "user" && change.subject_id == user.id()
}

/// A change in a few words, such as `status active -> disabled`.
fn sign(change: &Change) -> String {
    match (change.field, &*change.before, &*change.after) {
        ("", _, _) => format!("it {}", change.kind.phrase()),
        (field, before, after) => {
            let value = |text: &str| if text.is_empty() { "none".to_owned() } else { format!("“{text}”") };
            format!("{} {} -> {}", field.replace('_', " "), value(before), value(after))
        }
    }
}
