//! The accounts that are not people.

use super::text::{Budget, LABEL, PROSE, Part, shown};
use crate::{
    access::accounts::{DeclaredAccount, DeclaredAccounts},
    model::{account::Account, users::UserIndex},
    report::ReportInput,
};

/// Accounts that the page shows.
const ENTRIES: usize = 500;
/// Bytes that they may take.
const BYTES: usize = 200_000;
/// Declarations without effect that the page names.
const UNUSED: usize = 50;

/// One user that is declared as not being a person.
pub(super) struct AccountRow {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) owner: String,
    pub(super) until: String,
    pub(super) reason: String,
    /// By what it has full power; empty if it has not.
    pub(super) power: String,
}

/// The section about them.
pub(super) struct Accounts {
    pub(super) said: String,
    pub(super) users: Part<AccountRow>,
    /// Declarations that do not apply, with the reason.
    pub(super) unused: Vec<String>,
}

/// The accounts that are not people; `None` if the policy declares none.
pub(super) fn accounts(input: &ReportInput<'_>) -> Option<Accounts> {
    let audit = input.audit;
    let said = input.brief.accounts.as_ref()?;
    let declared = DeclaredAccounts::of(input.matrix, &audit.policy, &audit.workspace, audit.judged_at.date_naive());
    let row = |(user, account): (UserIndex, &Account)| {
        let row = input.matrix.row(user);
        AccountRow {
            name: shown(row.user.email().unwrap_or(row.user.label()), LABEL),
            id: shown(row.user.id(), LABEL),
            kind: account.kind.word(),
            owner: shown(&account.owner, LABEL),
            until: account.until.to_string(),
            reason: shown(&account.reason, PROSE),
            power: if row.power().is_full() { shown(&row.full_power_by(), LABEL) } else { String::new() },
        }
    };
    let users = Part::of(declared.users(), ENTRIES, Budget::new(BYTES), row, |row| {
        vec![&row.name, &row.id, &row.owner, &row.reason, &row.power]
    });
    let unused = declared.entries().iter().filter_map(unused).take(UNUSED).collect();
    Some(Accounts { said: shown(said, PROSE), users, unused })
}

fn unused(entry: &DeclaredAccount<'_>) -> Option<String> {
    let account = entry.account;
    let why = match (entry.is_over, entry.is_matched) {
        (true, _) => format!("ended on {}", account.until),
        (false, false) => "no user of this workspace".to_owned(),
        (false, true) => return None,
    };
    Some(format!(
        "{} ({} account of {}): {why}",
        shown(&account.subject, LABEL),
        account.kind,
        shown(&account.owner, LABEL)
    ))
}
