//! The `truto` connector: the same workspace through Truto's proxy API.
//!
//! [`Truto`] is the connector. `api` makes one call with everything that may happen to it, `envelope` takes answers and
//! errors out of Truto's envelopes, `read` reads everything once, `survey` finds what an account reaches.

mod api;
mod envelope;
mod read;
mod survey;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use self::{
    api::{Api, Call},
    envelope::Found,
};
use super::{
    Connector, ConnectorError, Progress, ReadRequest, Removal, Remover,
    bigin::{
        lists::{RawOrganization, RawRecord},
        parse::{ParseError, parse},
    },
    http::{Account, Limits},
};
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
};

/// How long a single look-up may take.
const LOOK_UP: Duration = Duration::from_mins(5);

/// Where Truto's API is, unless the configuration says otherwise.
pub const API_URL: &str = "https://api.truto.one";

/// How an account is reached.
#[derive(Debug, Clone)]
pub struct TrutoSettings {
    /// The integrated account's id.
    pub integrated_account_id: String,
    /// The API token.
    pub api_token: SecretString,
    /// Where the API is.
    pub api_url: Url,
    /// What the resources are called.
    pub resources: Resources,
    /// The bounds of its calls.
    pub limits: Limits,
    /// How often everything is read before a disagreement counts.
    pub reads: u32,
    /// The wait between two reads.
    pub pause_between_reads: Duration,
}

/// What the resources are called at Truto. The defaults are inferred from the names of its published tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// Users: list, get, delete.
    pub users: String,
    /// Roles: list.
    pub roles: String,
    /// Profiles: list, and get where there is one.
    pub profiles: String,
    /// The organization: a list of one.
    pub current_organization: String,
    /// Whoever the account belongs to: a list of one.
    pub me: String,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            users: "users".to_owned(),
            roles: "roles".to_owned(),
            profiles: "profiles".to_owned(),
            current_organization: "current_organization".to_owned(),
            me: "me".to_owned(),
        }
    }
}

/// Reads a Bigin workspace through Truto.
#[derive(Debug, Clone)]
pub struct Truto {
    api: Arc<Api>,
}

impl Truto {
    /// A connector with these settings. No call is made yet.
    ///
    /// # Errors
    /// [`ConnectorError::Setup`]
    pub fn new(settings: TrutoSettings) -> Result<Self, ConnectorError> {
        Ok(Self { api: Arc::new(Api::new(settings)?) })
    }

    fn resources(&self) -> &Resources {
        &self.api.settings.resources
    }

    async fn organization_of(&self, account: &Account) -> Result<Found<Organization>, ConnectorError> {
        let call = Call::list(&self.resources().current_organization);
        let one = |body: &[u8]| {
            envelope::one(body, |record| parse::<RawOrganization>(record, "organization").map(Organization::from))
        };
        let answer = self.api.get(&call, account, one).await?;
        answer.and_then(Found::some).ok_or_else(|| missing(&call, "the organization is missing"))
    }

    async fn current_user_of(&self, account: &Account) -> Result<Found<UserRecord>, ConnectorError> {
        let call = Call::list(&self.resources().me);
        let answer = self.api.get(&call, account, user).await?;
        answer.and_then(Found::some).ok_or_else(|| missing(&call, "the current user is missing"))
    }

    fn user_call(&self, id: &UserId) -> Call {
        Call::one(&self.resources().users, id.as_str())
    }
}

fn user(body: &[u8]) -> Result<Found<Option<UserRecord>>, ParseError> {
    envelope::one(body, |record| parse::<RawRecord<'_>>(record, "user").map(UserRecord::from))
}

fn missing(call: &Call, problem: &str) -> ConnectorError {
    ConnectorError::Shape { call: call.name(), path: "result".into(), user: String::new(), problem: problem.into() }
}

#[async_trait]
impl Connector for Truto {
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        let read = read::read(self, request, progress);
        tokio::time::timeout(request.deadline, read).await.map_err(|_| ConnectorError::Deadline(request.deadline))?
    }

    async fn current_user(&self) -> Result<UserRecord, ConnectorError> {
        Ok(self.current_user_of(&Account::new(LOOK_UP)).await?.value)
    }

    async fn organization(&self) -> Result<Organization, ConnectorError> {
        Ok(self.organization_of(&Account::new(LOOK_UP)).await?.value)
    }

    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError> {
        let call = self.user_call(id);
        let answer = self.api.get(&call, &Account::new(LOOK_UP), user).await?;
        match answer.and_then(|found| found.value) {
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
impl Remover for Truto {
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError> {
        Ok(format!("DELETE {}", self.api.url(&self.user_call(id))?))
    }

    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError> {
        self.api.delete(&self.user_call(id), &Account::new(LOOK_UP)).await
    }
}
