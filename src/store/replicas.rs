//! What replicas that share a store need of it: a common clock, who else is there, and to be woken.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::StoreError;
use crate::clock::Clock;

/// The most that a host's clock may differ from the store's.
pub const MOST_SKEW: TimeDelta = TimeDelta::seconds(2);
/// A replica that has not announced itself for this long is gone.
pub const GONE_AFTER: TimeDelta = TimeDelta::seconds(45);
/// One that is gone is listed for this long, so that it can be seen that it ended without saying so.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

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
    /// How far its clock is ahead of the store's.
    pub ahead: TimeDelta,
    /// The runs that it works on.
    pub holds: Vec<Uuid>,
}

/// A daemon as it last announced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The daemon.
    pub replica: Replica,
    /// When it joined.
    pub since: DateTime<Utc>,
    /// When it was last seen.
    pub seen: DateTime<Utc>,
    /// Whether it has not been seen for longer than [`GONE_AFTER`]: it ended without saying so, or cannot reach the store.
    pub is_gone: bool,
}

/// A store that replicas share.
#[async_trait::async_trait]
pub trait Replicas: Send + Sync {
    /// How far a clock is ahead of the store's, and whether a newer version has changed the schema since it was opened.
    /// `None` if the store has no clock of its own, because its processes are on one machine or the clock is simulated.
    ///
    /// # Errors
    /// [`StoreError`], also if the schema is newer.
    async fn skew(&self, clock: &Clock) -> Result<Option<TimeDelta>, StoreError>;

    /// Says that a replica is there. Returns the others that are; none if the store does not keep them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn announce(&self, replica: &Replica) -> Result<Vec<Replica>, StoreError>;

    /// Removes what other processes announced under the name of a replica: it replaces one that ended without saying so. One
    /// that still runs announces itself again.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn replace(&self, replica: &Replica) -> Result<(), StoreError>;

    /// The daemons that announce themselves, by name; `None` if the store does not keep them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn replicas(&self) -> Result<Option<Vec<Announced>>, StoreError>;

    /// Says that a replica ends.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn leave(&self, replica: &Replica) -> Result<(), StoreError>;

    /// Waits until another process has left something to do. It may miss some of that, so that the caller also looks by
    /// itself from time to time. It waits forever if the store does not tell.
    async fn changed(&self);
}
