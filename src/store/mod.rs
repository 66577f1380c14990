//! Completed audits, kept compactly, so that the next one can tell what changed; the schedule's memory ([`queue`]),
//! what it says of the past ([`history`]), and the [`ledger`] of all that.
//!
//! A [`Store`] keeps one record per audit and, beside it, a snapshot in compressed parts. What is inside the
//! parts is the business of [`snapshot`]; a store only keeps bytes.

#[cfg(any(test, debug_assertions))]
pub mod crash;
pub mod history;
pub mod ledger;
pub mod queue;
pub mod snapshot;
pub mod sqlite;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ledger::fact::{BagName, NoMailReason};

/// What a store keeps of one audit beside its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The audit's id.
    pub id: Uuid,
    /// The job that it belongs to; none where it was asked for by hand without one.
    pub job: Option<String>,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// When the read began.
    pub started_at: DateTime<Utc>,
    /// When the read had ended.
    pub finished_at: DateTime<Utc>,
    /// Whether the population was read completely. Only complete audits are compared with.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
    /// Active administrators.
    pub administrators: u64,
    /// Findings that count, of every severity.
    pub open_findings: u64,
    /// The same by severity, gravest first; none for an audit that an older rolecall kept.
    pub by_severity: Option<[u64; 5]>,
    /// Its evidence; none where none is kept.
    pub bag: Option<BagName>,
    /// Why nobody is mailed it; none where somebody is. Only the ledger remembers it.
    pub no_mail_reason: Option<NoMailReason>,
}

/// A kept audit and its snapshot's parts, still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub record: AuditRecord,
    /// The parts, in the order in which they were given.
    pub parts: Vec<Vec<u8>>,
}

/// Keeps completed audits.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Keeps an audit: the record and every part, or nothing at all.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be kept; what was kept before is untouched.
    async fn keep(&self, audit: &Kept, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// The record of one audit; none where it is not kept.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn audit(&self, id: Uuid) -> Result<Option<AuditRecord>, StoreError>;

    /// Forgets snapshots of audits that ended before a time, and unsent messages of runs that were due before it. The
    /// last complete snapshot of each job and workspace stays: the next audit is compared with it. The records of
    /// audits, runs and messages stay too. Returns how many audits lost their snapshot.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// The last complete audit of a job and workspace.
    ///
    /// # Errors
    /// [`StoreError`] where the store could not be read.
    async fn last_complete(&self, job: Option<&str>, workspace: &str) -> Result<Option<Kept>, StoreError>;
}

/// A store that remembers audits and runs.
pub trait Database: Store + queue::Queue + history::History + ledger::Ledger {}

impl<T: Store + queue::Queue + history::History + ledger::Ledger> Database for T {}

/// The store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened as a database.
    #[error(
        "the store {path} cannot be opened: {reason}. Check `[store] url`, that its folder exists and that this account may write there"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A newer rolecall wrote it.
    #[error(
        "the store {path} was written by a newer rolecall (schema {version}). Install that version or a later one; nothing was changed"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        version: i64,
    },
    /// It is no database, or a damaged one.
    #[error(
        "the store {path} is damaged or is no database: {reason}. Move it away or restore a copy; nothing was changed"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// Somebody else holds it for longer than we wait.
    #[error(
        "the store {path} is locked by another process: {reason}. Try again when that has ended; nothing was changed"
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// There is no room left.
    #[error("the store {path} cannot grow: {reason}. Make room on its disk; what was kept before is untouched")]
    Full {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// Anything else that the database says.
    #[error("the store {path} could not {action}: {reason}")]
    Query {
        /// The file.
        path: PathBuf,
        /// What was asked of it.
        action: &'static str,
        /// What the database said.
        reason: String,
    },
    /// Somebody else has claimed it meanwhile.
    #[error("{what} is being worked on by another process; this one stops working on it")]
    Lost {
        /// The run or message.
        what: String,
    },
    /// Somebody works on a run of this job and workspace already.
    #[error("{what} is being worked on by another process; try again when that has ended")]
    Busy {
        /// The job and workspace.
        what: String,
    },
    /// A snapshot cannot be made.
    #[error("the snapshot of this audit cannot be made: {reason}. Nothing was kept")]
    Pack {
        /// Why not.
        reason: String,
    },
    /// A kept snapshot cannot be read back.
    #[error(
        "the snapshot of the previous audit cannot be read: {reason}. The audit can be made without a comparison by starting a new store"
    )]
    Snapshot {
        /// Why not.
        reason: String,
    },
}
