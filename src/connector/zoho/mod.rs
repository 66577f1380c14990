//! The `zoho_bigin` connector: Bigin's REST API v2 behind Zoho's OAuth.
//!
//! [`ZohoBigin`] is the connector. `settings` says where to go, `token` keeps the access token, `api` makes one
//! call with everything that may happen to it, `read` reads everything once, `verify` decides whether that was everything, `survey` finds what a token reaches, `remove` deletes a user.

mod api;
pub mod grant;
mod read;
mod remove;
mod settings;
mod survey;
#[cfg(test)]
mod tests;
mod token;
mod verify;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use self::api::{Api, Call};
pub use self::settings::{DataCenter, ZohoSettings};
use super::{
    Connector, ConnectorError, Progress, ReadRequest, Removal, Remover,
    bigin::{
        lists::{OrganizationAnswer, UserAnswer},
        page::UsersPage,
        parse::{ParseError, parse},
    },
    http::Account,
};
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
    users::UserBlock,
};

/// The scope of users.
const USERS_SCOPE: &str = "ZohoBigin.users.READ";
/// The scope of roles.
const ROLES_SCOPE: &str = "ZohoBigin.settings.roles.READ";
/// The scope of profiles.
const PROFILES_SCOPE: &str = "ZohoBigin.settings.profiles.READ";
/// The scope of the organization.
const ORG_SCOPE: &str = "ZohoBigin.org.READ";

/// How long a single look-up may take.
const LOOK_UP: Duration = Duration::from_mins(5);

/// Reads a Bigin workspace.
#[derive(Debug, Clone)]
pub struct ZohoBigin {
    api: Arc<Api>,
}

impl ZohoBigin {
    /// A connector with these settings. No call is made yet.
    ///
    /// # Errors
    /// [`ConnectorError::Setup`]
    pub fn new(settings: ZohoSettings) -> Result<Self, ConnectorError> {
        Ok(Self { api: Arc::new(Api::new(settings)?) })
    }

    async fn organization_of(&self, account: &Account) -> Result<Organization, ConnectorError> {
        let call = Call::new("org", ORG_SCOPE);
        let answer = self.api.get(&call, account, |body| {
            parse::<OrganizationAnswer>(body, "org").map(OrganizationAnswer::into_organization)
        });
        answer.await?.flatten().ok_or_else(|| empty(&call, "org", "the organization is missing"))
    }

    async fn current_user_of(&self, account: &Account) -> Result<UserRecord, ConnectorError> {
        let call = Call::new("users?type=CurrentUser", USERS_SCOPE);
        let answer = self.api.get(&call, account, user).await?;
        answer.flatten().ok_or_else(|| empty(&call, "users", "the current user is missing"))
    }
}

/// The users of a page as the API answers it.
///
/// # Errors
/// [`ConnectorError::Shape`] where it is no page of users.
pub fn users_of_page(body: &[u8]) -> Result<UserBlock, ConnectorError> {
    let shape = |path: String, user: String, problem: String| {
        let call = "a page of users".to_owned();
        ConnectorError::Shape { call, path, user, problem }
    };
    parse::<UsersPage>(body, "users").map(|page| page.users).map_err(|error| match error {
        ParseError::BrokenOff(problem) => shape("users".to_owned(), String::new(), problem),
        ParseError::Shape { path, user, problem } => shape(path, user, problem),
    })
}

fn user(body: &[u8]) -> Result<Option<UserRecord>, ParseError> {
    parse::<UserAnswer<'_>>(body, "users").map(UserAnswer::into_user)
}

fn empty(call: &Call, path: &str, problem: &str) -> ConnectorError {
    ConnectorError::Shape { call: call.name(), path: path.into(), user: String::new(), problem: problem.into() }
}

#[async_trait]
impl Connector for ZohoBigin {
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        let read = verify::read(self, request, progress);
        tokio::time::timeout(request.deadline, read).await.map_err(|_| ConnectorError::Deadline(request.deadline))?
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        self.current_user_of(&Account::new(LOOK_UP)).await
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        self.organization_of(&Account::new(LOOK_UP)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        let escaped: String = url::form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect();
        let call = Call::new(format!("users/{escaped}"), USERS_SCOPE);
        let answer = self.api.get(&call, &Account::new(LOOK_UP), user).await?.flatten();
        match answer {
            Some(user) if user.id != *id => Err(ConnectorError::AnotherUser {
                call: call.name(),
                asked: id.to_string(),
                answered: user.id.to_string(),
            }),
            answer => Ok(answer),
        }
    }
    async fn survey(&self) -> Result<Survey, ConnectorError> {
        survey::survey(self).await
    }
}

#[async_trait]
impl Remover for ZohoBigin {
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError> {
        self.api.request_line(&remove::call(id), &Account::new(LOOK_UP)).await
    }

    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError> {
        remove::remove(self, id).await
    }
}
