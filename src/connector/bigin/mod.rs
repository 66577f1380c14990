//! Bigin's records as JSON, into the model: the same whoever passes them on.

pub(in crate::connector) mod lists;
pub(in crate::connector) mod page;
pub(in crate::connector) mod parse;
pub(in crate::connector) mod removal;
mod text;

/// Users on a page: the API's greatest.
pub(in crate::connector) const PER_PAGE: u32 = 200;
/// The API's word for the list of all users.
pub(in crate::connector) const ALL_USERS: &str = "AllUsers";
/// The API's word for its own list of administrators.
pub(in crate::connector) const ADMINISTRATORS: &str = "AdminUsers";
