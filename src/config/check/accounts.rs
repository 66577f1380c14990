//! Accounts that are not people.

use chrono::NaiveDate;

use super::Checker;
use crate::{
    config::{file, problem::Problem},
    model::{account::Account, pattern::Pattern},
};

impl Checker<'_> {
    /// A declaration; `None` if it cannot apply, after an error.
    pub(super) fn account(&mut self, account: &file::Account) -> Option<Account> {
        for (key, text) in [("subject", &account.subject), ("owner", &account.owner), ("reason", &account.reason)] {
            if text.get_ref().trim().is_empty() {
                self.error(
                    text.span(),
                    format!("an account's `{key}` must not be empty"),
                    "an auditor will ask who is responsible for it, and why it exists",
                );
            }
        }
        self.account_subject(account);
        if let Some(workspace) = &account.workspace {
            self.known_workspace(workspace);
        }
        let written = account.until.get_ref();
        let date = written.date.filter(|_| written.time.is_none());
        let until = date
            .and_then(|date| NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)));
        match until {
            None => self.error(
                account.until.span(),
                "`until` must be a date without a time",
                "expected a date without quotes, such as until = 2027-06-30",
            ),
            Some(until) if until < self.context.now.date_naive() => self.problems.push(Problem::warning(
                account.until.span(),
                format!("this declaration expired on {until}"),
                "the account is judged as a person again; renew the declaration, or remove it",
            )),
            Some(_) => {}
        }
        Some(Account {
            subject: account.subject.get_ref().trim().to_owned(),
            kind: account.kind,
            owner: account.owner.get_ref().clone(),
            reason: account.reason.get_ref().clone(),
            until: until?,
            workspace: account.workspace.as_ref().map(|name| name.get_ref().clone()),
        })
    }

    fn account_subject(&mut self, account: &file::Account) {
        let text = account.subject.get_ref();
        match Pattern::parse(text) {
            Err(error) => {
                self.error(account.subject.span(), error.to_string(), "expected an address, an id or a pattern");
            }
            // Two addresses that have nothing in common.
            Ok(pattern) if !pattern.is_exact() && MADE_UP.iter().all(|address| pattern.matches_address(address)) => {
                self.error(
                    account.subject.span(),
                    format!("`{text}` matches every address, so nobody would be a person"),
                    "expected an address, an id or a narrower pattern such as svc-*@example.com",
                );
            }
            Ok(_) => {}
        }
    }
}

const MADE_UP: [&str; 2] = ["q0@x.example", "zz.zz@yyy.invalid"];
