//! What differs between two audits.

use super::look::Accounts;
use crate::{
    access::{
        drift::{self, Seen, SnapshotHeader, SnapshotUser},
        matrix::AccessMatrix,
        rebuilt,
    },
    model::{
        change::Change, directory::Directory, kind::ConnectorKind, policy::Policy, reading::Reading, rule::RuleList,
        unread::Fields, users::TextTooLong,
    },
};

/// An audit as it was kept to compare with.
#[derive(Debug, Clone)]
pub struct Kept {
    /// All but the users.
    pub header: SnapshotHeader,
    /// The users, ordered by id.
    pub users: Vec<SnapshotUser<'static>>,
}

impl Kept {
    /// The policy that it was judged by; the default one if an older rolecall did not keep it.
    pub fn policy(&self) -> Policy {
        self.header.policy.clone().unwrap_or_default()
    }

    /// The accounts and their access.
    ///
    /// # Errors
    /// [`TextTooLong`] if a user record is longer than any that rolecall keeps.
    pub fn accounts(&self) -> Result<Accounts, TextTooLong> {
        let (directory, policy) = (self.directory()?, self.policy());
        let administrators = &self.header.administrator_profiles;
        Ok(Accounts::of(&AccessMatrix::new(&directory, administrators, &policy.dangerous_permissions)))
    }

    /// The directory, as far as it was kept. Nothing here asks which kind of system it was.
    fn directory(&self) -> Result<Directory, TextTooLong> {
        let at = self.header.finished_at;
        let reading = Reading::kept(at, at, self.header.users, Vec::new());
        rebuilt::directory(&self.header, &self.users, (ConnectorKind::ALL[0], reading, Fields::default()))
    }
}

/// What changed from one audit to another: users, roles, profiles, permissions, power and policy. The most important first.
///
/// # Errors
/// [`TextTooLong`] if a user record is longer than any that rolecall keeps.
pub fn compare(before: &Kept, after: &Kept, rules: &RuleList, workspace: &str) -> Result<Vec<Change>, TextTooLong> {
    let (directory, policy) = (after.directory()?, after.policy());
    let administrators = &after.header.administrator_profiles;
    let matrix = AccessMatrix::new(&directory, administrators, &policy.dangerous_permissions);
    let seen = Seen { matrix: &matrix, administrator_profiles: administrators, policy: &policy, rules, workspace };
    let users = before.users.iter().cloned().map(Ok::<_, std::convert::Infallible>);
    let Ok(access) = drift::compare_access(&seen, &before.header, users);
    let mut changes = access.changes().to_vec();
    changes.sort_by_key(|change| change.kind);
    Ok(changes)
}
