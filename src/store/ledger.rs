//! The ledger in the store: a write and its entries are stored together or not at all.

use chrono::{DateTime, Utc};

use super::{StoreError, queue::Cursor};
use crate::ledger::{
    Entry, Fact, Head, Line,
    fact::{OffboardingBegun, Terms},
};

/// Keeps the ledger. Most entries come with the writes of [`Queue`](super::queue::Queue) and [`Store`](super::Store), as
/// [`facts`](super::facts) decides.
#[async_trait::async_trait]
pub trait Ledger: Send + Sync {
    /// Appends facts that come with no other write. A fact that equals the last one of its kind and subject is left out.
    ///
    /// # Errors
    /// [`StoreError`]; then none was appended.
    async fn append(&self, facts: &[Fact], now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Appends that the removal of a user begins, unless another removal has begun in the same place after the entry
    /// `since`: then the caller has read a state that is out of date. The check and the write are one transaction, so of two
    /// processes only one succeeds.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another removal has begun, or any other error; then nothing was appended.
    async fn begin_offboarding(
        &self,
        begun: &OffboardingBegun,
        since: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The entries about removals that have begun and how they ended, of all workspaces, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn offboardings(&self) -> Result<Vec<Entry>, StoreError>;

    /// Appends how the schedules in force change: from now on these jobs are due by these schedules, and no others. A job of
    /// `begins` that has no cursor gets this one: a process that dies then leaves no job without one.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    async fn publish_schedules(
        &self,
        schedules: &[(String, Terms)],
        begins: &[(String, Cursor)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The last entry.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn head(&self) -> Result<Head, StoreError>;

    /// The last entry of a kind and subject; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last(&self, kind: &str, subject: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.newest(kind, subject, 1).await?.pop())
    }

    /// The last entries of a kind and subject, the newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn newest(&self, kind: &str, subject: &str, most: u32) -> Result<Vec<Entry>, StoreError>;

    /// The entries after a number, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn entries(&self, after: u64, most: u32) -> Result<Vec<Line>, StoreError>;

    /// The number of the last entry that is in the ledger's file beside the evidence in a place, as far as is known; `None` if
    /// nothing was written there.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn file_end(&self, place: &str) -> Result<Option<u64>, StoreError>;

    /// Notes that the file in a place has every entry up to a number. A lower number than is known changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn file_grew(&self, place: &str, number: u64) -> Result<(), StoreError>;

    /// Appends that the file in a place was removed or cut: it had every entry up to `had`, and has those up to `found`.
    /// Returns whether it did: not if `had` is not what is known, because another process has noticed it or written there.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    async fn file_was_cut(&self, place: &str, had: u64, found: u64, now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// The entry with a number; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn entry(&self, number: u64) -> Result<Option<Line>, StoreError> {
        let found = self.entries(number.saturating_sub(1), 1).await?;
        Ok(found.into_iter().find(|line| line.head.number == number))
    }
}
