//! Brings what the store's ledger says to its file beside the bags.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, Utc};

use super::bag::Vault;
use crate::{
    evidence::{
        key::{KeyError, SigningKey},
        ledger::{self, LEDGER, LedgerError},
    },
    ledger::{Fact, Head, chain::Found as Chain, fact::Recorded},
    store::{Database, StoreError},
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

/// Says which key signs from now on, or that none does any more, where that is otherwise than before: what is signed then
/// vouches for what was written before, and a bag without a signature is explained. Before the first key there is none, and
/// that need not be said.
///
/// # Errors
/// [`WriteError`]
pub async fn introduce(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<(), WriteError> {
    let fingerprint = vault.key.as_ref().map(SigningKey::fingerprint);
    let new = Fact::Key { fingerprint, signer: vault.key.as_ref().map(SigningKey::signer).transpose()? };
    let old = store.last(new.kind(), &new.subject()).await?.map(|entry| entry.fact);
    if old.is_none() && vault.key.is_none() {
        return Ok(());
    }
    store.append(std::slice::from_ref(&new), now).await?;
    match (old, new) {
        (Some(Fact::Key { fingerprint: Some(old), .. }), Fact::Key { fingerprint: Some(new), .. }) if old != new => {
            tracing::warn!(
                old,
                new,
                "another key signs the evidence from now on: who trusts only the old one must be given the new one's line"
            );
        }
        (Some(Fact::Key { fingerprint: Some(old), .. }), Fact::Key { fingerprint: None, .. }) => {
            tracing::warn!(old, "nobody signs the evidence from now on: no key is configured any more");
        }
        _ => {}
    }
    Ok(())
}

/// Adds to the file what it lacks, and signs for it. Whoever else does the same does no harm. Returns the last entry.
///
/// # Errors
/// [`WriteError`], also where the file is not what was written; then it is left alone.
pub async fn write_out(store: &dyn Database, vault: &Vault) -> Result<Head, WriteError> {
    let folder = &vault.bags;
    loop {
        let tail = ledger::tail(folder)?;
        if tail.head.number > 0 {
            let kept = store.entry(tail.head.number).await?;
            if kept.is_none_or(|line| line.head != tail.head) {
                let (path, file) = (folder.join(LEDGER), tail.head.number);
                let store = store.head().await?.number;
                // A line that is no entry has the highest number there is.
                let is_behind = store < file && file < u64::MAX;
                return Err(if is_behind {
                    LedgerError::StoreBehind { path, file, store }
                } else {
                    LedgerError::Differs { path }
                }
                .into());
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

/// Where the store and the ledger's file part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parted {
    /// The file ends earlier.
    FileBehind {
        /// The number of the file's last entry.
        file: u64,
        /// The number of the store's last entry.
        store: u64,
    },
    /// The store ends earlier.
    StoreBehind {
        /// The number of the file's last entry.
        file: u64,
        /// The number of the store's last entry.
        store: u64,
    },
    /// From this entry on they have others.
    At(u64),
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileBehind { file, store } => write!(
                f,
                "it ends with entry {file}, and the store knows entry {store}: the end was cut off or an old state put back, or a process died before it wrote; the next audit, or the daemon when it starts, adds what is missing"
            ),
            Self::StoreBehind { file, store } => write!(
                f,
                "it ends with entry {file}, and the store with entry {store}: the store is behind, an older state of it was put back; no audit can go on until the newer one is"
            ),
            Self::At(entry) => write!(
                f,
                "from entry {entry} on the store has others: the file was rewritten, or the store is another, or went on from an older state"
            ),
        }
    }
}

/// Compares the ledger that is in a file with that of the store; none where they are the same.
///
/// # Errors
/// [`StoreError`]
pub async fn compare(store: &dyn Database, chain: &Chain) -> Result<Option<Parted>, StoreError> {
    let (file, head) = (chain.head().number, store.head().await?.number);
    let both = file.min(head);
    // Each entry holds the digest of the one before: where one is the same, so are all earlier ones.
    let (mut same, mut other) = (0, both + 1);
    while other - same > 1 {
        let middle = same.midpoint(other);
        let kept = store.entry(middle).await?.map(|line| line.head.sha256);
        if kept.as_deref() == chain.sha256(middle) { same = middle } else { other = middle }
    }
    Ok(match (same < both, file.cmp(&head)) {
        (true, _) => Some(Parted::At(other)),
        (false, Ordering::Less) => Some(Parted::FileBehind { file, store: head }),
        (false, Ordering::Greater) => Some(Parted::StoreBehind { file, store: head }),
        (false, Ordering::Equal) => None,
    })
}

/// Whether evidence was ever kept, as far as the store knows.
///
/// # Errors
/// [`StoreError`]
pub async fn was_kept(store: &dyn Database) -> Result<bool, StoreError> {
    let key = Fact::Key { fingerprint: None, signer: None };
    if store.last(key.kind(), &key.subject()).await?.is_some() {
        return Ok(true);
    }
    // Where there never was a key, only a bag tells.
    let recorded = store.last("recorded", "").await?.map(|entry| entry.fact);
    Ok(matches!(recorded, Some(Fact::Recorded(Recorded { bag: Some(_), .. }))))
}
