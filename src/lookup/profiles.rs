//! Profiles: which features their holders may use, and how many users hold them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{LookupError, same};
use crate::{
    access::matrix::AccessMatrix,
    model::{
        directory::{Permission, Permissions, Profile},
        id::ProfileId,
    },
};

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProfileRow {
    /// The profile's id.
    pub profile_id: String,
    /// The profile's name.
    pub profile_name: String,
    /// Whether it is a custom profile; null if the API does not say.
    pub custom: Option<bool>,
    /// Whether it is an administrator profile of the policy.
    pub administrator: bool,
    /// Active holders.
    pub active_users: usize,
    /// Holders of any status.
    pub all_users: usize,
    /// What it permits, in the product's words; null if the API does not return it.
    pub permits: Option<Vec<String>>,
    /// Why its permissions are unknown.
    pub permits_unknown: Option<String>,
    /// When it was last changed; null for a built-in profile.
    pub modified: Option<DateTime<Utc>>,
    /// The description.
    pub description: Option<String>,
}

/// All profiles, by id.
pub fn profiles(matrix: &AccessMatrix<'_>, administrator_profiles: &[ProfileId]) -> Vec<ProfileRow> {
    let row = |profile: &Profile| {
        let holders = || matrix.rows().filter(|row| row.profile.is_some_and(|held| held.stated.id == profile.id));
        let (permits, permits_unknown) = match &profile.permissions {
            Permissions::Known(all) => (Some(enabled(all)), None),
            Permissions::Unknown(reason) => (None, Some(reason.clone())),
        };
        ProfileRow {
            profile_id: profile.id.to_string(),
            profile_name: profile.name.clone(),
            custom: profile.custom,
            administrator: administrator_profiles.contains(&profile.id),
            active_users: holders().filter(|row| row.user.status().is_active()).count(),
            all_users: holders().count(),
            permits,
            permits_unknown,
            modified: profile.modified,
            description: profile.description.clone(),
        }
    };
    matrix.directory().profiles.iter().map(row).collect()
}

/// The enabled permissions in the vendor's order; one that exists for several modules is listed once, with its modules.
fn enabled(all: &[Permission]) -> Vec<String> {
    let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
    for permission in all.iter().filter(|permission| permission.enabled) {
        let name = permission.label.as_deref().unwrap_or(&permission.name);
        let place = named.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            named.push((name, Vec::new()));
            named.len() - 1
        });
        let modules = &mut named[place].1;
        modules.extend(permission.module.as_deref().filter(|module| !modules.contains(module)));
    }
    let shown = |(name, modules): &(&str, Vec<&str>)| match modules.as_slice() {
        [] => (*name).to_owned(),
        modules => format!("{name} ({})", modules.join(", ")),
    };
    named.iter().map(shown).collect()
}

/// A permission in the product's words, with its module.
pub(super) fn shown(permission: &Permission) -> String {
    let name = permission.label.as_deref().unwrap_or(&permission.name);
    match &permission.module {
        Some(module) => format!("{name} ({module})"),
        None => name.to_owned(),
    }
}

/// The profiles with an id or name; names are not unique.
pub(super) fn named(profiles: &[Profile], text: &str) -> Result<Vec<ProfileId>, LookupError> {
    let found: Vec<ProfileId> = profiles
        .iter()
        .filter(|profile| profile.id.as_str() == text.trim() || same(&profile.name, text))
        .map(|profile| profile.id.clone())
        .collect();
    if found.is_empty() {
        let known = profiles.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(LookupError::NoProfile { text: text.to_owned(), known });
    }
    Ok(found)
}
