//! A stale profile name misleads whoever reads the user list by itself.

use std::collections::HashMap;

use super::prelude::*;
use crate::model::id::ProfileId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "stale-profile-name",
    title: "User records that call a profile by another name",
    severity: Severity::Low,
    criterion: "CC6.3",
    doc: include_str!("stale-profile-name.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let names: HashMap<&ProfileId, &str> =
        context.directory.profiles.iter().map(|profile| (&profile.id, profile.name.as_str())).collect();
    let stated = context.directory.users.stated_profiles();
    for (stated, holders) in stated.iter().zip(&context.population.profiles).filter(|(_, holders)| holders.present > 0)
    {
        let (Some(name), Some(listed)) = (stated.name.as_deref(), names.get(&stated.id)) else { continue };
        if name != *listed {
            let message = format!(
                "{} this profile “{name}”; the master list calls it “{listed}”, and so do the reports.",
                text::count(holders.present, "user record calls", "user records call")
            );
            sink.report(Subject::Profile(stated.id.clone()), message);
        }
    }
}
