//! Reads what earlier audits saw: from the store's snapshots or, where those were deleted, from the bags of evidence.

mod answers;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, io, sync::Arc};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use uuid::Uuid;

pub use self::answers::{Wanted, access_then, course, side, workspace_of};
use super::vault::Vault;
use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        drift::{Current, Seen, SnapshotHeader, SnapshotUser, snapshot_users},
        matrix::AccessMatrix,
    },
    audit::RuleSet,
    evidence::sealed,
    model::{
        directory::{Directory, Profile, Role},
        id::ProfileId,
        policy::Policy,
        users::TextTooLong,
    },
    past::{Accounts, Kept, Look, Read},
    report::json::kept::{self, KeptError},
    store::{AuditRecord, Database, StoreError, history::ReadCursor, snapshot},
};

/// The report in a bag.
const REPORT: &str = "data/reports/report.json";
/// The policy in a bag.
const POLICY: &str = "data/policy.json";

/// What earlier audits saw cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot has a user record that is too long.
    #[error(transparent)]
    User(#[from] TextTooLong),
    /// The bag's report cannot be read again.
    #[error("the report in the evidence of audit {audit} cannot be read: {source}")]
    Report {
        /// The audit.
        audit: Uuid,
        /// What is wrong.
        source: KeptError,
    },
    /// A file of the bag cannot be read, or is not as it was sealed.
    #[error("the evidence of audit {audit} cannot be used: {source}; `rolecall evidence verify` checks all of it")]
    Bag {
        /// The audit.
        audit: Uuid,
        /// What failed.
        source: io::Error,
    },
    /// The policy in the bag is not one that this version reads.
    #[error(
        "the policy in the evidence of audit {audit} cannot be read: {source}; a newer rolecall may have written it"
    )]
    Policy {
        /// The audit.
        audit: Uuid,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// No audit has this id.
    #[error("no audit has the id {0}; `rolecall runs` lists the runs and their audits")]
    Unknown(Uuid),
    /// Two audits that are compared are of different workspaces.
    #[error("the audits are of different workspaces: {0} and {1}")]
    Apart(String, String),
    /// The workspace was not read by the moment that is asked for.
    #[error("{workspace} was not read by {}, so there is nothing to compare with", by.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Unread {
        /// The workspace.
        workspace: String,
        /// The moment.
        by: DateTime<Utc>,
    },
    /// There is neither a snapshot nor a bag.
    #[error("of audit {0}, neither a snapshot nor a bag of evidence was kept")]
    Nothing(Uuid),
}

/// The complete audits of one workspace.
pub struct Archive<'a> {
    store: &'a dyn Database,
    vault: Option<&'a Vault>,
    workspace: &'a str,
    /// The look before, whose accounts are shared if nothing has changed.
    last: Option<(Bytes, Arc<Accounts>)>,
    /// The audits of which nothing was kept.
    missing: Vec<Read>,
}

/// What a bag says about the policy.
#[derive(Deserialize)]
struct PolicyFile {
    policy: Policy,
}

/// What decides about access in a snapshot: compressed users, and the masters of the header.
#[derive(PartialEq)]
struct Bytes {
    users: Vec<Vec<u8>>,
    masters: Masters,
}

#[derive(PartialEq)]
struct Masters {
    roles: Vec<Role>,
    profiles: Vec<Profile>,
    administrators: Vec<ProfileId>,
    dangerous_permissions: Option<Vec<String>>,
}

impl<'a> Archive<'a> {
    /// The audits of a workspace in a store, and their bags.
    pub fn new(store: &'a dyn Database, vault: Option<&'a Vault>, workspace: &'a str) -> Self {
        Self { store, vault, workspace, last: None, missing: Vec::new() }
    }

    /// The workspace.
    pub fn workspace(&self) -> &str {
        self.workspace
    }

    /// The audits that were passed over because neither a snapshot nor a bag was kept.
    pub fn missing(&self) -> &[Read] {
        &self.missing
    }

    /// The last look up to a moment. `None` if there was no complete read before.
    ///
    /// # Errors
    /// [`PastError`]
    pub async fn at(&mut self, until: DateTime<Utc>) -> Result<Option<Look>, PastError> {
        self.last(ReadCursor::end_of(until)).await
    }

    /// The look before a read. `None` if it was the first.
    ///
    /// # Errors
    /// [`PastError`]
    pub async fn before(&mut self, read: &Read) -> Result<Option<Look>, PastError> {
        self.last(cursor(read)).await
    }

    /// The look after a moment. `None` if there is none yet.
    ///
    /// # Errors
    /// [`PastError`]
    pub async fn after(&mut self, after: DateTime<Utc>) -> Result<Option<Look>, PastError> {
        self.first(ReadCursor::end_of(after)).await
    }

    /// The look after a read. `None` if it is the last.
    ///
    /// # Errors
    /// [`PastError`]
    pub async fn next(&mut self, read: &Read) -> Result<Option<Look>, PastError> {
        self.first(cursor(read)).await
    }

    async fn last(&mut self, before: ReadCursor) -> Result<Option<Look>, PastError> {
        let mut before = before;
        while let Some(record) = self.store.last_read(self.workspace, before).await? {
            before = ReadCursor { at: record.finished_at, audit: record.id };
            if let Some(look) = self.look(record).await? {
                return Ok(Some(look));
            }
        }
        Ok(None)
    }

    async fn first(&mut self, after: ReadCursor) -> Result<Option<Look>, PastError> {
        let mut after = after;
        while let Some(record) = self.store.next_read(self.workspace, after).await? {
            after = ReadCursor { at: record.finished_at, audit: record.id };
            if let Some(look) = self.look(record).await? {
                return Ok(Some(look));
            }
        }
        Ok(None)
    }

    async fn look(&mut self, record: AuditRecord) -> Result<Option<Look>, PastError> {
        let read = read_of(&record);
        if let Some(kept) = self.store.kept(record.id).await? {
            let header = snapshot::header(&kept)?;
            let bytes = Bytes { masters: masters(&header), users: kept.parts[1..].to_vec() };
            if let Some((last, accounts)) = &self.last
                && *last == bytes
            {
                return Ok(Some(Look { read, accounts: Arc::clone(accounts) }));
            }
            let users = snapshot::users(&kept).collect::<Result<_, _>>()?;
            let accounts = Arc::new(Kept { header, users }.accounts()?);
            self.last = Some((bytes, Arc::clone(&accounts)));
            return Ok(Some(Look { read, accounts }));
        }
        let Some(kept) = self.of_bag(&record)? else {
            self.missing.push(read);
            return Ok(None);
        };
        let accounts = Arc::new(kept.accounts()?);
        if let Some((_, last)) = &self.last
            && *last == accounts
        {
            return Ok(Some(Look { read, accounts: Arc::clone(last) }));
        }
        Ok(Some(Look { read, accounts }))
    }

    /// One audit of the workspace, to compare with another.
    ///
    /// # Errors
    /// [`PastError`]
    pub async fn kept(&self, audit: Uuid) -> Result<(Read, Kept), PastError> {
        let record = self.store.audit(audit).await?.ok_or(PastError::Unknown(audit))?;
        let read = read_of(&record);
        if let Some(kept) = self.store.kept(audit).await? {
            let users = snapshot::users(&kept).collect::<Result<_, _>>()?;
            return Ok((read, Kept { header: snapshot::header(&kept)?, users }));
        }
        let kept = self.of_bag(&record)?.ok_or(PastError::Nothing(audit))?;
        Ok((read, kept))
    }

    /// What the bag of an audit says. `None` if there is no bag. Only files that are as they were sealed are believed.
    fn of_bag(&self, record: &AuditRecord) -> Result<Option<Kept>, PastError> {
        let (Some(vault), Some(bag)) = (self.vault, &record.bag) else { return Ok(None) };
        let audit = record.id;
        let file = |name| match sealed::file(&*vault.storage, bag, name) {
            // The bag was removed when its time was over.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map_err(|source| PastError::Bag { audit, source }),
        };
        let Some(report) = file(REPORT)? else { return Ok(None) };
        let report = kept::read(&report).map_err(|source| PastError::Report { audit, source })?;
        let policy = file(POLICY)?.map(|policy| serde_json::from_slice::<PolicyFile>(&policy));
        let policy = policy.transpose().map_err(|source| PastError::Policy { audit, source })?;
        Ok(Some(kept_of(&report.directory, policy.map(|file| file.policy), record)))
    }
}

/// Bags of the first versions hold no policy: power is then that of the default policy, and the header says that the policy
/// is not known.
fn kept_of(directory: &Directory, policy: Option<Policy>, record: &AuditRecord) -> Kept {
    let has_policy = policy.is_some();
    let policy = policy.unwrap_or_default();
    let (administrators, _) = resolve_administrator_profiles(&policy.administrator_profiles, &directory.profiles);
    let matrix = AccessMatrix::new(directory, &administrators, &policy.dangerous_permissions);
    let rules = RuleSet::built_in();
    let seen = Seen {
        matrix: &matrix,
        administrator_profiles: &administrators,
        policy: &policy,
        rules: rules.list(),
        workspace: &record.workspace,
    };
    let current = Current { seen, undecided: &[], findings: &[], outcomes: &[] };
    let mut header = SnapshotHeader::of(record.id, &current);
    if !has_policy {
        header.policy = None;
    }
    Kept { header, users: snapshot_users(directory).map(owned).collect() }
}

fn owned(user: SnapshotUser<'_>) -> SnapshotUser<'static> {
    let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    SnapshotUser {
        id: text(user.id),
        full_name: user.full_name.map(text),
        email: user.email.map(text),
        status: text(user.status),
        confirmed: user.confirmed,
        role_id: user.role_id.map(text),
        profile_id: user.profile_id.map(text),
        unread: user.unread,
    }
}

fn masters(header: &SnapshotHeader) -> Masters {
    Masters {
        roles: header.roles.clone(),
        profiles: header.profiles.clone(),
        administrators: header.administrator_profiles.clone(),
        dangerous_permissions: header.policy.as_ref().map(|policy| policy.dangerous_permissions.clone()),
    }
}

fn cursor(read: &Read) -> ReadCursor {
    ReadCursor { at: read.at, audit: read.audit }
}

fn read_of(record: &AuditRecord) -> Read {
    Read { audit: record.id, at: record.finished_at, bag: record.bag.as_ref().map(|bag| bag.folder.clone()) }
}
