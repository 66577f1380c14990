//! One message about all workspaces of a job. Each run of a fire time leaves its share; when all have ended, or one takes
//! too long, the shares become one message for each recipient.
//!
//! A fire time is combined once. A run that ends later is mailed alone.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Kept, StoreError};
use crate::{
    ledger::fact::NoMailReason,
    model::{notification::Notification, run::Claim},
};

/// What a run adds to the message of its fire time. The store does not look into it.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// Who is mailed, and when. Those of the first run that ends hold for the fire time.
    pub terms: &'a [u8],
    /// What the message says about the run.
    pub body: &'a [u8],
    /// The `Message-ID`s that the message will have.
    pub messages: &'a [String],
}

/// A fire time whose message is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// The job.
    pub job: String,
    /// The fire time.
    pub fire_at: DateTime<Utc>,
    /// Who is mailed, and when.
    pub terms: Vec<u8>,
    /// When its first run ended.
    pub since: DateTime<Utc>,
}

/// The message of a fire time.
#[derive(Debug, Clone, Copy)]
pub struct Combined<'a> {
    /// The job.
    pub job: &'a str,
    /// The fire time.
    pub fire_at: DateTime<Utc>,
    /// The run that the notifications name as their subject: one of `runs`, or, if there is none, one that failed.
    pub carrier: Uuid,
    /// The runs whose shares are in it.
    pub runs: &'a [Uuid],
    /// One for each recipient; none if nobody is mailed.
    pub notifications: &'a [Notification],
    /// Why nobody is mailed; `None` if somebody is.
    pub no_mail_reason: Option<NoMailReason>,
}

/// Keeps the shares of runs until their message is written.
#[async_trait::async_trait]
pub trait Together: Send + Sync {
    /// Keeps the audit of a run with its share: all of it or nothing. False, and nothing is changed, if the message of its
    /// fire time is written already.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn record_share(
        &self,
        claim: &Claim,
        audit: &Kept,
        share: &Share<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Gives a run up whose failure the message of its fire time will say, and puts the other notifications about that into
    /// the outbox. False, and nothing is changed, if that message is written already.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the claim is no longer valid.
    async fn give_up_share(
        &self,
        claim: &Claim,
        error: &str,
        terms: &[u8],
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// The fire times whose message is not written yet, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn combinations(&self) -> Result<Vec<Combination>, StoreError>;

    /// The shares of a fire time, by run.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn shares(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError>;

    /// Puts the message of a fire time into the outbox: each of its runs is delivered with it. False, and nothing is changed,
    /// if it was written already, or if a share came in the meantime.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn combine(&self, combined: &Combined<'_>, now: DateTime<Utc>) -> Result<bool, StoreError>;
}
