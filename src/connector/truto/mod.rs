//! The `truto` connector: the same workspace through Truto's proxy API.
//!
//! [`Truto`] is the connector. `settings` says where to go, `vendor` what Truto's refusals mean and how to fix them, `envelope`
//! takes answers and errors out of Truto's envelopes, `workspace` looks single things up, `read` reads everything once,
//! `pages` reads lists, `survey` finds what an account reaches.

mod envelope;
mod pages;
mod read;
mod settings;
mod survey;
#[cfg(test)]
mod tests;
mod vendor;
mod workspace;

use async_trait::async_trait;

pub use self::{
    settings::{Resources, TrutoSettings},
    workspace::Truto,
};
use super::{
    contract::{Connector, Progress, ReadRequest, Removal, Remover},
    error::ConnectorError,
    kit::{self, Account, LOOK_UP},
};
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
};

#[async_trait]
impl Connector for Truto {
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        kit::read(self, request, progress).await
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        Ok(self.current_user_of(&Account::new(LOOK_UP)).await?.value)
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        Ok(self.organization_of(&Account::new(LOOK_UP)).await?.value)
    }

    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        self.user_of(id, &Account::new(LOOK_UP)).await
    }

    async fn survey(&self) -> Result<Survey, ConnectorError> {
        survey::survey(self).await
    }
}

#[async_trait]
impl Remover for Truto {
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError> {
        let call = vendor::delete(&self.resources().users, id.as_str());
        self.api.check(&call)?;
        Ok(format!("{} {}", call.method, self.api.vendor().url(&call)?))
    }

    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError> {
        let call = vendor::delete(&self.resources().users, id.as_str());
        self.api.delete(&call, &Account::new(LOOK_UP), envelope::removal).await
    }
}
