//! A workspace that cannot be read, because of its configuration: every call says why.

use async_trait::async_trait;

use super::{
    contract::{Connector, Progress, ReadRequest},
    error::ConnectorError,
};
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
};

/// Stands for a workspace whose configuration cannot be used, so that its runs fail with the reason and the others go on.
#[derive(Debug, Clone)]
pub struct Unavailable {
    why: String,
}

impl Unavailable {
    /// A workspace that cannot be read, and why.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }

    fn error<T>(&self) -> Result<T, ConnectorError> {
        Err(ConnectorError::setup(self.why.clone()))
    }
}

#[async_trait]
impl Connector for Unavailable {
    async fn read(&self, _request: &ReadRequest, _progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        self.error()
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        self.error()
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        self.error()
    }

    async fn user(&self, _id: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        self.error()
    }

    async fn survey(&self) -> Result<Survey, ConnectorError> {
        self.error()
    }
}
