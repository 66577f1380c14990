//! What differs between two audits.

use chrono::{DateTime, Utc};

use super::look::Accounts;
use crate::{
    access::{
        drift::{self, Seen, SnapshotHeader, SnapshotUser},
        matrix::AccessMatrix,
    },
    model::{
        change::Change,
        directory::{Directory, Organization, Source, UserRecord},
        kind::ConnectorKind,
        policy::Policy,
        reading::Reading,
        rule::RuleList,
        users::{NewUser, TextTooLong, UserBlock, Users},
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

    /// The directory, as far as it was kept: the users, roles and profiles, and the primary user. What was not kept is
    /// empty, and nothing here reads it.
    fn directory(&self) -> Result<Directory, TextTooLong> {
        let mut block = UserBlock::default();
        for user in &self.users {
            let record = NewUser {
                id: &user.id,
                zuid: None,
                full_name: user.full_name.as_deref(),
                email: user.email.as_deref(),
                status: &user.status,
                confirmed: user.confirmed,
                role: user.role_id.as_deref().map(|id| (id, None)),
                profile: user.profile_id.as_deref().map(|id| (id, None)),
                created: None,
                modified: None,
            };
            block.push_partly(&record, user.unread)?;
        }
        let (users, _) = Users::from_blocks(vec![block]);
        let header = &self.header;
        Ok(Directory {
            source: Source {
                connector: ConnectorKind::ALL[0],
                api_url: String::new(),
                data_center: None,
                scopes: None,
            },
            organization: Organization {
                primary_zuid: header.primary_zuid.clone(),
                primary_email: header.primary_email.clone(),
                ..Organization::default()
            },
            current_user: nobody(),
            users,
            roles: header.roles.clone(),
            profiles: header.profiles.clone(),
            unread: header.unread.clone(),
            reading: reading(header.finished_at),
        })
    }
}

fn nobody() -> UserRecord {
    UserRecord {
        id: "".into(),
        full_name: None,
        email: None,
        status: None,
        confirmed: None,
        zuid: None,
        role: None,
        profile: None,
    }
}

fn reading(at: DateTime<Utc>) -> Reading {
    Reading {
        started_at: at,
        finished_at: at,
        attempts: 1,
        pages: 0,
        per_page: 0,
        rows: 0,
        rows_per_page: Vec::new(),
        repeated: 0,
        users: 0,
        requests: 0,
        answers: 0,
        token_calls: 0,
        unanswered: 0,
        retries: 0,
        bytes: 0,
        query: String::new(),
        checks: Vec::new(),
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
