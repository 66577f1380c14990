//! The store: completed audits, the [`queue`] of runs and notifications, its [`history`], [`reviews`] by people, the
//! [`sessions`] of the console, and the [`ledger`] of it all.
//!
//! A [`Store`] keeps one record per audit and, beside it, a snapshot in compressed parts for the next audit to compare
//! with. [`snapshot`] knows what is inside the parts; a store only keeps bytes.
//!
//! [`facts`] decides which ledger facts belong to each write. An adapter (`sqlite`) stores a write and its facts in one
//! transaction, and passes the suite in `conformance`.

#[cfg(test)]
mod conformance;
pub mod copy;
#[cfg(any(test, debug_assertions))]
pub mod crash;
pub mod facts;
#[cfg(test)]
mod growth;
pub mod history;
mod known;
pub mod ledger;
mod pool;
pub mod postgres;
pub mod queue;
pub mod rebuild;
pub mod replicas;
pub mod reviews;
mod rows;
mod run_id;
pub mod sealed;
pub mod sessions;
pub mod snapshot;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
pub mod together;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    ledger::fact::{BagName, NoMailReason},
    model::change::Past,
};

/// The record of one audit, without its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The audit's id.
    pub id: Uuid,
    /// The job; `None` for an audit on demand without a job.
    pub job: Option<String>,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// When the read began.
    pub started_at: DateTime<Utc>,
    /// When the read ended.
    pub finished_at: DateTime<Utc>,
    /// Whether all users were read. Only complete audits are compared with.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
    /// Active administrators.
    pub administrators: u64,
    /// Open findings of every severity.
    pub open_findings: u64,
    /// Open findings by severity, most severe first; `None` for an audit that an older version kept.
    pub by_severity: Option<[u64; 5]>,
    /// Its evidence bag; `None` if no evidence is kept.
    pub bag: Option<BagName>,
    /// Why no mail is sent about it; `None` if mail is sent. Only the ledger keeps this.
    pub no_mail_reason: Option<NoMailReason>,
    /// How the policy changed since the previous audit. Only the ledger keeps this.
    pub policy_changes: Vec<String>,
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
    /// [`StoreError`]; what was kept before is untouched.
    async fn keep(&self, audit: &Kept, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Whether the store is where it was opened, and has room. Reads and writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] or [`StoreError::Full`]
    fn look(&self) -> Result<(), StoreError>;

    /// Ends the connections, once nobody uses them any more. Of SQLite, what is in the write-ahead log is then in the file,
    /// unless another process has it open.
    async fn close_connections(&self);

    /// Writes, to find out whether anything can be written.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn probe(&self, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// The record of one audit; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn audit(&self, id: Uuid) -> Result<Option<AuditRecord>, StoreError>;

    /// One audit with its snapshot; `None` if there is none, or its snapshot was deleted.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn kept(&self, id: Uuid) -> Result<Option<Kept>, StoreError>;

    /// Deletes the snapshots of audits that ended before a time, and the bytes of unsent messages of runs that were due
    /// before it. The last complete snapshot of each job and workspace stays, because the next audit is compared with it.
    /// The records of audits, runs and their messages stay too. Returns how many snapshot parts were deleted.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn prune(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// The last complete audit of a job and workspace; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last_complete(&self, job: Option<&str>, workspace: &str) -> Result<Option<Kept>, StoreError>;

    /// The records of the last complete audits of a job and workspace, at most `most`, the last one first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn completed(&self, job: Option<&str>, workspace: &str, most: u32) -> Result<Vec<AuditRecord>, StoreError>;

    /// The numbers of the last complete audits of a job and workspace, at most `limit`, in the order in which they were
    /// kept.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn past(&self, job: Option<&str>, workspace: &str, limit: u32) -> Result<Vec<Past>, StoreError>;

    /// The complete audits of a job and workspace that were kept before another one, the latest first, at most `limit`.
    /// `None` begins with the last one.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn complete_before(
        &self,
        job: Option<&str>,
        workspace: &str,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;
}

/// Everything that a store does. The suite in `conformance` holds every adapter to it.
pub trait Database:
    Store
    + queue::Queue
    + together::Together
    + history::History
    + ledger::Ledger
    + reviews::Reviews
    + sessions::Sessions
    + replicas::Replicas
{
}

impl<T> Database for T where
    T: Store
        + queue::Queue
        + together::Together
        + history::History
        + ledger::Ledger
        + reviews::Reviews
        + sessions::Sessions
        + replicas::Replicas
{
}

/// The store could not do what was asked.
///
/// `place` is the store as the user knows it: a file, or the address of a server without its password. What the user can do
/// about it depends on the adapter, which gives the advice.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("the store {place} cannot be opened: {reason}. {advice}")]
    Open {
        /// The store.
        place: String,
        /// What the database reported.
        reason: String,
        /// What the user can do.
        advice: &'static str,
    },
    /// A newer version of rolecall wrote it.
    #[error(
        "the store {place} was written by a newer version of rolecall (schema {version}). Install that version or a later one; nothing was changed"
    )]
    NewerSchema {
        /// The store.
        place: String,
        /// Its schema version.
        version: i64,
    },
    /// It is damaged, or not a database.
    #[error("the store {place} is damaged or is not a database: {reason}. {advice}")]
    Damaged {
        /// The store.
        place: String,
        /// What the database reported.
        reason: String,
        /// What the user can do.
        advice: &'static str,
    },
    /// Another process has locked it for longer than rolecall waits.
    #[error(
        "the store {place} is locked by another process: {reason}. Try again when that process has ended; nothing was changed"
    )]
    Locked {
        /// The store.
        place: String,
        /// What the database reported.
        reason: String,
    },
    /// There is no room left.
    #[error("the store {place} cannot grow: {reason}. {advice}")]
    Full {
        /// The store.
        place: String,
        /// What the database reported.
        reason: String,
        /// What the user can do.
        advice: &'static str,
    },
    /// The file that this process has open is not the one with its name any more.
    #[error(
        "the store {place} was removed or replaced while this process runs: what it writes now is lost when it ends. Stop it, put the file back if it was removed by mistake, and start it again"
    )]
    Replaced {
        /// The store.
        place: String,
    },
    /// Any other error of the database.
    #[error("the store {place} could not {action}: {reason}")]
    Query {
        /// The store.
        place: String,
        /// What it was asked to do.
        action: &'static str,
        /// What the database reported.
        reason: String,
    },
    /// Another process has claimed it in the meantime.
    #[error("{what} is being worked on by another process; this one stops working on it")]
    Lost {
        /// The run or message.
        what: String,
    },
    /// Another process works on it.
    #[error("{what} is being worked on by another process; try again when that process has ended")]
    Busy {
        /// The run or removal.
        what: String,
    },
    /// A snapshot cannot be created.
    #[error("the snapshot of this audit cannot be created: {reason}. Nothing was kept")]
    Pack {
        /// Why not.
        reason: String,
    },
    /// A kept snapshot cannot be read back.
    #[error(
        "the snapshot of the previous audit cannot be read: {reason}. To audit without a comparison, start a new store"
    )]
    Snapshot {
        /// Why not.
        reason: String,
    },
    /// A kept review cannot be read back.
    #[error("the review {id} cannot be read: {reason}. Restore the store from a backup; nothing was changed")]
    Review {
        /// The review.
        id: Uuid,
        /// Why not.
        reason: String,
    },
}

impl StoreError {
    /// A copy into a store is not complete, or not everything is there yet that evidence restores.
    fn incomplete_copy(place: &str, from: &str) -> Self {
        let (reason, advice) = if from.starts_with(rebuild::EVIDENCE) {
            (
                "it is not restored completely from the evidence",
                "Run `rolecall store rebuild --from-evidence` again: it goes on where it stopped",
            )
        } else {
            (
                "a copy into it is not complete",
                "Run `rolecall store copy` again with the same addresses: it goes on where it stopped",
            )
        };
        Self::Open { place: place.to_owned(), reason: reason.to_owned(), advice }
    }
}
