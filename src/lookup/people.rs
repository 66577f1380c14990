//! Users, each with its role and profile, joined by id.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{LookupError, profiles::shown, same};
use crate::{
    access::{
        matrix::{AccessMatrix, MatrixRow},
        outliers::{Outliers, outliers},
        power::Power,
    },
    model::{
        email,
        id::{ProfileId, RoleId},
        status::StatusKind,
        users::User,
    },
};

/// The vendor's statuses, which are valid even if no user has them.
const STATUSES: [&str; 4] = ["active", "inactive", "disabled", "deleted"];

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserRow {
    /// The user's id.
    pub user_id: String,
    /// The display name, which users can edit.
    pub full_name: Option<String>,
    /// The address, which is also the login.
    pub email: Option<String>,
    /// The vendor's status: active, disabled or inactive, deleted.
    pub status: String,
    /// Whether the invitation was accepted. An active user who has not accepted it cannot sign in yet.
    pub confirmed: Option<bool>,
    /// The role's id. The role decides which records the user sees.
    pub role_id: Option<String>,
    /// The role's name; null if the id is not in the list of roles.
    pub role_name: Option<String>,
    /// The profile's id. The profile decides which features the user may use.
    pub profile_id: Option<String>,
    /// The profile's name; null if the id is not in the list of profiles.
    pub profile_name: Option<String>,
    /// Whether the profile is an administrator profile of the policy, decided by profile id.
    pub administrator: bool,
    /// How much power the user has, by profile and role.
    pub power: Power,
}

impl From<&MatrixRow<'_>> for UserRow {
    fn from(row: &MatrixRow<'_>) -> Self {
        let user = row.user;
        Self {
            user_id: user.id().to_owned(),
            full_name: user.full_name().map(str::to_owned),
            email: user.email().map(str::to_owned),
            status: user.status().word().to_owned(),
            confirmed: user.confirmed(),
            role_id: row.role.map(|role| role.stated.id.to_string()),
            role_name: row.role_name().map(str::to_owned),
            profile_id: row.profile.map(|profile| profile.stated.id.to_string()),
            profile_name: row.profile_name().map(str::to_owned),
            administrator: row.administrator,
            power: row.power(),
        }
    }
}

/// A user in detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserDetail {
    /// The user.
    #[serde(flatten)]
    pub user: UserRow,
    /// What this user may do that no other active user of the role may; null if there is nobody to compare with, or if it is
    /// not known.
    pub only_in_role: Option<Vec<String>>,
    /// Why that is not known.
    pub only_in_role_unknown: Option<String>,
}

impl UserDetail {
    /// A user of a matrix.
    pub fn of<'a>(matrix: &AccessMatrix<'a>, row: &MatrixRow<'a>) -> Self {
        let (only_in_role, only_in_role_unknown) = match outliers(matrix, row) {
            Outliers::Known(permissions) => (Some(permissions.into_iter().map(shown).collect()), None),
            Outliers::Alone => (None, None),
            Outliers::Unknown(why) => (None, Some(why)),
        };
        Self { user: UserRow::from(row), only_in_role, only_in_role_unknown }
    }
}

/// Selects the users that meet every given condition.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// `inactive` and `disabled` both mean either.
    pub status: Option<String>,
    /// A role's id or name.
    pub role: Option<String>,
    /// A profile's id or name.
    pub profile: Option<String>,
    /// Part of a permission's name: only users whose profile grants it.
    pub permission: Option<String>,
    /// Only users with full power, however it is held.
    pub administrators: bool,
    /// Part of the name or address, in any case.
    pub search: Option<String>,
}

/// A filter with its names resolved to ids.
struct Resolved {
    status: Option<String>,
    roles: Option<Vec<RoleId>>,
    profiles: Option<Vec<ProfileId>>,
    /// Profiles that grant the permission.
    permitting: Option<Vec<ProfileId>>,
    administrators: bool,
    search: Option<String>,
}

/// The users that a filter selects, by id.
///
/// # Errors
/// [`LookupError`] if the filter names an unknown role, profile, status or permission.
pub fn users<'a, 'm>(
    matrix: &'m AccessMatrix<'a>,
    filter: &UserFilter,
) -> Result<impl Iterator<Item = MatrixRow<'a>> + use<'a, 'm>, LookupError> {
    let directory = matrix.directory();
    let wanted = Resolved {
        status: filter.status.as_ref().map(|text| status(matrix, text)).transpose()?,
        roles: filter.role.as_ref().map(|text| super::roles::named(&directory.roles, text)).transpose()?,
        profiles: filter.profile.as_ref().map(|text| super::profiles::named(&directory.profiles, text)).transpose()?,
        permitting: filter.permission.as_ref().map(|text| permitting(matrix, text)).transpose()?,
        administrators: filter.administrators,
        search: filter.search.as_ref().map(|text| text.trim().to_lowercase()),
    };
    Ok(matrix.rows().filter(move |row| wanted.lets_through(row)))
}

/// The profiles that grant a permission.
fn permitting(matrix: &AccessMatrix<'_>, text: &str) -> Result<Vec<ProfileId>, LookupError> {
    let found = super::permissions::who_can(matrix, text)?;
    Ok(found.ids.into_iter().cloned().collect())
}

/// Checks a status: a misspelt one would select nobody, which looks like an answer.
fn status(matrix: &AccessMatrix<'_>, text: &str) -> Result<String, LookupError> {
    let is_known = |word: &str| same(text, word);
    if STATUSES.into_iter().any(is_known) || matrix.rows().any(|row| is_known(row.user.status().word())) {
        return Ok(text.to_owned());
    }
    let mut known: BTreeSet<String> = STATUSES.into_iter().map(str::to_owned).collect();
    known.extend(matrix.rows().map(|row| row.user.status().word().to_owned()));
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(LookupError::NoStatus { text: text.to_owned(), known })
}

impl Resolved {
    fn lets_through(&self, row: &MatrixRow<'_>) -> bool {
        let status = |wanted: &String| {
            let status = row.user.status();
            let off = |word: &str| same(word, "inactive") || same(word, "disabled");
            same(wanted, status.word()) || (off(wanted) && status.kind() == StatusKind::Inactive)
        };
        let has = |wanted: &String| {
            let user = row.user;
            [user.full_name(), user.email()].into_iter().flatten().any(|text| text.to_lowercase().contains(wanted))
        };
        self.status.as_ref().is_none_or(status)
            && self.search.as_ref().is_none_or(has)
            && (!self.administrators || row.power().is_full())
            && self.roles.as_ref().is_none_or(|roles| row.role.is_some_and(|role| roles.contains(&role.stated.id)))
            && [&self.profiles, &self.permitting].into_iter().flatten().all(|profiles| holds(row, profiles))
    }
}

fn holds(row: &MatrixRow<'_>, profiles: &[ProfileId]) -> bool {
    row.profile.is_some_and(|profile| profiles.contains(&profile.stated.id))
}

/// The user with this id, or with exactly this address; ASCII letters in any case.
///
/// Deleted users keep their address; one of them is found only if no other user has it.
///
/// # Errors
/// [`LookupError::NoUser`], [`LookupError::SeveralUsers`]
pub fn user<'a>(matrix: &AccessMatrix<'a>, text: &str) -> Result<MatrixRow<'a>, LookupError> {
    let text = text.trim();
    // An empty text must not match a user without an address.
    if text.is_empty() {
        return Err(LookupError::NoUser(String::new()));
    }
    if let Some(user) = matrix.directory().users.find(text).filter(|user| user.id() == text) {
        return Ok(matrix.row(user.index()));
    }
    let wanted = email::comparable(text);
    let has_address = |address: &str| email::comparable(address) == wanted;
    let mut rows: Vec<MatrixRow<'a>> = matrix.rows().filter(|row| row.user.email().is_some_and(has_address)).collect();
    if rows.iter().any(|row| !row.user.status().is_deleted()) {
        rows.retain(|row| !row.user.status().is_deleted());
    }
    match rows.as_slice() {
        [] => Err(LookupError::NoUser(text.to_owned())),
        [row] => Ok(*row),
        rows => Err(LookupError::SeveralUsers {
            text: text.to_owned(),
            candidates: rows.iter().map(|row| described(&row.user)).collect(),
        }),
    }
}

/// A user in a message: id, name and status.
pub fn described(user: &User<'_>) -> String {
    format!("{} ({}, {})", user.id(), user.label(), user.status().word())
}
