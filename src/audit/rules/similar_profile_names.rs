//! Whoever assigns a profile by its name picks the wrong one of two that look alike.

use super::prelude::*;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "similar-profile-names",
    title: "Profiles with names that are easily confused",
    severity: Severity::Info,
    criterion: "CC6.3",
    doc: include_str!("similar-profile-names.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let names: Vec<&str> = context.directory.profiles.iter().map(|profile| profile.name.as_str()).collect();
    for (place, others) in text::alike(&names) {
        let others: Vec<&str> = others.iter().map(|other| context.directory.profiles[*other].id.as_str()).collect();
        let message = format!(
            "The name “{}” looks like that of the profile with the id {}; rename one of them.",
            names[place],
            others.join(", ")
        );
        sink.report(Subject::Profile(context.directory.profiles[place].id.clone()), message);
    }
}
