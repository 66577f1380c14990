//! Copies the store's ledger to its file beside the bags.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};

use super::vault::Vault;
use crate::{
    digest::sha256,
    evidence::{
        key::{KeyError, SigningKey},
        ledger::{self, LEDGER, LedgerError},
        storage::Storage,
    },
    ledger::{Entry, Fact, Head, Line, chain::Chain, fact::Recorded},
    store::{Database, StoreError},
};

/// Entries that are copied at a time.
const BATCH: u32 = 500;

/// The ledger's file cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file failed.
    #[error(transparent)]
    File(#[from] LedgerError),
    /// The key cannot be encoded.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Records the current signing key, or that there is none, if that changed: later signatures cover earlier entries, and the
/// ledger explains unsigned bags. Before the first key nothing is recorded.
///
/// # Errors
/// [`WriteError`]
pub async fn record_signing_key(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<(), WriteError> {
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
                "another key signs the evidence from now on; give its line to those who trust only the old key"
            );
        }
        (Some(Fact::Key { fingerprint: Some(old), .. }), Fact::Key { fingerprint: None, .. }) => {
            tracing::warn!(old, "the evidence is not signed from now on: no key is configured any more");
        }
        _ => {}
    }
    Ok(())
}

/// Removes checkpoints that a dead process left. It lists all evidence, so it is called when a daemon starts, and not for
/// every run.
///
/// # Errors
/// [`WriteError`]
pub fn tidy(vault: &Vault) -> Result<(), WriteError> {
    let storage = &*vault.storage;
    Ok(ledger::tidy(storage, &ledger::tail(storage)?.head, vault.key.as_ref())?)
}

/// Appends the missing entries to the file and signs a checkpoint. Several processes may do this. Returns the last entry.
/// That the file was removed or cut is logged and recorded.
///
/// # Errors
/// [`WriteError`], also if the file was changed; then it is left unchanged.
pub async fn write_out(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<Head, WriteError> {
    let storage = &*vault.storage;
    let known = notice_a_cut(store, storage, now).await?;
    let mut earlier = None;
    loop {
        let tail = ledger::tail(storage)?;
        let earlier = earlier.get_or_insert_with(|| tail.head.clone());
        if tail.head.number > 0 {
            let kept = store.entry(tail.head.number).await?;
            if kept.is_none_or(|line| line.head != tail.head || sha256(line.text.as_bytes()) != tail.head.sha256) {
                let (place, file) = (storage.place(LEDGER), tail.head.number);
                let store = store.head().await?.number;
                // A line that is not an entry has the highest number there is.
                let is_behind = store < file && file < u64::MAX;
                return Err(if is_behind {
                    LedgerError::StoreBehind { place, file, store }
                } else {
                    LedgerError::Differs { place }
                }
                .into());
            }
        }
        let lines = store.entries(tail.head.number, BATCH).await?;
        if lines.is_empty() {
            // Also if another process wrote entries and died before it signed.
            if tail.head.number > 0 && !ledger::has_checkpoint(storage, &tail.head)? {
                ledger::checkpoint(storage, &tail.head, earlier, vault.key.as_ref())?;
            }
            if tail.head.number > known {
                store.file_grew(&storage.identity(), tail.head.number).await?;
            }
            return Ok(tail.head);
        }
        let mut head = tail.head.clone();
        for line in &lines {
            follows(&head, line).map_err(|entry| LedgerError::StoreBroken { place: storage.place(LEDGER), entry })?;
            head = line.head.clone();
        }
        ledger::append(storage, &tail, &lines)?;
    }
}

/// Finds out whether the file ends earlier than it did. Returns how far it is known to go.
async fn notice_a_cut(store: &dyn Database, storage: &dyn Storage, now: DateTime<Utc>) -> Result<u64, WriteError> {
    let place = storage.identity();
    loop {
        // Before the file: another process notes what it has written after it has written it.
        let had = store.file_end(&place).await?.unwrap_or_default();
        let found = ledger::tail(storage)?.head.number;
        if found >= had {
            return Ok(had);
        }
        if store.file_was_cut(&place, had, found, now).await? {
            let file = storage.place(LEDGER);
            tracing::error!("{}", cut_sentence(&file, had, found));
            return Ok(found);
        }
    }
}

/// That the file was removed or cut, in a sentence.
pub fn cut_sentence(file: &str, had: u64, found: u64) -> String {
    let what = match found {
        0 => format!("the ledger {file} was removed; it had {had} entries"),
        found => format!("the ledger {file} was cut: of {had} entries it had {found}"),
    };
    format!(
        "{what}. It is written again from the store; `rolecall evidence verify` shows whether bags are missing, too"
    )
}

/// Brings the file up to date before a bag is begun, and returns the last entry, which the bag names. While an object store
/// cannot be reached, the bag will wait for it, and so does the file: then it is the last entry of the store.
///
/// # Errors
/// [`WriteError`]
pub async fn head(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<Head, WriteError> {
    match write_out(store, vault, now).await {
        Err(WriteError::File(error)) if error.is_unreachable() => {
            tracing::warn!(%error, "the bag is begun without the ledger beside the evidence");
            Ok(store.head().await?)
        }
        written => written,
    }
}

/// Where the store and the ledger's file differ.
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
    /// They differ from this entry on.
    At(u64),
    /// The store's own chain is broken at this entry.
    Store(u64),
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileBehind { file, store } => write!(
                f,
                "it ends with entry {file}, but the store has entry {store}: it was truncated, an older state was restored, or a process died before it wrote; the next audit, or the daemon when it starts, adds what is missing"
            ),
            Self::StoreBehind { file, store } => write!(
                f,
                "it ends with entry {file}, but the store ends with entry {store}: the store was restored from an older state; no audit can run until the newer one is restored"
            ),
            Self::Store(entry) => write!(
                f,
                "the store's copy is broken at entry {entry}: it, or the one before it, was changed or removed in the database; restore the store from a backup"
            ),
            Self::At(entry) => write!(
                f,
                "from entry {entry} on it differs from the store: the file was rewritten, or the store is another one or was restored from an older state"
            ),
        }
    }
}

/// Compares the ledger in a file with that of the store, entry by entry; `None` if they are the same. `known` is the number of
/// an entry that the store had before the file was read: the file must have it. Later ones may have been written since.
///
/// # Errors
/// [`StoreError`]
pub async fn compare(store: &dyn Database, chain: &Chain, known: u64) -> Result<Option<Parted>, StoreError> {
    let (file, mut head) = (chain.head().number, Head::default());
    loop {
        let lines = store.entries(head.number, BATCH).await?;
        for line in &lines {
            if let Err(entry) = follows(&head, line) {
                return Ok(Some(Parted::Store(entry)));
            }
            head = line.head.clone();
            if head.number <= file && chain.sha256(head.number) != Some(&*head.sha256) {
                return Ok(Some(Parted::At(head.number)));
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    Ok(if file > head.number {
        Some(Parted::StoreBehind { file, store: head.number })
    } else if file < known {
        Some(Parted::FileBehind { file, store: known })
    } else {
        None
    })
}

/// Whether a line of the store is the entry after `head`, with the digest that the store names; an error is the number of
/// the first entry that is not.
fn follows(head: &Head, line: &Line) -> Result<(), u64> {
    let next = head.number + 1;
    let is_next = serde_json::from_str::<Entry>(&line.text)
        .is_ok_and(|entry| (entry.number, entry.previous) == (next, head.sha256.clone()));
    let is_whole = line.head.number == next && is_next && sha256(line.text.as_bytes()) == line.head.sha256;
    if is_whole { Ok(()) } else { Err(next) }
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
    // If no key was ever used, only a bag shows it.
    let recorded = store.last("recorded", "").await?.map(|entry| entry.fact);
    Ok(matches!(recorded, Some(Fact::Recorded(Recorded { bag: Some(_), .. }))))
}
