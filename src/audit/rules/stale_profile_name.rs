//! An outdated profile name misleads anyone who reads only the user list.

use std::collections::HashMap;

use super::prelude::*;
use crate::model::id::ProfileId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "stale-profile-name",
    title: "Outdated profile name in user records",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("stale-profile-name.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    context.stated_names()?;
    let names: HashMap<&ProfileId, &str> =
        context.directory.profiles.iter().map(|profile| (&profile.id, profile.name.as_str())).collect();
    let stated = context.directory.users.stated_profiles();
    for (stated, holders) in stated.iter().zip(&context.population.profiles).filter(|(_, holders)| holders.present > 0)
    {
        let (Some(name), Some(listed)) = (stated.name.as_deref(), names.get(&stated.id)) else { continue };
        if name != *listed {
            let message = format!(
                "{} “{name}” for this profile; the profile list and the reports call it “{listed}”.",
                text::count(holders.present, "user record says", "user records say")
            );
            sink.report(Subject::Profile(stated.id.clone()), message);
        }
    }
    Ok(())
}
