//! Bigin's records as JSON, into the model: the same whichever way they come.

pub(in crate::connector) mod field;
pub(in crate::connector) mod lists;
pub(in crate::connector) mod page;
pub(in crate::connector) mod removal;

use super::error::{Cause, ConnectorError, Credential};
use crate::model::directory::Permissions;

/// Users on a page: the most that the API returns.
pub(in crate::connector) const PER_PAGE: u32 = 200;
/// More pages than any workspace has: an endless list is stopped here.
pub(in crate::connector) const MOST_PAGES: u32 = 50_000;
/// The same of a list of roles or profiles.
pub(in crate::connector) const MOST_LIST_PAGES: u32 = 100;
/// The API's word for the list of all users.
pub(in crate::connector) const ALL_USERS: &str = "AllUsers";
/// The API's word for its own list of administrators.
pub(in crate::connector) const ADMINISTRATORS: &str = "AdminUsers";
/// What is wrong with an empty list of roles.
pub(in crate::connector) const NO_ROLES: &str = "the API returned no roles, but every workspace has at least one";
/// The same of profiles.
pub(in crate::connector) const NO_PROFILES: &str = "the API returned no profiles, but every workspace has at least one";
/// The same of either list.
pub(in crate::connector) const NONE_AT_ALL: &str =
    "the API returned an empty list, but every workspace has at least one entry";

/// Permissions that could not be read, and why.
///
/// # Errors
/// If the cause is not the profile's alone. The words are part of evidence: they stay as they are.
pub(in crate::connector) fn unreadable(error: ConnectorError) -> Result<Permissions, ConnectorError> {
    let why = match &error.cause {
        Cause::MissingScope { holder: Credential::AccessToken, .. } => {
            "the token's scope does not reach them".to_owned()
        }
        Cause::MissingScope { .. } => "the credentials' scopes do not reach them".to_owned(),
        Cause::MissingRight(_) => "the account may not see them".to_owned(),
        Cause::Refused { code, .. } => format!("the API refuses them ({code})"),
        Cause::UnusableId(_) => "its id cannot be part of an address".to_owned(),
        Cause::InvalidAnswer { path, .. } => format!("the API gives them in another shape (at {path})"),
        _ => return Err(error),
    };
    Ok(Permissions::Unknown(why))
}
