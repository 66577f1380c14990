//! The schedule's memory: what was decided, which runs there are, and which messages wait to be sent.
//!
//! Several processes may work on one queue. A run or a message is claimed with a lease; every later write names the
//! claim's fence, and is refused ([`StoreError::Lost`]) where somebody else has claimed it meanwhile.
//!
//! A lease, or a time before which nothing is tried again, that lies further ahead than anybody sets one
//! ([`LONGEST_WAIT`]) was set by a clock that has been put back since: it holds nobody up.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{Kept, StoreError};
use crate::model::run::{Claim, Gap, Run, RunState};

/// The longest lease, and the longest wait between two attempts.
pub const LONGEST_WAIT: Duration = Duration::hours(2);

/// Up to where the fire times of a job are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The schedule by which they were: pattern and time zone.
    pub schedule: String,
    /// Up to where.
    pub at: DateTime<Utc>,
}

/// Decisions about fire times, stored together.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The job.
    pub job: &'a str,
    /// Its workspaces: each gets a run for each due fire time.
    pub workspaces: &'a [String],
    /// The due fire times.
    pub due: &'a [DateTime<Utc>],
    /// Fire times that become no runs.
    pub gap: Option<&'a Gap>,
    /// The cursor that was found; none where there was none.
    pub from: Option<&'a Cursor>,
    /// The cursor after these decisions.
    pub to: &'a Cursor,
    /// When it was decided.
    pub now: DateTime<Utc>,
}

/// A message on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The kind: `report`, `failure`, `undelivered`.
    pub kind: String,
    /// What tells this notice from others of its kind, run and recipient; empty for a report.
    pub about: String,
    /// The recipient's address of the envelope.
    pub recipient: String,
    /// The sender's address of the envelope.
    pub sender: String,
    /// The `Message-ID`, in its angle brackets.
    pub message_id: String,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// A message that was taken out to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message.
    pub message: NewMessage,
    /// Its number in the outbox.
    pub id: i64,
    /// Its run.
    pub run: Uuid,
    /// How often it was taken out, this time included.
    pub attempt: u32,
    /// When it came into the outbox.
    pub created_at: DateTime<Utc>,
    /// Which claim of this message it is.
    pub fence: u64,
    /// Whether whoever took it out keeps it as evidence, so that the ledger says so.
    pub kept: bool,
}

/// What came of sending a message once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A server accepted it.
    Accepted,
    /// It is tried again then.
    Again(DateTime<Utc>),
    /// It is given up.
    GivenUp,
}

/// The schedule's memory.
#[async_trait::async_trait]
pub trait Queue: Send + Sync {
    /// Up to where a job's fire times are decided; none for a new job.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn cursor(&self, job: &str) -> Result<Option<Cursor>, StoreError>;

    /// Stores decisions: for each job the runs, the gap and the cursor, or nothing where the cursor is another than the
    /// one found. A fire time that is a run already stays that one run. Returns which were stored.
    ///
    /// # Errors
    /// [`StoreError`]; then none was stored.
    async fn decide(&self, decisions: &[Decided<'_>]) -> Result<Vec<bool>, StoreError>;

    /// Makes a run that is due now and claims it: an audit by hand whose report is to be mailed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where a run of this job and workspace is being worked on.
    async fn begin(&self, job: &str, workspace: &str, now: DateTime<Utc>, lease: Duration)
    -> Result<Claim, StoreError>;

    /// Claims the oldest run that can be worked on: due and not held back, or begun by somebody whose lease is over.
    /// A run waits for the earlier ones of its job and workspace, and for any that reads its workspace now.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn claim(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, StoreError>;

    /// Prolongs a lease.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where the claim is no longer valid.
    async fn prolong(&self, claim: &Claim, lease_until: DateTime<Utc>) -> Result<(), StoreError>;

    /// The next step of a run has begun or, with `Read` and `Judged`, ended.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where the claim is no longer valid.
    async fn advance(&self, claim: &Claim, state: RunState) -> Result<(), StoreError>;

    /// Keeps the audit of a run and puts its messages into the outbox: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where the claim is no longer valid.
    async fn record(
        &self,
        claim: &Claim,
        audit: &Kept,
        messages: &[NewMessage],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Hands a run back, to be taken up again not before a time: after an attempt that failed, or without an error one
    /// that was interrupted on purpose and does not count.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where the claim is no longer valid.
    async fn hand_back(
        &self,
        claim: &Claim,
        error: Option<&str>,
        not_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Gives a run up, and puts what there is to say of that into the outbox.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where the claim is no longer valid.
    async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        messages: &[NewMessage],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Takes a message out of the outbox, of one job or of any.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn take_message(
        &self,
        job: Option<&str>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Outgoing>, StoreError>;

    /// Says what came of sending a message, and puts what there is to say of that into the outbox; with the last
    /// message of its run, the run is delivered.
    ///
    /// # Errors
    /// [`StoreError::Lost`] where somebody else has taken it meanwhile.
    async fn sent(
        &self,
        message: &Outgoing,
        outcome: &Sent,
        answer: &str,
        notices: &[NewMessage],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Closes the runs that are delivered, and returns them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn close(&self, now: DateTime<Utc>) -> Result<Vec<Run>, StoreError>;

    /// Makes a failed run due again, with all its attempts, and has messages that were given up sent again. Returns
    /// whether there was anything of this.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn retry(&self, run: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError>;
}
