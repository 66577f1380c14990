//! The queue: decisions about fire times, the runs they became, and the outbox.
//!
//! Several processes may work on one queue. A run or a notification is claimed with a lease. Every later write names the
//! claim's fence and is refused with [`StoreError::Lost`] if another process has claimed it in the meantime.
//!
//! A lease or a wait that ends later than [`LONGEST_WAIT`] from now was set before the clock was set back. It is ignored.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{Kept, StoreError};
use crate::model::{
    notification::Notification,
    run::{Claim, Gap, Run, RunState},
};

/// The longest lease, and the longest wait between two attempts.
pub const LONGEST_WAIT: Duration = Duration::hours(2);

/// The moment up to which the fire times of a job are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The schedule they were decided by: pattern and time zone.
    pub schedule: String,
    /// Everything up to this moment is decided.
    pub at: DateTime<Utc>,
}

/// Decisions about the fire times of one job, stored together.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The job.
    pub job: &'a str,
    /// Its workspaces. Each gets a run for each due fire time.
    pub workspaces: &'a [String],
    /// The fire times that become runs.
    pub due: &'a [DateTime<Utc>],
    /// Fire times that become no runs.
    pub gap: Option<&'a Gap>,
    /// The cursor that the decisions start from; `None` for a new job.
    pub from: Option<&'a Cursor>,
    /// The cursor after these decisions.
    pub to: &'a Cursor,
    /// When the decisions were made.
    pub now: DateTime<Utc>,
}

/// A notification that was taken out of the outbox to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The notification.
    pub notification: Notification,
    /// Its number in the outbox.
    pub id: i64,
    /// How often it was taken out, this time included.
    pub attempt: u32,
    /// When it came into the outbox.
    pub created_at: DateTime<Utc>,
    /// Which claim of this notification it is.
    pub fence: u64,
    /// Whether the sender keeps it as evidence, which the ledger then states.
    pub kept: bool,
}

/// The result of one attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It was delivered.
    Accepted,
    /// It is tried again at this time.
    Again(DateTime<Utc>),
    /// It is given up.
    GivenUp,
}

/// Decisions, runs and the outbox.
#[async_trait::async_trait]
pub trait Queue: Send + Sync {
    /// The cursor of a job; `None` for a new job.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn cursor(&self, job: &str) -> Result<Option<Cursor>, StoreError>;

    /// Stores the decisions of each job (runs, gap and cursor), one after another, unless the job's cursor has moved from
    /// [`Decided::from`]: those of one job may follow one another. A fire time that already has a run keeps that run. Returns, for each, whether it was stored.
    ///
    /// # Errors
    /// [`StoreError`]; then none was stored.
    async fn decide(&self, decisions: &[Decided<'_>]) -> Result<Vec<bool>, StoreError>;

    /// Takes the cursor of a job back that lies in the future, with the gaps that reach into the future: they were decided by
    /// a clock that was ahead. The runs stay, so no fire time gets two. Returns up to when the job is decided then; `None`
    /// if its cursor is not in the future.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn take_back(&self, job: &str, reason: &str, now: DateTime<Utc>)
    -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Creates a run of each workspace that is due now and claims them: an audit on demand whose report is mailed. All of
    /// them or none.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process works on a run of this job and one of these workspaces.
    async fn begin_all(
        &self,
        job: &str,
        workspaces: &[&str],
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError>;

    /// The same for one workspace.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process works on a run of this job and workspace.
    async fn begin(
        &self,
        job: &str,
        workspace: &str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let claims = self.begin_all(job, &[workspace], now, lease).await?;
        claims.into_iter().next().ok_or_else(|| StoreError::Busy { what: format!("the run of {job} for {workspace}") })
    }

    /// Claims the oldest run that can be worked on: due and not held back, or begun by a process whose lease has ended.
    /// A run waits for earlier runs of its job and workspace, and for any run that reads its workspace now.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn claim(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, StoreError>;

    /// Extends a lease: it ends this long after now.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn prolong(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError>;

    /// Stores the step that a run has reached.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn advance(&self, claim: &Claim, state: RunState) -> Result<(), StoreError>;

    /// Keeps the audit of a run and puts its notifications into the outbox: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn record(
        &self,
        claim: &Claim,
        audit: &Kept,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Releases a run, so that it is claimed again at `not_before` or later. With an error, the attempt failed. Without
    /// one, it was interrupted on purpose and is not counted.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn release(
        &self,
        claim: &Claim,
        error: Option<&str>,
        not_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Gives a run up and puts the notifications about that into the outbox.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Claims the notification that has waited longest in the outbox; with a job, only those of its runs.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn take_message(
        &self,
        job: Option<&str>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Outgoing>, StoreError>;

    /// Stores the result of an attempt to deliver a notification, with the notices about that result. A run is delivered
    /// once none of its notifications waits.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if another process has taken it in the meantime, or a newer notification has replaced it.
    async fn sent(
        &self,
        outgoing: &Outgoing,
        outcome: &Sent,
        answer: &str,
        notices: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The runs that are delivered and not closed.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn delivered(&self) -> Result<Vec<Run>, StoreError>;

    /// Closes a delivered run and puts the notifications about that into the outbox. Returns whether it was delivered; if
    /// not, nothing was changed.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn close(&self, run: Uuid, notifications: &[Notification], now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Makes a failed run due again, with all its attempts, and sends its rejected messages again. Returns whether there was
    /// anything to retry.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn retry(&self, run: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError>;
}
