//! What replicas that share a store need of it: a common clock, who else is there, and to be woken.

use chrono::TimeDelta;
use uuid::Uuid;

use super::StoreError;
use crate::clock::Clock;

/// The most that a host's clock may differ from the store's.
pub const MOST_SKEW: TimeDelta = TimeDelta::seconds(2);
/// A replica that has not announced itself for this long is gone.
pub const GONE_AFTER: TimeDelta = TimeDelta::seconds(45);

/// A daemon on a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Its name.
    pub name: String,
    /// Its process.
    pub process: Uuid,
    /// The version of rolecall.
    pub version: String,
    /// The fingerprint of the key that signs its evidence; `None` if it signs none.
    pub signing_key: Option<String>,
    /// The SHA-256 of its configuration, without secrets.
    pub configuration: String,
}

/// A store that replicas share.
#[async_trait::async_trait]
pub trait Replicas: Send + Sync {
    /// How far a clock is ahead of the store's, and whether a newer version has changed the schema since it was opened.
    /// `None` if the store has no clock of its own: its processes are on one machine.
    ///
    /// # Errors
    /// [`StoreError`], also if the schema is newer.
    async fn skew(&self, clock: &Clock) -> Result<Option<TimeDelta>, StoreError>;

    /// Says that a replica is there. Returns the others that are; none if the store does not keep them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn announce(&self, replica: &Replica) -> Result<Vec<Replica>, StoreError>;

    /// Says that a replica ends.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn leave(&self, replica: &Replica) -> Result<(), StoreError>;

    /// Waits until another process has left something to do. It may miss some of that, so that the caller also looks by
    /// itself from time to time. It waits forever if the store does not tell.
    async fn changed(&self);
}
