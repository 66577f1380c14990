//! What is done through a shared mailbox was done by nobody.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "shared-mailbox",
    title: "Login that more than one person may read",
    severity: Severity::Medium,
    criterion: "CC6.1",
    doc: include_str!("shared-mailbox.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let shared = &context.policy().shared_mailboxes;
    if shared.is_empty() {
        return sink.not_evaluated("the policy names no shared mailboxes (shared_mailboxes)");
    }
    let mut name = String::new();
    for row in context.present() {
        let Some((mailbox, _)) = row.user.email().and_then(text::mailbox) else { continue };
        name.clear();
        text::push_lowercase(&mut name, mailbox);
        if shared.contains(&name) {
            let message = format!(
                "“{name}” names a function and not a person, so that it cannot be told who acted; give each person a \
                 login of their own."
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
}
