//! A list of users, page by page, several pages in flight.
//!
//! Only `more_records` says that another page follows, so a reader that waits for it reads one page at a time. Once the
//! first page says that there are more, the next ones are requested ahead; an answer is used only if the page
//! before them says that they exist. The one after the last is kept: it shows whether the last one really was the last.

use std::{collections::VecDeque, sync::Arc};

use tokio_util::task::AbortOnDropHandle;

use super::{vendor::Zoho, workspace::USERS_SCOPE};
use crate::{
    connector::{
        bigin::{MOST_PAGES, PER_PAGE, page::UsersPage},
        contract::Progress,
        error::{Cause, ConnectorError},
        kit::{Account, Api, Call, Notes, UserPages, parse},
    },
    model::{reading::CheckKind, users::UserBlock},
};

/// A list of users as it was read.
#[derive(Debug, Default)]
pub(super) struct UserList {
    pub(super) pages: UserPages,
    /// How many users the pages said that they hold; `None` if one did not say.
    said: Option<u64>,
    /// The page after the last, if it was requested ahead.
    beyond: Option<PageTask>,
}

/// One page; `None` if the API says that there is nothing.
pub(super) async fn page(
    api: &Api<Zoho>,
    account: &Account,
    kind: &str,
    number: u32,
) -> Result<Option<UsersPage>, ConnectorError> {
    let call = Call::get(format!("users?type={kind}&page={number}&per_page={PER_PAGE}")).scope(USERS_SCOPE);
    let answer = api.get(&call, account, |body| parse::<UsersPage>(body, "users")).await?;
    Ok(answer.filter(|page| page.users.rows() > 0))
}

/// The users of a page; empty if there is no such page.
pub(super) fn users(page: Option<UsersPage>) -> UserBlock {
    page.map(|page| page.users.block).unwrap_or_default()
}

/// A page that is on its way, and what it costs.
#[derive(Debug)]
struct PageTask {
    page: AbortOnDropHandle<Result<Option<UsersPage>, ConnectorError>>,
    account: Arc<Account>,
}

/// Requests a page without waiting for it.
fn ask(api: &Arc<Api<Zoho>>, account: &Account, kind: &'static str, number: u32) -> PageTask {
    let (api, account) = (Arc::clone(api), Arc::new(account.ahead()));
    let costs = Arc::clone(&account);
    // A task of its own, so that pages are parsed in parallel.
    let task = tokio::spawn(async move { page(&api, &costs, kind, number).await });
    PageTask { page: AbortOnDropHandle::new(task), account }
}

/// Waits for a page, which is needed.
async fn arrived(task: PageTask, account: &Account) -> Result<Option<UsersPage>, ConnectorError> {
    let page = task.page.await;
    account.settle(&task.account);
    // A task ends otherwise only by a panic, which is a defect and is carried on.
    page.unwrap_or_else(|failed| match failed.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Ok(None),
    })
}

/// All pages of a list.
pub(super) async fn list(
    api: &Arc<Api<Zoho>>,
    account: &Account,
    kind: &'static str,
    progress: &dyn Progress,
) -> Result<UserList, ConnectorError> {
    // Twice as many as may be in flight: a page that is being parsed, or that arrived early, delays no other one.
    let ahead = u32::try_from(api.concurrency() * 2).unwrap_or(2);
    let mut list = UserList { said: Some(0), ..UserList::default() };
    let UserPages { blocks, notes, unidentified } = &mut list.pages;
    let mut users = 0;
    let mut waiting: VecDeque<PageTask> = VecDeque::from([ask(api, account, kind, 1)]);
    let mut number = 0;
    while let Some(task) = waiting.pop_front() {
        number += 1;
        let Some(page) = arrived(task, account).await? else {
            if number > 1 {
                let detail = format!("page {} says that more follow, and page {number} is empty", number - 1);
                notes.disagree(CheckKind::MoreRecords, detail);
            }
            break;
        };
        let more = page.info.is_some_and(|info| info.more_records);
        check_length(&page, number, more, notes);
        let endless = blocks.last().is_some_and(|before| before.ids().eq(page.users.block.ids()));
        users += page.users.rows();
        *unidentified += u64::from(page.users.unidentified);
        list.said = list.said.zip(page.info.and_then(|info| info.count)).map(|(said, count)| said + count);
        blocks.push(page.users.block);
        progress.read(number, users);
        if endless || (more && number == MOST_PAGES) {
            let detail = format!(
                "page {number} says that more pages follow, without an end: it repeats the previous page, or the list is longer than {MOST_PAGES} pages"
            );
            notes.disagree(CheckKind::MoreRecords, detail);
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

/// Whether a page holds as many users as it says, and is full if more follow.
fn check_length(page: &UsersPage, number: u32, more: bool, notes: &mut Notes) {
    let rows = page.users.rows();
    let Some(info) = page.info else { return };
    let full = info.per_page.unwrap_or(u64::from(PER_PAGE));
    if let Some(count) = info.count.filter(|count| *count != rows) {
        notes.disagree(
            CheckKind::PageLength,
            format!("page {number} says that it holds {count} users and holds {rows}"),
        );
    } else if more && rows < full {
        let detail = format!("page {number} holds {rows} of {full} users although more follow");
        notes.disagree(CheckKind::PageLength, detail);
    }
}

/// Reads the page after the last, and notes whether the last one really was the last.
pub(super) async fn check_end(
    api: &Arc<Api<Zoho>>,
    account: &Account,
    kind: &'static str,
    list: &mut UserList,
) -> Result<(), ConnectorError> {
    let end = list.pages.count().max(1);
    let task = list.beyond.take().unwrap_or_else(|| ask(api, account, kind, end + 1));
    let held = match arrived(task, account).await {
        // Refusing a page after the end says the same as an empty one.
        Ok(None) => 0,
        Err(error) if matches!(error.cause, Cause::Refused { .. }) => 0,
        Ok(Some(beyond)) => beyond.users.rows(),
        Err(error) => return Err(error),
    };
    let rows = list.pages.rows();
    let notes = &mut list.pages.notes;
    let after = end + 1;
    notes.figure(CheckKind::MoreRecords, format!("page {end} is the last of {end}; page {after} holds {held} users"));
    let lengths = match list.said {
        Some(said) => format!("the pages say {said} users and hold {rows}"),
        None => format!("not every page says how many users it holds; they hold {rows}"),
    };
    notes.figure(CheckKind::PageLength, lengths);
    if held > 0 {
        let detail = format!("page {end} says that it is the last, and page {after} holds {held} users");
        notes.disagree(CheckKind::MoreRecords, detail);
    }
    Ok(())
}
