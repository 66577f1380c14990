//! Reads everything, and checks that it was everything, as far as Truto's envelopes allow.
//!
//! A cursor leads from page to page, so that pages are read one after another. How full a page is says nothing, and an
//! empty page with a cursor is not the end.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::Utc;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    Truto,
    api::Call,
    envelope::{self, Found, Page, UsersPage, partial},
    missing,
};
use crate::{
    connector::{
        ConnectorError, Progress, ReadRequest,
        bigin::{
            ADMINISTRATORS, ALL_USERS, PER_PAGE,
            lists::{self, RawProfile, RawRole},
            parse::{ParseError, parse},
        },
        http::Account,
        verify::{
            self, Attempt, Disagreement, Patience, ReadsOnce, administrators_compared, administrators_disagree,
            compared, distinct, reader_listed, reader_missing, repeated_users, rows_per_page, slid,
        },
    },
    model::{
        directory::{Directory, Permissions, Profile, Role, Source},
        kind::ConnectorKind,
        reading::{CheckKind, Reading},
        users::{UserBlock, Users},
    },
};

/// The checks of this connector, in the order of reports.
const CHECKS: [CheckKind; 8] = [
    CheckKind::DistinctUsers,
    CheckKind::PageLength,
    CheckKind::MoreRecords,
    CheckKind::FirstPageAgain,
    CheckKind::LastPageAgain,
    CheckKind::Administrators,
    CheckKind::ReaderListed,
    CheckKind::SourceComplete,
];

/// More pages than any workspace has.
const MOST_PAGES: u32 = 50_000;

/// A list of users as it was read.
#[derive(Debug, Default)]
struct UserList {
    /// The pages that had users, in order.
    blocks: Vec<UserBlock>,
    disagreements: Vec<Disagreement>,
    /// Pages that were read, empty ones included, and how many of them say that they are a part.
    read: u32,
    partial: u32,
    /// The cursor of the last page that had users; none for the first.
    last: Option<String>,
    /// Whether each page said how many users it holds.
    is_counted: bool,
}

pub(super) async fn read(
    connector: &Truto,
    request: &ReadRequest,
    progress: &dyn Progress,
) -> Result<Directory, ConnectorError> {
    let account = Account::new(request.deadline).recorded_by(request.recorder.clone());
    let settings = &connector.api.settings;
    let patience = Patience { reads: settings.reads, pause: settings.pause_between_reads };
    let once = Once { connector, request, account: &account, progress };
    verify::read(patience, &CHECKS, &account, progress, &once).await
}

/// What one read needs.
struct Once<'a> {
    connector: &'a Truto,
    request: &'a ReadRequest,
    account: &'a Account,
    progress: &'a dyn Progress,
}

#[async_trait]
impl ReadsOnce for Once<'_> {
    async fn attempt(&self) -> Result<Attempt, ConnectorError> {
        attempt(self.connector, self.request, self.account, self.progress).await
    }
}

async fn attempt(
    connector: &Truto,
    request: &ReadRequest,
    account: &Account,
    progress: &dyn Progress,
) -> Result<Attempt, ConnectorError> {
    let (list, organization, reader, roles, profiles) = tokio::try_join!(
        connector.user_list(account, ALL_USERS, progress),
        connector.organization_of(account),
        connector.current_user_of(account),
        connector.roles(account),
        connector.profiles(account),
    )?;
    let last_again = async {
        match &list.last {
            None => Ok(None),
            Some(cursor) => connector.users_page(account, ALL_USERS, Some(cursor)).await.map(Some),
        }
    };
    let (first_again, last_again, administrators) = tokio::join!(
        connector.users_page(account, ALL_USERS, None),
        last_again,
        connector.user_list(account, ADMINISTRATORS, &()),
    );
    let mut disagreements = list.disagreements;
    let organization = organization.noted("the organization", &mut disagreements);
    let reader = reader.noted("the current user", &mut disagreements);
    let roles = roles.noted("the roles", &mut disagreements);
    let profiles = profiles.noted("the profiles", &mut disagreements);
    let pages = u32::try_from(list.blocks.len()).unwrap_or(u32::MAX);
    let first_again = first_again?.users;
    disagreements.extend(slid(CheckKind::FirstPageAgain, 1, list.blocks.first(), &first_again));
    let mut figures = vec![
        (CheckKind::FirstPageAgain, compared(1, list.blocks.first(), &first_again)),
        (CheckKind::MoreRecords, format!("{} pages, the last without a cursor to another", list.read)),
        (CheckKind::SourceComplete, format!("{} of {} pages say that they are a part", list.partial, list.read)),
    ];
    if let Some(again) = last_again? {
        disagreements.extend(slid(CheckKind::LastPageAgain, pages, list.blocks.last(), &again.users));
        figures.push((CheckKind::LastPageAgain, compared(pages, list.blocks.last(), &again.users)));
    } else {
        figures.push((CheckKind::LastPageAgain, "page 1 is the last, and is compared as the first".to_owned()));
    }
    let rows = list.blocks.iter().map(|block| block.len() as u64).sum();
    let rows_per_page = rows_per_page(&list.blocks);
    let (users, repeated) = Users::from_blocks(list.blocks);
    disagreements.extend(repeated_users(&repeated));
    figures.push((CheckKind::DistinctUsers, distinct(rows, &repeated, users.len())));
    let call = connector.users_call(ALL_USERS, None);
    let directory = Directory {
        source: connector.source(),
        organization,
        current_user: reader,
        reading: Reading {
            started_at: Utc::now(),
            finished_at: Utc::now(),
            attempts: 1,
            pages,
            per_page: PER_PAGE,
            rows,
            rows_per_page,
            repeated: repeated.len() as u64,
            users: users.len() as u64,
            requests: 0,
            answers: 0,
            token_calls: 0,
            unanswered: 0,
            retries: 0,
            bytes: 0,
            query: format!("GET {}", connector.api.url(&call)?),
            checks: Vec::new(),
        },
        users,
        roles,
        profiles,
    };
    disagreements.extend(reader_missing(&directory));
    figures.push((CheckKind::ReaderListed, reader_listed(&directory)));
    let mut not_evaluated = Vec::new();
    if !list.is_counted {
        let detail = "Truto does not say how many users each page holds";
        not_evaluated.push((CheckKind::PageLength, detail.to_owned()));
    }
    match administrators {
        Ok(theirs) if is_everybody(&directory, &theirs.blocks) => {
            let detail = "Truto lists all users where administrators are asked for: it does not pass the filter on";
            not_evaluated.push((CheckKind::Administrators, detail.to_owned()));
        }
        Ok(theirs) => {
            figures.push((CheckKind::Administrators, administrators_compared(&directory, request, &theirs.blocks)));
            disagreements.extend(administrators_disagree(&directory, request, &theirs.blocks));
        }
        Err(error @ (ConnectorError::Refused { .. } | ConnectorError::MissingRight { .. })) => {
            not_evaluated.push((CheckKind::Administrators, error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(Attempt { directory, disagreements, not_evaluated, figures })
}

/// Whether a list of administrators is the list of all users, of whom some are none.
fn is_everybody(directory: &Directory, listed: &[UserBlock]) -> bool {
    let listed: HashSet<&str> = listed.iter().flat_map(UserBlock::ids).collect();
    let profiles: HashSet<Option<&str>> =
        directory.users.iter().map(|user| user.profile().map(|profile| profile.id.as_str())).collect();
    profiles.len() > 1 && listed.len() == directory.users.len()
}

impl Truto {
    /// Where it reads.
    pub(super) fn source(&self) -> Source {
        let api_url = self.api.settings.api_url.as_str().trim_end_matches('/').to_owned();
        Source { connector: ConnectorKind::Truto, api_url, data_center: None, scopes: None }
    }

    fn users_call(&self, kind: &str, cursor: Option<&str>) -> Call {
        let call = Call::list(&self.resources().users).with("type", kind).with("limit", PER_PAGE.to_string());
        match cursor {
            Some(cursor) => call.with("next_cursor", cursor),
            None => call,
        }
    }

    pub(super) async fn users_page(
        &self,
        account: &Account,
        kind: &str,
        cursor: Option<&str>,
    ) -> Result<UsersPage, ConnectorError> {
        let call = self.users_call(kind, cursor);
        let page = self.api.get(&call, account, |body| parse::<UsersPage>(body, "users")).await?;
        page.ok_or_else(|| missing(&call, "the list is missing"))
    }

    async fn user_list(
        &self,
        account: &Account,
        kind: &str,
        progress: &dyn Progress,
    ) -> Result<UserList, ConnectorError> {
        let mut list = UserList { is_counted: true, ..UserList::default() };
        let (mut cursor, mut seen, mut users): (Option<String>, HashSet<String>, u64) = (None, HashSet::new(), 0);
        for number in 1.. {
            let page = self.users_page(account, kind, cursor.as_deref()).await?;
            list.read = number;
            if page.is_partial() {
                list.partial += 1;
                list.disagreements.push(partial(&format!("page {number} of the users")));
            }
            match page.count() {
                None => list.is_counted = false,
                Some(count) if count == page.users.len() as u64 => {}
                Some(count) => {
                    let held = page.users.len();
                    let detail = format!("page {number} says that it holds {count} users, and {held} came");
                    list.disagreements.push((CheckKind::PageLength, detail));
                }
            }
            let next = page.next().map(str::to_owned);
            if !page.users.is_empty() {
                users += page.users.len() as u64;
                list.blocks.push(page.users);
                list.last = cursor;
            }
            progress.read(number, users);
            let Some(next) = next else { break };
            if !seen.insert(next.clone()) || number == MOST_PAGES {
                let detail = format!(
                    "page {number} says that more follow, without an end: its cursor came before, or the list is longer than {MOST_PAGES} pages"
                );
                list.disagreements.push((CheckKind::MoreRecords, detail));
                break;
            }
            cursor = Some(next);
        }
        Ok(list)
    }

    /// All pages of a small list, each read by `read`.
    async fn list<T>(
        &self,
        resource: &str,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<Found<(Vec<T>, Option<String>)>, ParseError>,
    ) -> Result<Found<Vec<T>>, ConnectorError> {
        let (mut call, mut seen) = (Call::list(resource), HashSet::new());
        let mut found = Found { value: Vec::new(), is_partial: false };
        loop {
            let page = self.api.get(&call, account, &read).await?;
            let page = page.ok_or_else(|| missing(&call, "the list is missing"))?;
            let (rows, next) = page.value;
            found.value.extend(rows);
            found.is_partial |= page.is_partial;
            match next.filter(|cursor| !cursor.is_empty()) {
                None if found.value.is_empty() => {
                    return Err(missing(&call, "there is none at all, which cannot be: every workspace has one"));
                }
                None => return Ok(found),
                Some(next) if !seen.insert(next.clone()) => {
                    return Err(missing(&call, "the list has no end: its cursor came before"));
                }
                Some(next) => call = Call::list(resource).with("next_cursor", next),
            }
        }
    }

    /// The master list of roles.
    pub(super) async fn roles(&self, account: &Account) -> Result<Found<Vec<Role>>, ConnectorError> {
        let page = |body: &[u8]| parse::<Page<RawRole<'_>>>(body, "roles").map(|page| page.found(lists::roles));
        let mut roles = self.list(&self.resources().roles, account, page).await?;
        roles.value.sort_by(|a, b| a.id.cmp(&b.id));
        roles.value.dedup_by(|a, b| a.id == b.id);
        Ok(roles)
    }

    /// The master list of profiles.
    pub(super) async fn profile_list(&self, account: &Account) -> Result<Found<Vec<Profile>>, ConnectorError> {
        let page =
            |body: &[u8]| parse::<Page<RawProfile<'_>>>(body, "profiles").map(|page| page.found(lists::profiles));
        let mut profiles = self.list(&self.resources().profiles, account, page).await?;
        profiles.value.sort_by(|a, b| a.id.cmp(&b.id));
        profiles.value.dedup_by(|a, b| a.id == b.id);
        Ok(profiles)
    }

    /// The same, with what each permits where Truto passes that on.
    async fn profiles(&self, account: &Account) -> Result<Found<Vec<Profile>>, ConnectorError> {
        let Found { value, is_partial } = self.profile_list(account).await?;
        let value = stream::iter(value)
            .map(async |profile| self.with_permissions(profile, account).await)
            .buffered(self.api.settings.limits.concurrency)
            .try_collect()
            .await?;
        Ok(Found { value, is_partial })
    }

    async fn with_permissions(&self, mut profile: Profile, account: &Account) -> Result<Profile, ConnectorError> {
        if matches!(profile.permissions, Permissions::Known(_)) {
            return Ok(profile);
        }
        let call = Call::one(&self.resources().profiles, profile.id.as_str());
        let one =
            |body: &[u8]| envelope::one(body, |record| parse::<RawProfile<'_>>(record, "profile").map(Profile::from));
        let unknown = |reason: String| Permissions::Unknown(reason);
        profile.permissions = match self.api.get(&call, account, one).await {
            Ok(Some(Found { is_partial: true, .. })) => {
                unknown("Truto says that its answer is a part of what there is".to_owned())
            }
            Ok(None | Some(Found { value: None, .. })) => {
                unknown("the API says that there is no such profile".to_owned())
            }
            Ok(Some(Found { value: Some(details), .. })) if details.id == profile.id => details.permissions,
            Ok(Some(_)) => unknown("the API answered with another profile".to_owned()),
            Err(ConnectorError::TrutoUnknown { .. }) => unknown("Truto does not pass single profiles on".to_owned()),
            Err(ConnectorError::TrutoScopes { .. }) => unknown("the credentials' scopes do not reach them".to_owned()),
            Err(ConnectorError::MissingRight { .. }) => unknown("the account may not see them".to_owned()),
            Err(ConnectorError::Refused { code, .. }) => unknown(format!("the API refuses them ({code})")),
            Err(ConnectorError::Shape { path, .. }) => {
                unknown(format!("the API gives them in another shape (at {path})"))
            }
            Err(other) => return Err(other),
        };
        Ok(profile)
    }
}
