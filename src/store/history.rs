//! What became of every fire time: runs, their attempts and messages, and what should have happened and did not.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AuditRecord, StoreError};
use crate::model::{
    run::{Attempt, Gap, MessageState, Run},
    trigger::Incident,
};

/// A message as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// The kind.
    pub kind: String,
    /// The recipient.
    pub recipient: String,
    /// The `Message-ID`.
    pub message_id: String,
    /// What has become of it.
    pub state: MessageState,
    /// How often it was taken out.
    pub attempt: u32,
    /// What the server answered last, or what broke.
    pub answer: Option<String>,
    /// When it was accepted or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A run that ended well, and its audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The run.
    pub run: Run,
    /// The audit.
    pub audit: AuditRecord,
}

/// What a store says of the past.
#[async_trait::async_trait]
pub trait History: Send + Sync {
    /// One run; none where there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn run(&self, id: Uuid) -> Result<Option<Run>, StoreError>;

    /// The runs, newest fire time first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn runs(&self, most: u32) -> Result<Vec<Run>, StoreError>;

    /// All runs of one fire time of a job.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn siblings(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<Run>, StoreError>;

    /// The latest run of a job and workspace whose audit is recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last_done(&self, job: &str, workspace: &str) -> Result<Option<Done>, StoreError>;

    /// Each time that a run was taken up, the first one first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn attempts(&self, run: Uuid) -> Result<Vec<Attempt>, StoreError>;

    /// The messages of a run.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn messages(&self, run: Uuid) -> Result<Vec<MessageRecord>, StoreError>;

    /// The gaps, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError>;

    /// What is wrong now: overdue runs, undelivered messages, and what the latest runs left unsettled. The oldest
    /// first, at most [`MOST_LAPSES`] of each kind.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn incidents(&self, now: DateTime<Utc>) -> Result<Vec<Incident>, StoreError>;

    /// What went wrong with a job and workspace before a fire time, since a report of theirs was last accepted for
    /// somebody. The oldest first, at most [`MOST_LAPSES`] of each kind.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn lapses_before(
        &self,
        job: &str,
        workspace: &str,
        fire_at: DateTime<Utc>,
    ) -> Result<Vec<Incident>, StoreError>;
}

/// The most incidents of one kind that one answer names.
pub const MOST_LAPSES: u32 = 20;
