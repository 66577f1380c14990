//! Who holds a permission: the profiles that grant it, and their active holders.

use schemars::JsonSchema;
use serde::Serialize;

use super::{LookupError, profiles::shown};
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    model::{
        directory::{Permission, Permissions, Profile},
        id::ProfileId,
    },
};

/// Who holds a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan<'a> {
    /// The matching permissions, in the product's words.
    pub permissions: Vec<String>,
    /// The profiles that grant at least one of them.
    pub profiles: Vec<PermittingProfile>,
    /// The profiles whose permissions the API does not return: their holders may hold it too.
    pub unknown_profiles: Vec<PermittingProfile>,
    /// The ids of `profiles`.
    pub ids: Vec<&'a ProfileId>,
}

/// A profile that grants a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermittingProfile {
    /// The profile's id.
    pub profile_id: String,
    /// The profile's name.
    pub profile_name: String,
    /// The matching permissions it grants; empty if the API does not return them.
    pub permits: Vec<String>,
    /// Active holders.
    pub active_users: usize,
}

/// Who holds the permission whose name or label, with or without its module, is exactly this text in any case; if there is
/// none, those that contain the text.
///
/// # Errors
/// [`LookupError::NoPermission`] if no profile has one and the permissions of all profiles are known.
pub fn who_can<'a>(matrix: &AccessMatrix<'a>, text: &str) -> Result<WhoCan<'a>, LookupError> {
    let wanted = text.trim().to_lowercase();
    let names = |permission: &Permission| {
        let label = permission.label.clone().unwrap_or_default();
        [permission.name.clone(), label, shown(permission)].map(|name| name.to_lowercase())
    };
    let is_exact = |permission: &Permission| names(permission).contains(&wanted);
    let has_text = |permission: &Permission| names(permission).iter().any(|name| name.contains(&wanted));
    let profiles = &matrix.directory().profiles;
    let known = |profile: &'a Profile| match &profile.permissions {
        Permissions::Known(all) => Some((profile, all)),
        Permissions::Unknown(_) => None,
    };
    let exact = profiles.iter().filter_map(known).any(|(_, all)| all.iter().any(is_exact));
    let mut found =
        WhoCan { permissions: Vec::new(), profiles: Vec::new(), unknown_profiles: Vec::new(), ids: Vec::new() };
    for profile in profiles {
        let Some((_, all)) = known(profile) else {
            found.unknown_profiles.push(permitting(matrix, profile, Vec::new()));
            continue;
        };
        let is_meant = |permission: &&Permission| if exact { is_exact(permission) } else { has_text(permission) };
        let mut permits = Vec::new();
        for permission in all.iter().filter(is_meant) {
            let name = shown(permission);
            if permission.enabled && !permits.contains(&name) {
                permits.push(name.clone());
            }
            if !found.permissions.contains(&name) {
                found.permissions.push(name);
            }
        }
        if !permits.is_empty() {
            found.profiles.push(permitting(matrix, profile, permits));
            found.ids.push(&profile.id);
        }
    }
    if wanted.is_empty() || (found.permissions.is_empty() && found.unknown_profiles.is_empty()) {
        return Err(LookupError::NoPermission(text.to_owned()));
    }
    found.permissions.sort();
    Ok(found)
}

impl<'a> WhoCan<'a> {
    /// Its active holders, by user id.
    pub fn users<'s>(&'s self, matrix: &'s AccessMatrix<'a>) -> impl Iterator<Item = MatrixRow<'a>> + 's {
        matrix.rows().filter(|row| {
            row.user.status().is_active() && row.profile.is_some_and(|held| self.ids.contains(&&held.stated.id))
        })
    }
}

fn permitting(matrix: &AccessMatrix<'_>, profile: &Profile, permits: Vec<String>) -> PermittingProfile {
    let holds = |row: &MatrixRow<'_>| {
        row.user.status().is_active() && row.profile.is_some_and(|held| held.stated.id == profile.id)
    };
    PermittingProfile {
        profile_id: profile.id.to_string(),
        profile_name: profile.name.clone(),
        permits,
        active_users: matrix.rows().filter(holds).count(),
    }
}
