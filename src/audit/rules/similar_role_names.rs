//! Whoever assigns a role by its name picks the wrong one of two that look alike.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "similar-role-names",
    title: "Roles with names that are easily confused",
    severity: Severity::Info,
    criterion: "CC6.3",
    doc: include_str!("similar-role-names.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let names: Vec<&str> = context.directory.roles.iter().map(|role| role.name.as_str()).collect();
    for (place, others) in text::alike(&names) {
        let others: Vec<&str> = others.iter().map(|other| context.directory.roles[*other].id.as_str()).collect();
        let message = format!(
            "The name “{}” looks like that of the role with the id {}; rename one of them.",
            names[place],
            others.join(", ")
        );
        sink.report(Subject::Role(context.directory.roles[place].id.clone()), message);
    }
}
