//! Anyone who assigns a role by name may pick the wrong one of two that look alike.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "similar-role-names",
    title: "Easily confused role names",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("similar-role-names.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let names: Vec<&str> = context.directory.roles.iter().map(|role| role.name.as_str()).collect();
    for (place, others) in text::alike(&names) {
        let others: Vec<&str> = others.iter().map(|other| context.directory.roles[*other].id.as_str()).collect();
        let message = format!(
            "The name “{}” is easily confused with that of role {}; rename one of them.",
            names[place],
            others.join(", ")
        );
        sink.report(Subject::Role(context.directory.roles[place].id.clone()), message);
    }
    Ok(())
}
