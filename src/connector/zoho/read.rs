//! Reads everything once: master lists, all pages of users, and what the checks compare them with. The checks cost four
//! calls beside the pages, made at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    pages,
    workspace::{PROFILES_SCOPE, ROLES_SCOPE, ZohoBigin},
};
use crate::{
    clock::Clock,
    connector::{
        bigin::{
            ADMINISTRATORS, ALL_USERS, NO_PROFILES, NO_ROLES, PER_PAGE,
            lists::{ProfilesAnswer, RolesAnswer},
            unreadable,
        },
        contract::Progress,
        error::{Cause, ConnectorError},
        kit::{Account, Administrators, Call, ParseError, Parts, Reader, Rereads, escaped, parse},
    },
    model::directory::{Permissions, Profile, Role},
};

#[async_trait]
impl Reader for ZohoBigin {
    fn rereads(&self) -> Rereads {
        let settings = &self.api.vendor().settings;
        Rereads { reads: settings.reads, pause: settings.pause_between_reads }
    }

    fn clock(&self) -> &Clock {
        self.api.clock()
    }

    async fn read_once(&self, account: &Arc<Account>, progress: &dyn Progress) -> Result<Parts, ConnectorError> {
        let api = &self.api;
        let (mut users, organization, current_user, roles, profiles) = tokio::try_join!(
            pages::list(api, account, ALL_USERS, progress),
            self.organization_of(account),
            self.current_user_of(account),
            self.roles(account),
            self.profiles(account),
        )?;
        let end = users.pages.count().max(1);
        let last_again = async {
            if end == 1 {
                Ok(None)
            } else {
                pages::page(api, account, ALL_USERS, end).await.map(pages::users).map(Some)
            }
        };
        let (first_again, last_again, is_end, administrators) = tokio::join!(
            pages::page(api, account, ALL_USERS, 1),
            last_again,
            pages::check_end(api, account, ALL_USERS, &mut users),
            pages::list(api, account, ADMINISTRATORS, &()),
        );
        let (first_again, last_again) = (pages::users(first_again?), last_again?);
        is_end?;
        Ok(Parts {
            source: self.source(self.token(account).await?),
            organization,
            current_user,
            roles,
            profiles,
            users: users.pages,
            first_again,
            last_again,
            administrators: listed(administrators)?,
            query: format!("GET /bigin/v2/users?type={ALL_USERS}&per_page={PER_PAGE}"),
            per_page: PER_PAGE,
        })
    }
}

/// Zoho's own list of administrators, as far as the credentials reach it.
fn listed(list: Result<pages::UserList, ConnectorError>) -> Result<Administrators, ConnectorError> {
    match list {
        Ok(list) => Ok(Administrators::Listed(list.pages.blocks)),
        Err(error) => match error.cause {
            Cause::Refused { .. } | Cause::MissingRight(_) | Cause::MissingScope { .. } => {
                Ok(Administrators::NotAvailable(error.to_string()))
            }
            _ => Err(error),
        },
    }
}

impl ZohoBigin {
    /// The master list of roles.
    pub(super) async fn roles(&self, account: &Account) -> Result<Vec<Role>, ConnectorError> {
        let call = Call::get("settings/roles").scope(ROLES_SCOPE);
        let roles =
            self.api.get(&call, account, |body| parse::<RolesAnswer<'_>>(body, "roles").map(RolesAnswer::into_roles));
        let roles = roles.await?.unwrap_or_default();
        if roles.is_empty() { Err(self.api.missing(&call, "roles", NO_ROLES)) } else { Ok(roles) }
    }

    /// The master list of profiles.
    pub(super) async fn profile_list(&self, account: &Account) -> Result<Vec<Profile>, ConnectorError> {
        let call = Call::get("settings/profiles").scope(PROFILES_SCOPE);
        let profiles = self.api.get(&call, account, profiles).await?.unwrap_or_default();
        if profiles.is_empty() { Err(self.api.missing(&call, "profiles", NO_PROFILES)) } else { Ok(profiles) }
    }

    /// The same, with the permissions of each if the API returns them.
    async fn profiles(&self, account: &Account) -> Result<Vec<Profile>, ConnectorError> {
        stream::iter(self.profile_list(account).await?)
            .map(async |profile| self.with_permissions(profile, account).await)
            .buffered(self.api.concurrency())
            .try_collect()
            .await
    }

    /// A profile with its permissions. If the API refuses them, the report says so and the read continues.
    async fn with_permissions(&self, mut profile: Profile, account: &Account) -> Result<Profile, ConnectorError> {
        if matches!(profile.permissions, Permissions::Known(_)) {
            return Ok(profile);
        }
        let call = Call::get(format!("settings/profiles/{}", escaped(profile.id.as_str()))).scope(PROFILES_SCOPE);
        let unknown = |reason: &str| Permissions::Unknown(reason.to_owned());
        profile.permissions = match self.api.get(&call, account, profiles).await {
            Ok(None) => unknown("the API says that there is no such profile"),
            Ok(Some(details)) => match details.into_iter().find(|details| details.id == profile.id) {
                Some(details) => details.permissions,
                None => unknown("the API answered with another profile"),
            },
            Err(error) => unreadable(error)?,
        };
        Ok(profile)
    }
}

fn profiles(body: &[u8]) -> Result<Vec<Profile>, ParseError> {
    parse::<ProfilesAnswer<'_>>(body, "profiles").map(ProfilesAnswer::into_profiles)
}
