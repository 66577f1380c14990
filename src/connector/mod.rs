//! Reads a workspace over its API. A connector has no method that writes: an auditor may believe its type.

pub mod error;
pub mod http;
pub mod zoho;

use std::time::Duration;

use async_trait::async_trait;

pub use self::error::ConnectorError;
use crate::model::{
    directory::{CurrentUser, Directory, Organization},
    id::UserId,
};

/// What a read is asked for.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Names or ids of the profiles that make an administrator, to compare with the API's own list.
    pub administrator_profiles: Vec<String>,
    /// How long the whole read may take.
    pub deadline: Duration,
}

/// Told how far a read is.
pub trait Progress: Send + Sync {
    /// So many pages with so many users have come.
    fn read(&self, pages: u32, users: u64);
    /// A check disagreed, and everything is read again.
    fn again(&self, attempt: u32);
}

/// Nobody wants to know.
impl Progress for () {
    fn read(&self, _pages: u32, _users: u64) {}
    fn again(&self, _attempt: u32) {}
}

/// Reads one workspace.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Reads everything, and checks that it was everything.
    ///
    /// # Errors
    /// [`ConnectorError`]; a directory that could not be read completely is no error but says so.
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError>;

    /// The account that the credentials belong to.
    ///
    /// # Errors
    /// [`ConnectorError`]
    async fn current_user(&self) -> Result<CurrentUser, ConnectorError>;

    /// The organization.
    ///
    /// # Errors
    /// [`ConnectorError`]
    async fn organization(&self) -> Result<Organization, ConnectorError>;

    /// One user by id; none where there is no such user.
    ///
    /// # Errors
    /// [`ConnectorError`], also where the API answers with another user than the one asked for.
    async fn user(&self, id: &UserId) -> Result<Option<CurrentUser>, ConnectorError>;
}
