//! The accounts that are not people, in short.

use crate::{
    access::{accounts::DeclaredAccounts, matrix::AccessMatrix},
    model::{account::AccountKind, audit::Audit},
    words::{count, counted, list, number},
};

/// How many users are declared as not being people, of which kind, and how many declarations do not apply. `None` if the
/// policy declares none for this workspace.
pub(super) fn accounts(audit: &Audit, matrix: &AccessMatrix<'_>) -> Option<String> {
    let declared = DeclaredAccounts::of(matrix, &audit.policy, &audit.workspace, audit.judged_at.date_naive());
    if declared.entries().is_empty() {
        return None;
    }
    let of = |kind: AccountKind| declared.users().filter(|(_, account)| account.kind == kind).count();
    let kinds = AccountKind::ALL.into_iter().filter(|kind| of(*kind) > 0);
    let kinds: Vec<String> = kinds.map(|kind| format!("{} {kind}", number(of(kind)))).collect();
    let users = declared.users().len();
    let mut said = format!("{} declared as not being a person", counted(users, "user is", "users are"));
    if users > 0 {
        said = format!("{said}: {}", list(&kinds, kinds.len()));
    }
    let powerful = declared.users().filter(|(user, _)| matrix.row(*user).can_administer()).count();
    if powerful > 0 {
        said = format!("{said}; {} administer", counted(powerful, "of them can", "of them can"));
    }
    let over = declared.entries().iter().filter(|entry| entry.is_over).count();
    let unmatched = declared.entries().iter().filter(|entry| !entry.is_over && !entry.is_matched).count();
    for (entries, what) in [(over, "ended"), (unmatched, "no user")] {
        if entries > 0 {
            let has = if entries == 1 { "has" } else { "have" };
            said = format!("{said}; {} {has} {what}", count(entries, "declaration"));
        }
    }
    Some(said)
}
