//! Administration, export and mass delete for users who are not administrators.

use std::collections::BTreeSet;

use super::prelude::*;
use crate::{
    access::{power::is_dangerous, reduction::reduction},
    model::directory::{Permission, Profile},
    words::NAMED,
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
        let remedy = remedy(context, profile, dangerous.len());
        let message = format!(
            "This profile permits {} and is held by {}; {}.",
            text::names(dangerous),
            text::count(holders, "active user", "active users"),
            remedy
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

/// The smallest set of permissions to take away, beside those that the sentence has named already.
fn remedy(context: &Context<'_>, profile: &Profile, dangerous: usize) -> String {
    let fragments = &context.policy().dangerous_permissions;
    let Some(reduction) = reduction(context.input.matrix.yardstick(), profile, fragments) else {
        return "it is dangerous as long as it has one of these, so keep only what its holders need".to_owned();
    };
    let (no_longer, also) = if reduction.both.len() > reduction.dangerous.len() {
        ("neither", " nor as strong as Administrator")
    } else {
        ("no longer", "")
    };
    let without = match dangerous {
        1 if also.is_empty() => "this one, so take it away".to_owned(),
        named if named <= NAMED && also.is_empty() => "all of these, so take them away".to_owned(),
        _ => format!("{}, so take these away", text::permissions(&reduction.both)),
    };
    format!("it is {no_longer} dangerous{also} without {without}, or keep only what its holders need")
}

fn shown(permission: &Permission) -> &str {
    permission.label.as_deref().unwrap_or(&permission.name)
}
