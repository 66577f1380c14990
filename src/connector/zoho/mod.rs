//! The `zoho_bigin` connector: Bigin's REST API v2 behind Zoho's OAuth.
//!
//! [`ZohoBigin`] is the connector. `settings` says where to go, `accounts` asks the accounts server for tokens, `token`
//! keeps the access token, `shared` shares it with other processes, `grant` exchanges a grant code, `vendor` says what Zoho's refusals mean and `remedy` what helps,
//! `workspace` looks single things up, `read` reads everything once, `pages` reads a list of users, `survey` finds what a
//! token reaches, `remove` deletes a user.

mod accounts;
pub mod grant;
mod pages;
mod read;
mod remedy;
mod remove;
mod settings;
mod shared;
mod survey;
#[cfg(test)]
mod tests;
mod token;
mod vendor;
mod workspace;

use async_trait::async_trait;

pub use self::{settings::ZohoSettings, workspace::ZohoBigin};
use super::{
    bigin::page::UsersPage,
    contract::{Connector, Progress, ReadRequest, Removal, Remover},
    error::{Cause, ConnectorError},
    kit::{self, Account, LOOK_UP, ParseError, parse},
};
pub use crate::model::kind::DataCenter;
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
    users::UserBlock,
};

/// The users of a page as the API returns it.
///
/// # Errors
/// [`Cause::InvalidAnswer`] if it is not a page of users.
pub fn users_of_page(body: &[u8]) -> Result<UserBlock, ConnectorError> {
    let invalid = |path: String, user: String, problem: String| {
        ConnectorError::new(
            "a page of users",
            Cause::InvalidAnswer { path, user: user.into(), problem: problem.into() },
        )
    };
    parse::<UsersPage>(body, "users").map(|page| page.users.block).map_err(|error| match error {
        ParseError::BrokenOff(problem) | ParseError::Garbled(problem) => {
            invalid("users".to_owned(), String::new(), problem)
        }
        ParseError::Shape { path, user, problem } => invalid(path, user, problem),
    })
}

#[async_trait]
impl Connector for ZohoBigin {
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        kit::read(self, request, progress).await
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        self.current_user_of(&Account::new(LOOK_UP)).await
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        self.organization_of(&Account::new(LOOK_UP)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        self.user_of(id, &Account::new(LOOK_UP)).await
    }

    async fn survey(&self) -> Result<Survey, ConnectorError> {
        survey::survey(self).await
    }
}

#[async_trait]
impl Remover for ZohoBigin {
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError> {
        let call = remove::call(id);
        self.api.check(&call)?;
        let token = self.token(&Account::new(LOOK_UP)).await?;
        Ok(format!("{} {}/bigin/v2/{}", call.method, token.api, call.path))
    }

    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError> {
        self.api.delete(&remove::call(id), &Account::new(LOOK_UP), remove::judge).await
    }
}
