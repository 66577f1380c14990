//! The copy of the ledger outside the store.

use async_trait::async_trait;

/// Copies the ledger out of the store. An intent is copied before the vendor gets a request, so that neither a crash nor a
/// later change to the store can hide it.
#[async_trait]
pub trait LedgerWriter: Send + Sync {
    /// Copies the entries written so far.
    ///
    /// # Errors
    /// A sentence that says why the copy failed.
    async fn write_out(&self) -> Result<(), String>;
}

/// For a ledger that is kept only in the store.
#[async_trait]
impl LedgerWriter for () {
    async fn write_out(&self) -> Result<(), String> {
        Ok(())
    }
}
