//! Accounts that are not people.

use super::{Checker, accepted::Lasting};
use crate::{
    config::{file, names::is_blank},
    model::{account::Account, pattern::Pattern},
};

const DECLARATION: Lasting = Lasting {
    what: "declaration",
    expired: "the account is judged as a person again; renew the declaration, or remove it",
    long: "",
};

impl Checker<'_> {
    /// A declaration; `None` if it cannot apply, after an error.
    pub(super) fn account(&mut self, account: &file::Account, max_days: i64) -> Option<Account> {
        for (key, text) in [("subject", &account.subject), ("owner", &account.owner), ("reason", &account.reason)] {
            if is_blank(text.get_ref()) {
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
        let until = self.last_day(&account.until);
        self.lasts(account.until.span(), until, max_days, &DECLARATION);
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
