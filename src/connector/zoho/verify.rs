//! Reads everything, and checks that it was everything; where a check disagrees, reads everything again.
//!
//! A list that is read page by page slides when somebody is added or removed meanwhile: a user is skipped, or
//! comes twice. The checks cost four calls beside the pages, made at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;

use super::{
    ZohoBigin,
    read::{UserList, arrived, ask, user_list, users_page},
};
use crate::{
    connector::{
        ConnectorError, Progress, ReadRequest,
        bigin::{ADMINISTRATORS, ALL_USERS, PER_PAGE, page::UsersPage},
        http::Account,
        verify::{
            self, Attempt, Patience, ReadsOnce, administrators_compared, administrators_disagree, compared, distinct,
            reader_listed, reader_missing, repeated_users, rows_per_page, slid,
        },
    },
    model::{
        directory::{Directory, Source},
        kind::ConnectorKind,
        reading::{CheckKind, Reading},
        users::{UserBlock, Users},
    },
};

/// The checks of this connector, in the order of reports.
const CHECKS: [CheckKind; 7] = [
    CheckKind::DistinctUsers,
    CheckKind::PageLength,
    CheckKind::MoreRecords,
    CheckKind::FirstPageAgain,
    CheckKind::LastPageAgain,
    CheckKind::Administrators,
    CheckKind::ReaderListed,
];

pub(super) async fn read(
    connector: &ZohoBigin,
    request: &ReadRequest,
    progress: &dyn Progress,
) -> Result<Directory, ConnectorError> {
    let account = Arc::new(Account::new(request.deadline).recorded_by(request.recorder.clone()));
    let settings = &connector.api.settings;
    let patience = Patience { reads: settings.reads, pause: settings.pause_between_reads };
    let once = Once { connector, request, account: &account, progress };
    verify::read(patience, &CHECKS, &account, progress, &once).await
}

/// What one read needs.
struct Once<'a> {
    connector: &'a ZohoBigin,
    request: &'a ReadRequest,
    account: &'a Arc<Account>,
    progress: &'a dyn Progress,
}

#[async_trait]
impl ReadsOnce for Once<'_> {
    async fn attempt(&self) -> Result<Attempt, ConnectorError> {
        attempt(self.connector, self.request, self.account, self.progress).await
    }
}

async fn attempt(
    connector: &ZohoBigin,
    request: &ReadRequest,
    account: &Arc<Account>,
    progress: &dyn Progress,
) -> Result<Attempt, ConnectorError> {
    let api = &connector.api;
    let (mut list, organization, reader, roles, profiles) = tokio::try_join!(
        user_list(api, account, ALL_USERS, progress),
        connector.organization_of(account),
        connector.current_user_of(account),
        connector.roles(account),
        connector.profiles(account),
    )?;
    let end = list.pages().max(1);
    let beyond = list.beyond.take().unwrap_or_else(|| ask(api, account, ALL_USERS, end + 1));
    let last_again = async { if end == 1 { Ok(None) } else { users_page(api, account, ALL_USERS, end).await } };
    let (first_again, last_again, beyond, administrators) = tokio::join!(
        users_page(api, account, ALL_USERS, 1),
        last_again,
        arrived(beyond, account),
        user_list(api, account, ADMINISTRATORS, &()),
    );
    let ids = |page: Option<UsersPage>| page.map(|page| page.users).unwrap_or_default();
    let (first_again, last_again) = (ids(first_again?), ids(last_again?));
    let mut disagreements = list.disagreements.clone();
    disagreements.extend(slid(CheckKind::FirstPageAgain, 1, list.blocks.first(), &first_again));
    if end > 1 {
        disagreements.extend(slid(CheckKind::LastPageAgain, end, list.blocks.last(), &last_again));
    }
    let held_beyond = beyond.as_ref().ok().and_then(Option::as_ref).map_or(0, |beyond| beyond.users.len());
    let mut figures = figures_of_pages(&list, [&first_again, &last_again], held_beyond);
    match beyond {
        // That a page beyond the end is refused says the same as that it is empty.
        Ok(None) | Err(ConnectorError::Refused { .. }) => {}
        Ok(Some(beyond)) => {
            let held = beyond.users.len();
            let detail = format!("page {end} says that it is the last, and page {} holds {held} users", end + 1);
            disagreements.push((CheckKind::MoreRecords, detail));
        }
        Err(error) => return Err(error),
    }

    let (pages, rows, rows_per_page) = (list.pages(), list.rows(), rows_per_page(&list.blocks));
    let (users, repeated) = Users::from_blocks(list.blocks);
    disagreements.extend(repeated_users(&repeated));
    figures.push((CheckKind::DistinctUsers, distinct(rows, &repeated, users.len())));
    let token = api.token(account).await?;
    let directory = Directory {
        source: Source {
            connector: ConnectorKind::ZohoBigin,
            api_url: token.api,
            data_center: Some(api.settings.data_center.to_string()),
            scopes: token.scopes,
        },
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
            query: format!("GET /bigin/v2/users?type={ALL_USERS}&per_page={PER_PAGE}"),
            checks: Vec::new(),
        },
        users,
        roles,
        profiles,
    };
    disagreements.extend(reader_missing(&directory));
    figures.push((CheckKind::ReaderListed, reader_listed(&directory)));
    let mut not_evaluated = Vec::new();
    match administrators {
        Ok(theirs) => {
            figures.push((CheckKind::Administrators, administrators_compared(&directory, request, &theirs.blocks)));
            disagreements.extend(administrators_disagree(&directory, request, &theirs.blocks));
        }
        Err(
            error @ (ConnectorError::Refused { .. }
            | ConnectorError::MissingRight { .. }
            | ConnectorError::MissingScope { .. }),
        ) => {
            not_evaluated.push((CheckKind::Administrators, error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(Attempt { directory, disagreements, not_evaluated, figures })
}

/// What is compared of the pages, in numbers; `again` are the first and the last as they were read once more.
fn figures_of_pages(list: &UserList, again: [&UserBlock; 2], held_beyond: usize) -> Vec<(CheckKind, String)> {
    let (end, rows) = (list.pages().max(1), list.rows());
    let lengths = match list.said {
        Some(said) => format!("the pages say {said} users and hold {rows}"),
        None => format!("not every page says how many users it holds; they hold {rows}"),
    };
    let end_again = if end > 1 {
        compared(end, list.blocks.last(), again[1])
    } else {
        "page 1 is the last, and is compared as the first".to_owned()
    };
    let behind = format!("page {end} is the last of {end}; page {} holds {held_beyond} users", end + 1);
    vec![
        (CheckKind::PageLength, lengths),
        (CheckKind::MoreRecords, behind),
        (CheckKind::FirstPageAgain, compared(1, list.blocks.first(), again[0])),
        (CheckKind::LastPageAgain, end_again),
    ]
}
