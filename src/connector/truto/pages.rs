//! Lists, page by page. A cursor leads from page to page, so that pages are read one after another. How full a page is
//! says nothing, and an empty page with a cursor is not the end.

use std::collections::HashSet;

use super::{
    envelope::{Entries, Enveloped, UsersPage, partial},
    vendor::list,
    workspace::Truto,
};
use crate::{
    connector::{
        bigin::{ALL_USERS, MOST_LIST_PAGES, MOST_PAGES, NONE_AT_ALL, PER_PAGE},
        contract::Progress,
        error::ConnectorError,
        kit::{Account, Call, Entry, ParseError, UserPages, parse},
    },
    model::{reading::CheckKind, users::UserBlock},
};

/// A list of users as it was read.
#[derive(Debug, Default)]
pub(super) struct UserList {
    pub(super) pages: UserPages,
    /// The cursor of the last page that had users; `None` for the first.
    last: Option<String>,
}

impl Truto {
    pub(super) fn users_call(&self, kind: &str, cursor: Option<&str>) -> Call {
        let call = list(&self.resources().users).with("type", kind).with("limit", PER_PAGE.to_string());
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
        page.ok_or_else(|| self.missing(&call, "the list is missing"))
    }

    /// The last page of all users again; `None` if it is the first.
    pub(super) async fn last_again(
        &self,
        account: &Account,
        list: &UserList,
    ) -> Result<Option<UserBlock>, ConnectorError> {
        match &list.last {
            None => Ok(None),
            Some(cursor) => self.users_page(account, ALL_USERS, Some(cursor)).await.map(|page| Some(page.users.block)),
        }
    }

    pub(super) async fn user_list(
        &self,
        account: &Account,
        kind: &str,
        progress: &dyn Progress,
    ) -> Result<UserList, ConnectorError> {
        let mut list = UserList::default();
        let UserPages { blocks, notes, unidentified } = &mut list.pages;
        let (mut cursor, mut seen, mut users): (Option<String>, HashSet<String>, u64) = (None, HashSet::new(), 0);
        let (mut read, mut parts, mut is_counted) = (0, 0, true);
        for number in 1.. {
            let page = self.users_page(account, kind, cursor.as_deref()).await?;
            read = number;
            if page.is_partial {
                parts += 1;
                notes.disagree(CheckKind::SourceComplete, partial(&format!("page {number} of the users")));
            }
            let held = page.users.rows();
            *unidentified += u64::from(page.users.unidentified);
            is_counted &= page.count.is_some();
            if let Some(count) = page.count.filter(|count| *count != held) {
                let detail = format!("page {number} says that it holds {count} users, but holds {held}");
                notes.disagree(CheckKind::PageLength, detail);
            }
            users += held;
            if held > 0 {
                blocks.push(page.users.block);
                list.last = cursor;
            }
            progress.read(number, users);
            let Some(next) = page.next else { break };
            if !seen.insert(next.clone()) || number == MOST_PAGES {
                let detail = format!(
                    "page {number} says that more pages follow, without an end: its cursor repeats an earlier one, or the list is longer than {MOST_PAGES} pages"
                );
                notes.disagree(CheckKind::MoreRecords, detail);
                break;
            }
            cursor = Some(next);
        }
        notes.figure(CheckKind::MoreRecords, format!("{read} pages, the last without a cursor to another"));
        notes.figure(CheckKind::SourceComplete, format!("{parts} of {read} pages say that they are a part"));
        if !is_counted {
            notes.not_evaluated(CheckKind::PageLength, "Truto does not say how many users each page holds");
        }
        Ok(list)
    }

    /// All pages of a small list, each read by `read`.
    pub(super) async fn small_list<T>(
        &self,
        resource: &str,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<Entries<T>, ParseError>,
    ) -> Result<(Enveloped<Vec<Entry<T>>>, Option<String>), ConnectorError> {
        let (mut call, mut seen) = (list(resource), HashSet::new());
        let mut found = Enveloped { value: Vec::new(), is_partial: false };
        let mut number = 0;
        loop {
            number += 1;
            let page = self.api.get(&call, account, &read).await?;
            let page = page.ok_or_else(|| self.missing(&call, "the list is missing"))?;
            let (rows, next) = page.value;
            found.value.extend(rows);
            found.is_partial |= page.is_partial;
            match next {
                None if found.value.is_empty() => return Err(self.missing(&call, NONE_AT_ALL)),
                None => return Ok((found, None)),
                Some(next) if !seen.insert(next.clone()) => {
                    return Ok((found, Some("its cursor repeats an earlier one, so that it has no end".to_owned())));
                }
                Some(_) if number == MOST_LIST_PAGES => {
                    return Ok((found, Some(format!("it is longer than {MOST_LIST_PAGES} pages"))));
                }
                Some(next) => call = list(resource).with("next_cursor", next),
            }
        }
    }
}
