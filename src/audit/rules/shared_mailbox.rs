//! Actions of a shared login cannot be attributed to a person.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "shared-mailbox",
    title: "Shared mailbox used as a login",
    severity: Severity::Medium,
    criteria: &["CC6.1"],
    doc: include_str!("shared-mailbox.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let shared = &context.policy().shared_mailboxes;
    if shared.is_empty() {
        return Err(NotEvaluated::because("the policy lists no shared mailboxes (shared_mailboxes)"));
    }
    let mut name = String::new();
    for row in context.present().filter(|row| context.is_person(row.user.index())) {
        let Some((mailbox, _)) = row.user.email().and_then(text::mailbox) else { continue };
        name.clear();
        text::push_ascii_lowercase(&mut name, mailbox);
        if shared.contains(&name) {
            let message = format!(
                "“{name}” is a shared mailbox, so actions cannot be attributed to one person; give each person their \
                 own login."
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
    Ok(())
}
