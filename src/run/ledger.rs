//! Brings what the store's ledger says to its file beside the bags.

use chrono::{DateTime, Utc};

use super::evidence::Vault;
use crate::{
    evidence::{
        key::KeyError,
        ledger::{self, LEDGER, LedgerError},
    },
    ledger::{Fact, Head},
    store::{Memory, StoreError},
};

/// Entries that are brought at a time.
const BATCH: u32 = 500;

/// The ledger's file could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file failed.
    #[error(transparent)]
    File(#[from] LedgerError),
    /// The key cannot be written down.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Says which key signs from now on, where that is another than before.
///
/// # Errors
/// [`WriteError`]
pub async fn introduce(store: &dyn Memory, vault: &Vault, now: DateTime<Utc>) -> Result<(), WriteError> {
    let Some(key) = &vault.key else { return Ok(()) };
    let fact = Fact::Key { fingerprint: key.fingerprint(), signer: key.signer()? };
    Ok(store.note(&[fact], now).await?)
}

/// Adds to the file what it lacks, and signs for it. Whoever else does the same does no harm. Returns the last entry.
///
/// # Errors
/// [`WriteError`], also where the file is not what was written; then it is left alone.
pub async fn write_out(store: &dyn Memory, vault: &Vault) -> Result<Head, WriteError> {
    let folder = &vault.bags;
    loop {
        let tail = ledger::tail(folder)?;
        if tail.head.number > 0 {
            let kept = store.entry(tail.head.number).await?;
            if kept.is_none_or(|line| line.head != tail.head) {
                return Err(LedgerError::Differs { path: folder.join(LEDGER) }.into());
            }
        }
        let lines = store.entries(tail.head.number, BATCH).await?;
        if lines.is_empty() {
            // Also where somebody else wrote, and died before they signed.
            if tail.head.number > 0 && !ledger::has_checkpoint(folder, &tail.head) {
                ledger::checkpoint(folder, &tail.head, vault.key.as_ref())?;
            }
            return Ok(tail.head);
        }
        ledger::append(folder, &tail, &lines)?;
    }
}
