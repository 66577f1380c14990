//! A search for the name Administrator misses a copy of that profile.

use std::collections::HashMap;

use super::prelude::*;
use crate::{
    access::{power::Power, reduction::reduction},
    model::{directory::Profile, id::ProfileId},
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "administrator-clone",
    title: "Profile equivalent to Administrator",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("administrator-clone.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let yardstick = context.input.matrix.yardstick();
    if !yardstick.is_known() {
        return Err(NotEvaluated::because("the API does not report what an administrator profile permits"));
    }
    let mut unknown = Vec::new();
    let mut originals: HashMap<&ProfileId, &str> = HashMap::new();
    for profile in &context.directory.profiles {
        match yardstick.of_profile(&profile.id) {
            Power::Equivalent => {}
            Power::Unknown => {
                unknown.push(profile.name.as_str());
                continue;
            }
            Power::Administrator | Power::Dangerous | Power::Ordinary => continue,
        }
        let original = yardstick.original(profile).map_or("", |original| original.name.as_str());
        originals.insert(&profile.id, original);
        let holders = context.population.holders_of_profile(context.input.matrix, &profile.id).active;
        let message = format!(
            "This profile permits everything that “{original}” permits and is held by {}; treat its holders as \
             administrators, or reduce it{}.",
            text::count(holders, "active user", "active users"),
            reduced(context, profile)
        );
        sink.report(Subject::Profile(profile.id.clone()), message);
    }
    if !unknown.is_empty() {
        sink.not_evaluated(format!("the API does not report what {} permits", text::names(unknown)));
    }
    holders(context, sink, &originals);
    Ok(())
}

/// What to take away. Empty if the profile is the vendor's own, which cannot be changed.
fn reduced(context: &Context<'_>, profile: &Profile) -> String {
    let fragments = &context.policy().dangerous_permissions;
    let reduction = reduction(context.input.matrix.yardstick(), profile, fragments);
    let Some(reduction) = reduction.filter(|_| profile.custom != Some(false)) else { return String::new() };
    let less = format!(": without {} it is no longer as strong", text::permissions(&reduction.full_power));
    if reduction.both == reduction.full_power {
        return less;
    }
    format!("{less}, and without {} it is not dangerous either", text::permissions(&reduction.both))
}

/// One finding for each active holder: whoever gets such a profile later is a new finding.
fn holders(context: &Context<'_>, sink: &mut Sink<'_>, originals: &HashMap<&ProfileId, &str>) {
    for row in context.administrators().filter(|row| row.user.status().is_active()) {
        let Some(profile) = row.profile else { continue };
        let Some(original) = originals.get(&profile.stated.id) else { continue };
        let message = format!(
            "Full power by the profile “{}”, which permits everything that “{original}” permits; confirm that this person \
             needs it, or assign a profile with fewer permissions.",
            row.profile_name().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
}
