//! The ledger in the store: what a write changes and what the ledger says of it are stored together or not at all.

use chrono::{DateTime, Utc};

use super::StoreError;
use crate::ledger::{
    Entry, Fact, Head, Line,
    fact::{OffboardingBegun, Terms},
};

/// Keeps the ledger. Most facts come from the writes of [`Queue`](super::queue::Queue) and [`Store`](super::Store).
#[async_trait::async_trait]
pub trait Ledger: Send + Sync {
    /// Writes facts that no other write tells, each unless the last of its kind and subject says the same.
    ///
    /// # Errors
    /// [`StoreError`]; then none was written.
    async fn note(&self, facts: &[Fact], now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Writes that the removal of a user has begun, unless another was begun in the same place after the entry `since`: then
    /// what was read since is not what is there any more. Of two processes that read at the same time only one gets
    /// through, because the look and the write are one transaction.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where another was begun, or any other; then nothing was written.
    async fn begin_offboarding(
        &self,
        begun: &OffboardingBegun,
        since: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Everything that the ledger says of removals that were begun and how they ended, of all workspaces, in its order.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn offboardings(&self) -> Result<Vec<Entry>, StoreError>;

    /// From now on these jobs are due by these schedules, and no others: what is new of that is written.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    async fn enact(&self, schedules: &[(String, Terms)], now: DateTime<Utc>) -> Result<(), StoreError>;

    /// The last entry.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn head(&self) -> Result<Head, StoreError>;

    /// The last entry of a kind and subject; none where there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last(&self, kind: &str, subject: &str) -> Result<Option<Entry>, StoreError>;

    /// Entries after a number, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn entries(&self, after: u64, most: u32) -> Result<Vec<Line>, StoreError>;

    /// One entry; none where there is none of this number.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn entry(&self, number: u64) -> Result<Option<Line>, StoreError> {
        let found = self.entries(number.saturating_sub(1), 1).await?;
        Ok(found.into_iter().find(|line| line.head.number == number))
    }
}

/// Whether two removals are in one place: a workspace, or an organization that two workspaces of the configuration lead to.
pub fn in_one_place(one: &OffboardingBegun, other: &OffboardingBegun) -> bool {
    one.workspace == other.workspace || (one.organization.is_some() && one.organization == other.organization)
}
