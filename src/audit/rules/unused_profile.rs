//! An unused profile is power that can be assigned at any time.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::ProfileId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unused-profile",
    title: "Unused profile",
    severity: Severity::Low,
    criteria: &["CC6.3"],
    doc: include_str!("unused-profile.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let stated = context.directory.users.stated_profiles().iter().zip(&context.population.profiles);
    let used: HashSet<&ProfileId> =
        stated.filter(|(_, holders)| holders.present > 0).map(|(stated, _)| &stated.id).collect();
    // The vendor's own profiles cannot be deleted.
    for profile in
        context.directory.profiles.iter().filter(|profile| !used.contains(&profile.id) && profile.custom != Some(false))
    {
        sink.report(
            Subject::Profile(profile.id.clone()),
            "No user has this profile (deleted users are ignored); delete it if nobody needs it.",
        );
    }
    Ok(())
}
