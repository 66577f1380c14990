//! Reads everything once: master lists, all pages of users, and what the checks compare them with. The checks cost four
//! calls beside the pages, made at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;

use super::{
    pages,
    workspace::{PROFILES_SCOPE, ROLES_SCOPE, ZohoBigin},
};
use crate::{
    clock::Clock,
    connector::{
        bigin::{
            ADMINISTRATORS, ALL_USERS, MOST_LIST_PAGES, NO_PROFILES, NO_ROLES, PER_PAGE,
            lists::{self, ListPage},
            unreadable,
        },
        contract::Progress,
        error::{Cause, ConnectorError},
        kit::{Account, Administrators, Call, Entry, Listed, Parts, Reader, Rereads, escaped, parse},
    },
    model::{
        directory::{Permissions, Profile, Role},
        id::{ProfileId, RoleId},
    },
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
    pub(super) async fn roles(&self, account: &Account) -> Result<Listed<Role, RoleId>, ConnectorError> {
        let call = Call::get("settings/roles").scope(ROLES_SCOPE);
        let (entries, endless) = self.small_list(&call, account).await?;
        if entries.is_empty() {
            return Err(self.api.missing(&call, "roles", NO_ROLES));
        }
        Ok(lists::roles(entries, endless))
    }

    /// The master list of profiles.
    pub(super) async fn profile_list(&self, account: &Account) -> Result<Listed<Profile, ProfileId>, ConnectorError> {
        let call = Call::get("settings/profiles").scope(PROFILES_SCOPE);
        let (entries, endless) = self.small_list(&call, account).await?;
        if entries.is_empty() {
            return Err(self.api.missing(&call, "profiles", NO_PROFILES));
        }
        Ok(lists::profiles(entries, endless))
    }

    /// All pages of a list, and why there may be more; usually the list is one page.
    async fn small_list<T: PartialEq>(
        &self,
        call: &Call,
        account: &Account,
    ) -> Result<(Vec<Entry<T>>, Option<String>), ConnectorError>
    where
        ListPage<T>: DeserializeOwned,
    {
        let read = |body: &[u8]| parse::<ListPage<T>>(body, &call.path);
        let (mut entries, mut before): (Vec<Entry<T>>, usize) = (Vec::new(), 0);
        for number in 1..=MOST_LIST_PAGES {
            let page = if number == 1 {
                self.api.get(call, account, read).await?
            } else {
                let next = Call { path: format!("{}?page={number}", call.path), ..call.clone() };
                self.api.get(&next, account, read).await?
            };
            let Some(page) = page else {
                let why = format!("page {} says that more follow, and page {number} is empty", number - 1);
                return Ok((entries, (number > 1).then_some(why)));
            };
            if number > 1 && page.entries == entries[before..] {
                return Ok((entries, Some(format!("page {number} repeats the previous page"))));
            }
            before = entries.len();
            entries.extend(page.entries);
            if !page.more_records {
                return Ok((entries, None));
            }
        }
        Ok((entries, Some(format!("it is longer than {MOST_LIST_PAGES} pages"))))
    }

    /// The same, with the permissions of each if the API returns them.
    async fn profiles(&self, account: &Account) -> Result<Listed<Profile, ProfileId>, ConnectorError> {
        let mut list = self.profile_list(account).await?;
        list.records = stream::iter(std::mem::take(&mut list.records))
            .map(async |profile| self.with_permissions(profile, account).await)
            .buffered(self.api.concurrency())
            .try_collect()
            .await?;
        Ok(list)
    }

    /// A profile with its permissions. If the API refuses them, the report says so and the read continues.
    async fn with_permissions(&self, mut profile: Profile, account: &Account) -> Result<Profile, ConnectorError> {
        if matches!(profile.permissions, Permissions::Known(_)) {
            return Ok(profile);
        }
        let call = Call::get(format!("settings/profiles/{}", escaped(profile.id.as_str()))).scope(PROFILES_SCOPE);
        let unknown = |reason: &str| Permissions::Unknown(reason.to_owned());
        let read = |body: &[u8]| parse::<ListPage<Profile>>(body, "profiles");
        profile.permissions = match self.api.get(&call, account, read).await {
            Ok(None) => unknown("the API says that there is no such profile"),
            Ok(Some(page)) => match known(page).find(|details| details.id == profile.id) {
                Some(details) => details.permissions,
                None => unknown("the API answered with another profile"),
            },
            Err(error) => unreadable(error)?,
        };
        Ok(profile)
    }
}

/// The profiles of a page that have an id.
fn known(page: ListPage<Profile>) -> impl Iterator<Item = Profile> {
    page.entries.into_iter().flatten().map(|(profile, _)| profile)
}
