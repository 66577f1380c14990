//! A workspace behind Truto's proxy, and what is looked up in it one at a time.

use std::sync::Arc;

use super::{
    envelope::{self, Enveloped},
    settings::{Resources, TrutoSettings},
    vendor::{Proxy, list, one},
};
use crate::{
    clock::Clock,
    connector::{
        bigin::lists::{OneUser, RawOrganization},
        commons::{Commons, name_of},
        error::ConnectorError,
        kit::{Account, Api, Call, Pace, ParseError, Quota, is_safe, parse},
    },
    model::{
        directory::{Organization, Source, UserRecord},
        id::UserId,
        kind::ConnectorKind,
    },
};

/// Reads a Bigin workspace through Truto.
#[derive(Debug, Clone)]
pub struct Truto {
    pub(super) api: Arc<Api<Proxy>>,
}

impl Truto {
    /// A connector with these settings and this clock. No call is made yet.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup)
    pub fn new(settings: TrutoSettings, clock: Clock) -> Result<Self, ConnectorError> {
        Self::sharing(settings, clock, &Commons::default())
    }

    /// The same; its token is limited together with all workspaces that use it.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup)
    pub fn sharing(settings: TrutoSettings, clock: Clock, commons: &Commons) -> Result<Self, ConnectorError> {
        if !is_safe(&settings.api_url) {
            let message = format!("{} is neither https nor this machine: no token is sent there", settings.api_url);
            return Err(ConnectorError::setup(message));
        }
        let limits = settings.limits.clone();
        let credential = name_of(&["truto", settings.api_url.as_str()], &[&settings.api_token]);
        let quota = Quota::of(commons, &credential, limits.concurrency, Pace::default);
        Ok(Self { api: Arc::new(Api::new(Proxy { settings }, limits, quota, clock, commons)?) })
    }

    pub(super) fn settings(&self) -> &TrutoSettings {
        &self.api.vendor().settings
    }

    pub(super) fn resources(&self) -> &Resources {
        &self.settings().resources
    }

    pub(super) async fn organization_of(&self, account: &Account) -> Result<Enveloped<Organization>, ConnectorError> {
        let call = list(&self.resources().current_organization);
        let one = |body: &[u8]| {
            envelope::one(body, |record| parse::<RawOrganization<'_>>(record, "organization").map(Organization::from))
        };
        let answer = self.api.get(&call, account, one).await?;
        answer.and_then(Enveloped::some).ok_or_else(|| self.missing(&call, "the organization is missing"))
    }

    pub(super) async fn current_user_of(&self, account: &Account) -> Result<Enveloped<UserRecord>, ConnectorError> {
        let call = list(&self.resources().me);
        let answer = self.api.get(&call, account, user).await?;
        answer.and_then(Enveloped::some).ok_or_else(|| self.missing(&call, "the current user is missing"))
    }

    /// One user by id; `None` if there is no such user.
    pub(super) async fn user_of(&self, id: &UserId, account: &Account) -> Result<Option<UserRecord>, ConnectorError> {
        let call = one(&self.resources().users, id.as_str());
        let answer = self.api.get(&call, account, user).await?;
        self.api.same_user(&call, id, answer.and_then(|found| found.value))
    }

    /// Where it reads.
    pub(super) fn source(&self) -> Source {
        let api_url = self.settings().api_url.as_str().trim_end_matches('/').to_owned();
        Source { connector: ConnectorKind::Truto, api_url, data_center: None, scopes: None }
    }

    /// An answer that lacks what it must hold.
    pub(super) fn missing(&self, call: &Call, problem: &str) -> ConnectorError {
        self.api.missing(call, "result", problem)
    }
}

fn user(body: &[u8]) -> Result<Enveloped<Option<UserRecord>>, ParseError> {
    envelope::one(body, |record| parse::<OneUser>(record, "user").map(|user| user.0))
}
