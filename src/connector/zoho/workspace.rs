//! A Bigin workspace behind Zoho's API, and what is looked up in it one at a time.

use std::sync::Arc;

use super::{settings::ZohoSettings, token::Token, vendor::Zoho};
use crate::{
    clock::Clock,
    connector::{
        bigin::lists::{OrganizationAnswer, UserAnswer},
        commons::Commons,
        error::ConnectorError,
        kit::{Account, Api, Call, Pace, ParseError, Quota, escaped, parse},
        parameters::SharedTokens,
    },
    model::{
        directory::{Organization, Source, UserRecord},
        id::UserId,
        kind::ConnectorKind,
    },
};

/// The scope of users.
pub(super) const USERS_SCOPE: &str = "ZohoBigin.users.READ";
/// The scope of roles.
pub(super) const ROLES_SCOPE: &str = "ZohoBigin.settings.roles.READ";
/// The scope of profiles.
pub(super) const PROFILES_SCOPE: &str = "ZohoBigin.settings.profiles.READ";
/// The scope of the organization.
pub(super) const ORG_SCOPE: &str = "ZohoBigin.org.READ";

/// Reads a Bigin workspace.
#[derive(Debug, Clone)]
pub struct ZohoBigin {
    pub(super) api: Arc<Api<Zoho>>,
}

impl ZohoBigin {
    /// A connector with these settings and this clock, whose access token is its own. No call is made yet.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup)
    pub fn new(settings: ZohoSettings, clock: Clock) -> Result<Self, ConnectorError> {
        Self::sharing(settings, clock, None, &Commons::default())
    }

    /// The same; it shares its access token with all processes that use the same folder, and with all workspaces of this
    /// process that have the same refresh token.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup)
    pub fn sharing(
        settings: ZohoSettings,
        clock: Clock,
        tokens: Option<&SharedTokens>,
        commons: &Commons,
    ) -> Result<Self, ConnectorError> {
        let limits = settings.limits.clone();
        // Zoho never says how many calls are left, so that no call has to find out.
        let quota = Quota::of(commons, &settings.credential(), limits.concurrency, Pace::unannounced);
        Ok(Self { api: Arc::new(Api::new(Zoho::new(settings, tokens, commons), limits, quota, clock, commons)?) })
    }

    pub(super) async fn organization_of(&self, account: &Account) -> Result<Organization, ConnectorError> {
        let call = Call::get("org").scope(ORG_SCOPE);
        let answer =
            self.api.get(&call, account, |body| parse::<OrganizationAnswer>(body, "org").map(|answer| answer.0));
        answer.await?.flatten().ok_or_else(|| self.api.missing(&call, "org", "the organization is missing"))
    }

    pub(super) async fn current_user_of(&self, account: &Account) -> Result<UserRecord, ConnectorError> {
        let call = Call::get("users?type=CurrentUser").scope(USERS_SCOPE);
        let answer = self.api.get(&call, account, user).await?;
        answer.flatten().ok_or_else(|| self.api.missing(&call, "users", "the current user is missing"))
    }

    /// One user by id; `None` if there is no such user.
    pub(super) async fn user_of(&self, id: &UserId, account: &Account) -> Result<Option<UserRecord>, ConnectorError> {
        let call = Call::get(format!("users/{}", escaped(id.as_str()))).scope(USERS_SCOPE);
        let answer = self.api.get(&call, account, user).await?.flatten();
        self.api.same_user(&call, id, answer)
    }

    /// The access token in use.
    pub(super) async fn token(&self, account: &Account) -> Result<Token, ConnectorError> {
        self.api.vendor().token(self.api.session(), account).await
    }

    /// Where it reads.
    pub(super) fn source(&self, token: Token) -> Source {
        Source {
            connector: ConnectorKind::ZohoBigin,
            api_url: token.api,
            data_center: Some(self.api.vendor().settings.data_center.to_string()),
            scopes: token.scopes,
        }
    }
}

fn user(body: &[u8]) -> Result<Option<UserRecord>, ParseError> {
    parse::<UserAnswer>(body, "users").map(|answer| answer.0)
}
