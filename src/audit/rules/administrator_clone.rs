//! A search for the name Administrator misses a copy of that profile.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::model::directory::Profile;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "administrator-clone",
    title: "Profile equivalent to Administrator",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("administrator-clone.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let is_administrator = |profile: &&Profile| context.input.administrator_profiles.contains(&profile.id);
    let (administrators, others): (Vec<_>, Vec<_>) = context.directory.profiles.iter().partition(is_administrator);
    // A profile without enabled permissions is skipped: every other profile includes it.
    let measures: Vec<(&Profile, BTreeSet<Key<'_>>)> = administrators
        .iter()
        .filter_map(|profile| Some((*profile, keys(profile)?)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect();
    if measures.is_empty() {
        return Err(NotEvaluated::because("the API does not report what an administrator profile permits"));
    }
    let mut unknown = Vec::new();
    for profile in others {
        let Some(permissions) = keys(profile) else {
            unknown.push(profile.name.as_str());
            continue;
        };
        if let Some((original, _)) = measures.iter().find(|(_, measure)| measure.is_subset(&permissions)) {
            let holders = context.population.holders_of_profile(context.input.matrix, &profile.id).active;
            let message = format!(
                "This profile permits everything that “{}” permits and is held by {}; treat its holders as \
                 administrators, or reduce it.",
                original.name,
                text::count(holders, "active user", "active users")
            );
            sink.report(Subject::Profile(profile.id.clone()), message);
        }
    }
    if !unknown.is_empty() {
        sink.not_evaluated(format!("the API does not report what {} permits", text::names(unknown)));
    }
    Ok(())
}

/// A permission's name, and the module that it is about.
type Key<'a> = (&'a str, Option<&'a str>);

fn keys(profile: &Profile) -> Option<BTreeSet<Key<'_>>> {
    let enabled = profile.permissions.enabled()?;
    Some(enabled.map(|permission| (permission.name.as_str(), permission.module.as_deref())).collect())
}
