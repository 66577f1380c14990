//! The history: runs with their attempts and messages, gaps, and incidents.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AuditRecord, StoreError};
use crate::model::{
    run::{Attempt, Gap, MessageState, Run},
    trigger::Incident,
};

/// A notification about a run, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// The channel.
    pub channel: String,
    /// The kind.
    pub kind: String,
    /// The address: of an e-mail, the recipient's.
    pub address: String,
    /// The `Message-ID`; `None` if the channel has no such ids.
    pub message_id: Option<String>,
    /// Its state.
    pub state: MessageState,
    /// How often it was taken out.
    pub attempt: u32,
    /// The last answer, or what broke.
    pub answer: Option<String>,
    /// When it was accepted or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The runs that wait or are worked on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many wait: due, or held back until they are tried again.
    pub due: u64,
    /// How many processes work on.
    pub in_progress: u64,
    /// The scheduled time of the oldest that waits; `None` if none does.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// A run whose audit is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The run.
    pub run: Run,
    /// The audit.
    pub audit: AuditRecord,
}

/// A place in the order of the reads of a workspace: by the time at which they ended, then by the id of the audit, since
/// several may end in the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCursor {
    /// When a read ended.
    pub at: DateTime<Utc>,
    /// Its audit.
    pub audit: Uuid,
}

impl ReadCursor {
    /// The place after every read that ended by a moment.
    pub fn end_of(moment: DateTime<Utc>) -> Self {
        Self { at: moment, audit: Uuid::max() }
    }
}

/// Reads the past.
#[async_trait::async_trait]
pub trait History: Send + Sync {
    /// One run; `None` if there is no such run.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn run(&self, id: Uuid) -> Result<Option<Run>, StoreError>;

    /// The runs, newest fire time first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn runs(&self, most: u32) -> Result<Vec<Run>, StoreError>;

    /// The oldest unfinished run of the same job and workspace before a run, which waits for it; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn unfinished_before(&self, run: &Run) -> Result<Option<Uuid>, StoreError>;

    /// All runs of one fire time of a job.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn siblings(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<Run>, StoreError>;

    /// The latest run of a job and workspace, due up to a moment, whose audit is recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last_done(&self, job: &str, workspace: &str, until: DateTime<Utc>) -> Result<Option<Done>, StoreError>;

    /// The last complete audit of a workspace, of any job, before a place in the order of reads. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last_read(&self, workspace: &str, before: ReadCursor) -> Result<Option<AuditRecord>, StoreError>;

    /// The first complete audit of a workspace, of any job, after a place in the order of reads. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn next_read(&self, workspace: &str, after: ReadCursor) -> Result<Option<AuditRecord>, StoreError>;

    /// The attempts of a run, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn attempts(&self, run: Uuid) -> Result<Vec<Attempt>, StoreError>;

    /// The messages of a run.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn messages(&self, run: Uuid) -> Result<Vec<MessageRecord>, StoreError>;

    /// The SHA-256 of each e-mail that waits to be sent.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn waiting_mails(&self) -> Result<Vec<String>, StoreError>;

    /// How many runs wait or are worked on, whichever process works on them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// How many notifications wait to be delivered.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn waiting(&self) -> Result<u64, StoreError>;

    /// The gaps, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError>;

    /// The incidents that are open now: overdue runs, undelivered messages, and what no later run has made good. Oldest
    /// first, at most [`MOST_INCIDENTS`] of each kind.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn incidents(&self, now: DateTime<Utc>) -> Result<Vec<Incident>, StoreError>;

    /// The incidents of a job and workspace before a fire time, since the last report that a recipient's server accepted.
    /// Oldest first, at most [`MOST_INCIDENTS`] of each kind.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn incidents_before(
        &self,
        job: &str,
        workspace: &str,
        fire_at: DateTime<Utc>,
    ) -> Result<Vec<Incident>, StoreError>;
}

/// The most incidents of one kind that one answer names.
pub const MOST_INCIDENTS: u32 = 20;
