//! Anyone who assigns a profile by name may pick the wrong one of two that look alike.

use super::prelude::*;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "similar-profile-names",
    title: "Easily confused profile names",
    severity: Severity::Info,
    criteria: &["CC6.3"],
    doc: include_str!("similar-profile-names.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let names: Vec<&str> = context.directory.profiles.iter().map(|profile| profile.name.as_str()).collect();
    for (place, others) in text::alike(&names) {
        let others: Vec<&str> = others.iter().map(|other| context.directory.profiles[*other].id.as_str()).collect();
        let message = format!(
            "The name “{}” is easily confused with that of profile {}; rename one of them.",
            names[place],
            others.join(", ")
        );
        sink.report(Subject::Profile(context.directory.profiles[place].id.clone()), message);
    }
    Ok(())
}
