//! Reads everything once: master lists and all pages of users, several in flight.
//!
//! Only `more_records` tells that another page follows, so that a reader who waits for it reads one page at a
//! time. Once the first page says that there are more, the next ones are asked for before their turn; what they
//! answer counts only when the page before them says that they exist. The one behind the last is kept: it shows
//! whether the last one really was the last.

use std::{collections::VecDeque, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::task::AbortOnDropHandle;

use super::{
    PROFILES_SCOPE, ROLES_SCOPE, USERS_SCOPE, ZohoBigin,
    api::{Api, Call},
    empty,
};
use crate::{
    connector::{
        ConnectorError, Progress,
        bigin::{
            PER_PAGE,
            lists::{ProfilesAnswer, RolesAnswer},
            page::UsersPage,
            parse::parse,
        },
        http::Account,
        verify::Disagreement,
    },
    model::{
        directory::{Permissions, Profile, Role},
        reading::CheckKind,
        users::UserBlock,
    },
};

/// More pages than any workspace has: a list that goes on for ever is broken off here.
const MOST_PAGES: u32 = 50_000;

/// A list of users as it was read.
#[derive(Debug, Default)]
pub(super) struct UserList {
    /// The pages, in order, none empty.
    pub(super) blocks: Vec<UserBlock>,
    /// What did not fit while it was read.
    pub(super) disagreements: Vec<Disagreement>,
    /// How many users the pages said that they hold; none where one did not say.
    pub(super) said: Option<u64>,
    /// The page behind the last one, where it was asked for before its turn.
    pub(super) beyond: Option<PageTask>,
}

impl UserList {
    /// How many pages had users.
    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    /// How many users came, repeated ones counted as often as they came.
    pub(super) fn rows(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }
}

pub(super) fn users_call(kind: &str, page: u32) -> Call {
    Call::new(format!("users?type={kind}&page={page}&per_page={PER_PAGE}"), USERS_SCOPE)
}

/// One page; none where the API says that there is nothing.
pub(super) async fn users_page(
    api: &Api,
    account: &Account,
    kind: &str,
    page: u32,
) -> Result<Option<UsersPage>, ConnectorError> {
    let answer = api.get(&users_call(kind, page), account, |body| parse::<UsersPage>(body, "users")).await?;
    Ok(answer.filter(|page| !page.users.is_empty()))
}

/// A page that is on its way, and what it costs.
#[derive(Debug)]
pub(super) struct PageTask {
    page: AbortOnDropHandle<Result<Option<UsersPage>, ConnectorError>>,
    account: Arc<Account>,
}

/// Asks for a page without waiting for it.
pub(super) fn ask(api: &Arc<Api>, account: &Account, kind: &'static str, page: u32) -> PageTask {
    let (api, account) = (Arc::clone(api), Arc::new(account.ahead()));
    let costs = Arc::clone(&account);
    // A task of its own, so that pages are parsed side by side.
    let task = tokio::spawn(async move { users_page(&api, &costs, kind, page).await });
    PageTask { page: AbortOnDropHandle::new(task), account }
}

/// Waits for a page, which is needed.
pub(super) async fn arrived(task: PageTask, account: &Account) -> Result<Option<UsersPage>, ConnectorError> {
    let page = task.page.await;
    account.settle(&task.account);
    // A task ends otherwise only by a panic, which is a defect and is carried on.
    page.unwrap_or_else(|failed| match failed.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Ok(None),
    })
}

/// All pages of a list.
pub(super) async fn user_list(
    api: &Arc<Api>,
    account: &Account,
    kind: &'static str,
    progress: &dyn Progress,
) -> Result<UserList, ConnectorError> {
    // Twice as many as may be in flight: a page that is being parsed, or that came before its turn, holds no
    // other one back.
    let ahead = u32::try_from(api.settings.limits.concurrency * 2).unwrap_or(2);
    let mut list = UserList { said: Some(0), ..UserList::default() };
    let mut users = 0;
    let mut waiting: VecDeque<PageTask> = VecDeque::from([ask(api, account, kind, 1)]);
    let mut number = 0;
    while let Some(task) = waiting.pop_front() {
        number += 1;
        let Some(page) = arrived(task, account).await? else {
            if number > 1 {
                let detail = format!("page {} says that more follow, and page {number} is empty", number - 1);
                list.disagreements.push((CheckKind::MoreRecords, detail));
            }
            break;
        };
        let more = page.info.is_some_and(|info| info.more_records);
        list.disagreements.extend(length_disagreements(&page, number, more));
        let endless = list.blocks.last().is_some_and(|before| before.ids().eq(page.users.ids()));
        users += page.users.len() as u64;
        list.said = list.said.zip(page.info.and_then(|info| info.count)).map(|(said, count)| said + count);
        list.blocks.push(page.users);
        progress.read(number, users);
        if endless || (more && number == MOST_PAGES) {
            let detail = format!(
                "page {number} says that more follow, without an end: it repeats the page before, or the list is longer than {MOST_PAGES} pages"
            );
            list.disagreements.push((CheckKind::MoreRecords, detail));
            break;
        }
        if !more {
            list.beyond = waiting.pop_front();
            break;
        }
        let asked = number + u32::try_from(waiting.len()).unwrap_or(0);
        waiting.extend((asked + 1..=number + ahead).map(|page| ask(api, account, kind, page)));
    }
    Ok(list)
}

fn length_disagreements(page: &UsersPage, number: u32, more: bool) -> Option<Disagreement> {
    let rows = page.users.len() as u64;
    let info = page.info?;
    if let Some(count) = info.count.filter(|count| *count != rows) {
        return Some((
            CheckKind::PageLength,
            format!("page {number} says that it holds {count} users and holds {rows}"),
        ));
    }
    let full = info.per_page.unwrap_or(u64::from(PER_PAGE));
    (more && rows < full)
        .then(|| (CheckKind::PageLength, format!("page {number} holds {rows} of {full} users although more follow")))
}

impl ZohoBigin {
    /// The master list of roles.
    pub(super) async fn roles(&self, account: &Account) -> Result<Vec<Role>, ConnectorError> {
        let call = Call::new("settings/roles", ROLES_SCOPE);
        let roles =
            self.api.get(&call, account, |body| parse::<RolesAnswer<'_>>(body, "roles").map(RolesAnswer::into_roles));
        let roles = roles.await?.unwrap_or_default();
        if roles.is_empty() {
            return Err(empty(&call, "roles", "there is no role at all, which cannot be: every workspace has one"));
        }
        Ok(roles)
    }

    /// The master list of profiles.
    pub(super) async fn profile_list(&self, account: &Account) -> Result<Vec<Profile>, ConnectorError> {
        let call = Call::new("settings/profiles", PROFILES_SCOPE);
        let list = |body: &[u8]| parse::<ProfilesAnswer<'_>>(body, "profiles").map(ProfilesAnswer::into_profiles);
        let profiles = self.api.get(&call, account, list).await?.unwrap_or_default();
        if profiles.is_empty() {
            return Err(empty(
                &call,
                "profiles",
                "there is no profile at all, which cannot be: every workspace has one",
            ));
        }
        Ok(profiles)
    }

    /// The same, with what each permits where the API tells.
    pub(super) async fn profiles(&self, account: &Account) -> Result<Vec<Profile>, ConnectorError> {
        stream::iter(self.profile_list(account).await?)
            .map(async |profile| self.with_permissions(profile, account).await)
            .buffered(self.api.settings.limits.concurrency)
            .try_collect()
            .await
    }

    /// A profile with its permissions. That the API refuses them is no reason to fail: it is said in the report.
    async fn with_permissions(&self, mut profile: Profile, account: &Account) -> Result<Profile, ConnectorError> {
        if matches!(profile.permissions, Permissions::Known(_)) {
            return Ok(profile);
        }
        let escaped: String = url::form_urlencoded::byte_serialize(profile.id.as_str().as_bytes()).collect();
        let call = Call::new(format!("settings/profiles/{escaped}"), PROFILES_SCOPE);
        let parse = |body: &[u8]| parse::<ProfilesAnswer<'_>>(body, "profiles").map(ProfilesAnswer::into_profiles);
        let unknown = |reason: &str| Permissions::Unknown(reason.to_owned());
        profile.permissions = match self.api.get(&call, account, parse).await {
            Ok(None) => unknown("the API says that there is no such profile"),
            Ok(Some(details)) => match details.into_iter().find(|details| details.id == profile.id) {
                Some(details) => details.permissions,
                None => unknown("the API answered with another profile"),
            },
            Err(ConnectorError::MissingScope { .. }) => unknown("the token's scope does not reach them"),
            Err(ConnectorError::MissingRight { .. }) => unknown("the account may not see them"),
            Err(ConnectorError::Refused { code, .. }) => unknown(&format!("the API refuses them ({code})")),
            Err(ConnectorError::Shape { path, .. }) => {
                unknown(&format!("the API gives them in another shape (at {path})"))
            }
            Err(other) => return Err(other),
        };
        Ok(profile)
    }
}
