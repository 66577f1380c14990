//! Reads everything once, as far as Truto's envelopes allow.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    envelope::{self, Enveloped},
    pages::UserList,
    vendor::one,
    workspace::Truto,
};
use crate::{
    clock::Clock,
    connector::{
        bigin::{
            ADMINISTRATORS, ALL_USERS, PER_PAGE,
            lists::{self, RawProfile, RawRole},
            unreadable,
        },
        contract::Progress,
        error::{Cause, ConnectorError},
        kit::{Account, Administrators, Listed, Parts, Reader, Rereads, parse},
    },
    model::{
        directory::{Permissions, Profile, Role},
        id::{ProfileId, RoleId},
        reading::CheckKind,
    },
};

#[async_trait]
impl Reader for Truto {
    fn more_checks(&self) -> &'static [CheckKind] {
        &[CheckKind::SourceComplete]
    }

    fn rereads(&self) -> Rereads {
        let settings = self.settings();
        Rereads { reads: settings.reads, pause: settings.pause_between_reads }
    }

    fn clock(&self) -> &Clock {
        self.api.clock()
    }

    async fn read_once(&self, account: &Arc<Account>, progress: &dyn Progress) -> Result<Parts, ConnectorError> {
        let (mut users, organization, current_user, roles, profiles) = tokio::try_join!(
            self.user_list(account, ALL_USERS, progress),
            self.organization_of(account),
            self.current_user_of(account),
            self.roles(account),
            self.profiles(account),
        )?;
        let (first_again, last_again, administrators) = tokio::join!(
            self.users_page(account, ALL_USERS, None),
            self.last_again(account, &users),
            self.user_list(account, ADMINISTRATORS, &()),
        );
        let notes = &mut users.pages.notes;
        Ok(Parts {
            source: self.source(),
            organization: organization.noted("the organization", notes),
            current_user: current_user.noted("the current user", notes),
            roles: roles.noted("the roles", notes),
            profiles: profiles.noted("the profiles", notes),
            users: users.pages,
            first_again: first_again?.users.block,
            last_again: last_again?,
            administrators: listed(administrators)?,
            query: format!("GET {}", self.api.vendor().url(&self.users_call(ALL_USERS, None))?),
            per_page: PER_PAGE,
        })
    }
}

/// The vendor's own list of administrators, as far as Truto passes it on.
fn listed(list: Result<UserList, ConnectorError>) -> Result<Administrators, ConnectorError> {
    match list {
        Ok(list) => Ok(Administrators::Filtered(
            list.pages.blocks,
            "Truto lists all users instead of administrators: it does not pass the filter on",
        )),
        Err(error) => match error.cause {
            Cause::Refused { .. } | Cause::MissingRight(_) => Ok(Administrators::NotAvailable(error.to_string())),
            _ => Err(error),
        },
    }
}

impl Truto {
    /// The master list of roles.
    pub(super) async fn roles(&self, account: &Account) -> Result<Enveloped<Listed<Role, RoleId>>, ConnectorError> {
        let page = |body: &[u8]| envelope::entries(body, "roles", RawRole::entry);
        let (Enveloped { value, is_partial }, endless) =
            self.small_list(&self.resources().roles, account, page).await?;
        Ok(Enveloped { value: lists::roles(value, endless), is_partial })
    }

    /// The master list of profiles.
    pub(super) async fn profile_list(
        &self,
        account: &Account,
    ) -> Result<Enveloped<Listed<Profile, ProfileId>>, ConnectorError> {
        let page = |body: &[u8]| envelope::entries(body, "profiles", RawProfile::entry);
        let (Enveloped { value, is_partial }, endless) =
            self.small_list(&self.resources().profiles, account, page).await?;
        Ok(Enveloped { value: lists::profiles(value, endless), is_partial })
    }

    /// The same, with the permissions of each if Truto passes them on.
    async fn profiles(&self, account: &Account) -> Result<Enveloped<Listed<Profile, ProfileId>>, ConnectorError> {
        let mut found = self.profile_list(account).await?;
        found.value.records = stream::iter(std::mem::take(&mut found.value.records))
            .map(async |profile| self.with_permissions(profile, account).await)
            .buffered(self.api.concurrency())
            .try_collect()
            .await?;
        Ok(found)
    }

    async fn with_permissions(&self, mut profile: Profile, account: &Account) -> Result<Profile, ConnectorError> {
        if matches!(profile.permissions, Permissions::Known(_)) {
            return Ok(profile);
        }
        let call = one(&self.resources().profiles, profile.id.as_str());
        let record = |body: &[u8]| {
            envelope::one(body, |record| parse::<RawProfile<'_>>(record, "profile").map(RawProfile::entry))
        };
        let unknown = |reason: &str| Permissions::Unknown(reason.to_owned());
        profile.permissions = match self.api.get(&call, account, record).await {
            Ok(Some(Enveloped { is_partial: true, .. })) => {
                unknown("Truto says that its answer is a part of what there is")
            }
            Ok(None | Some(Enveloped { value: None, .. })) => unknown("the API says that there is no such profile"),
            Ok(Some(Enveloped { value: Some(Some((details, _))), .. })) if details.id == profile.id => {
                details.permissions
            }
            Ok(Some(_)) => unknown("the API answered with another profile"),
            Err(error) if matches!(error.cause, Cause::NotFound(_)) => {
                unknown("Truto does not pass single profiles on")
            }
            Err(error) => unreadable(error)?,
        };
        Ok(profile)
    }
}
