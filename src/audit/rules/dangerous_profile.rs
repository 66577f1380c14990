//! Administration, export and mass delete for users who are not administrators.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::{
    access::power::is_dangerous,
    model::directory::{Permission, Profile},
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "dangerous-profile",
    title: "Profile with dangerous permissions",
    severity: Severity::Medium,
    criteria: &["CC6.3"],
    doc: include_str!("dangerous-profile.md"),
    judges_population: false,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let mut unknown = Vec::new();
    for profile in context.directory.profiles.iter().filter(|profile| is_of_interest(context, profile)) {
        let Some(enabled) = profile.permissions.enabled() else {
            unknown.push(profile.name.as_str());
            continue;
        };
        let fragments = &context.policy().dangerous_permissions;
        let mut dangerous: Vec<&str> = enabled.filter(|one| is_dangerous(one, fragments)).map(shown).collect();
        // The API lists a permission once for each module.
        let mut seen = BTreeSet::new();
        dangerous.retain(|name| seen.insert(*name));
        if dangerous.is_empty() {
            continue;
        }
        let holders = context.population.holders_of_profile(context.input.matrix, &profile.id).active;
        let message = format!(
            "This profile permits {} and is held by {}; it is dangerous as long as it has one of these, so \
             keep only what its holders need.",
            text::names(dangerous),
            text::count(holders, "active user", "active users")
        );
        sink.report(Subject::Profile(profile.id.clone()), message);
    }
    if !unknown.is_empty() {
        sink.not_evaluated(format!("the API does not report what {} permits", text::names(unknown)));
    }
    Ok(())
}

/// Skips administrator profiles, which may do all of this, and the vendor's own profiles.
fn is_of_interest(context: &Context<'_>, profile: &Profile) -> bool {
    profile.custom != Some(false) && !context.input.administrator_profiles.contains(&profile.id)
}

fn shown(permission: &Permission) -> &str {
    permission.label.as_deref().unwrap_or(&permission.name)
}
