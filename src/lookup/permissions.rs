//! Who can do something: the profiles that permit it, and the active users who hold them.

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

/// Who has a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan<'a> {
    /// The permissions that are meant, in the product's words.
    pub permissions: Vec<String>,
    /// The profiles that permit at least one of them.
    pub profiles: Vec<PermittingProfile>,
    /// The profiles of which the vendor does not tell what they permit: their holders may have it too.
    pub unknown_profiles: Vec<PermittingProfile>,
    /// The ids of the profiles of `profiles`.
    pub ids: Vec<&'a ProfileId>,
}

/// A profile that permits something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermittingProfile {
    /// The profile's id.
    pub profile_id: String,
    /// The profile's name.
    pub profile_name: String,
    /// Active holders.
    pub active_users: usize,
}

/// Who has the permissions with a text in their name or label.
///
/// # Errors
/// [`LookupError::NoPermission`] where no profile has one, and all are known.
pub fn who_can<'a>(matrix: &AccessMatrix<'a>, text: &str) -> Result<WhoCan<'a>, LookupError> {
    let wanted = text.trim().to_lowercase();
    let meant = |permission: &Permission| {
        let label = permission.label.as_deref().unwrap_or_default();
        [&permission.name, label].iter().any(|name| name.to_lowercase().contains(&wanted))
    };
    let mut found =
        WhoCan { permissions: Vec::new(), profiles: Vec::new(), unknown_profiles: Vec::new(), ids: Vec::new() };
    for profile in &matrix.directory().profiles {
        let Permissions::Known(all) = &profile.permissions else {
            found.unknown_profiles.push(permitting(matrix, profile));
            continue;
        };
        let mut permits = false;
        for permission in all.iter().filter(|permission| meant(permission)) {
            let name = shown(permission);
            if !found.permissions.contains(&name) {
                found.permissions.push(name);
            }
            permits |= permission.enabled;
        }
        if permits {
            found.profiles.push(permitting(matrix, profile));
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
    /// The active users who have it, by id.
    pub fn users<'s>(&'s self, matrix: &'s AccessMatrix<'a>) -> impl Iterator<Item = MatrixRow<'a>> + 's {
        matrix.rows().filter(|row| {
            row.user.status().is_active() && row.profile.is_some_and(|held| self.ids.contains(&&held.stated.id))
        })
    }
}

fn permitting(matrix: &AccessMatrix<'_>, profile: &Profile) -> PermittingProfile {
    let holds = |row: &MatrixRow<'_>| {
        row.user.status().is_active() && row.profile.is_some_and(|held| held.stated.id == profile.id)
    };
    PermittingProfile {
        profile_id: profile.id.to_string(),
        profile_name: profile.name.clone(),
        active_users: matrix.rows().filter(holds).count(),
    }
}
