//! Where the ledger is kept beside the store.

use async_trait::async_trait;

/// Takes what the ledger says to where it is kept beside the store: an intent is there before anything is asked of the
/// vendor, so that a process that dies, or somebody who changes the store afterwards, cannot hide it.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Takes there what the ledger says so far.
    ///
    /// # Errors
    /// Why that is not possible, in a sentence.
    async fn write_out(&self) -> Result<(), String>;
}

/// The ledger is kept in the store only.
#[async_trait]
impl Witness for () {
    async fn write_out(&self) -> Result<(), String> {
        Ok(())
    }
}
