//! Looks after what is kept: the ledger's file beside the bags, and what is older than its retention.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};

use super::Daemon;
use crate::{
    clock::time_delta,
    evidence::{ledger::LEDGER, storage::Storage},
    ledger::{Entry, Fact},
    run::{
        ledger::{self, WriteError},
        receipts, retention,
    },
    store::StoreError,
};

/// How often old snapshots and bags are removed.
const PRUNE_EVERY: chrono::Duration = chrono::Duration::hours(1);
/// How long it is said that the ledger's file was removed or cut: whoever looks once a day has to see it.
const SAID_FOR: chrono::Duration = chrono::Duration::days(1);

/// What is in the ledger's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// The last entry.
    pub(super) number: u64,
    /// Its length; `None` if that is not known, or is not what it was.
    length: Option<u64>,
}

impl Daemon {
    /// Brings the ledger's file up to date.
    pub(super) async fn write_out(&self) -> Result<(), WriteError> {
        let setup = self.setup();
        let Some(vault) = &setup.vault else { return Ok(()) };
        if self.state().written.is_none() {
            // At the start and after a reload: the key may have changed.
            ledger::record_signing_key(&*self.store, vault, self.now()).await?;
            ledger::tidy(vault)?;
        }
        receipts::settle(&*self.store, vault, self.now()).await?;
        let head = self.store.head().await?;
        let is_written = |written: Written| written.number == head.number && written.length.is_some();
        if !self.state().written.is_some_and(is_written) {
            let number = ledger::write_out(&*self.store, vault, self.now()).await?.number;
            let length = vault.storage.length(LEDGER).ok();
            self.state().written = Some(Written { number, length });
        }
        Ok(())
    }

    /// Looks whether the ledger's file is as long as it was written. If it is not, it is written again in this round, or in the
    /// next one if the storage is not on this machine: its answer is not waited for.
    pub(super) fn look_for_the_ledger(self: &Arc<Self>) {
        let Some(storage) = self.setup().vault.as_ref().map(|vault| Arc::clone(&vault.storage)) else { return };
        let every = storage.look_every();
        {
            let mut state = self.state();
            let is_due = state.looked_for.is_none_or(|last| last.elapsed() >= every);
            if !is_due || state.written.is_none_or(|written| written.length.is_none()) {
                return;
            }
            state.looked_for = Some(Instant::now());
        }
        if every.is_zero() {
            self.compare_length(&*storage);
            return;
        }
        let daemon = Arc::clone(self);
        self.background.spawn_blocking(move || {
            if daemon.compare_length(&*storage) {
                daemon.wake.notify_one();
            }
        });
    }

    /// Compares the length of the ledger's file with what was written; returns whether it is another one. If it cannot be read,
    /// whoever writes next says so.
    fn compare_length(&self, storage: &dyn Storage) -> bool {
        let Ok(length) = storage.length(LEDGER) else { return false };
        let mut state = self.state();
        let Some(written) = &mut state.written else { return false };
        let is_other = written.length.is_some_and(|written| written != length);
        if is_other {
            written.length = None;
        }
        is_other
    }

    /// That the ledger's file was removed or cut lately, in a sentence, whoever has noticed it; `None` if it was not.
    pub(super) async fn cut_warning(&self, now: DateTime<Utc>) -> Result<Option<String>, StoreError> {
        let Some(place) = self.setup().vault.as_ref().map(|vault| vault.storage.place(LEDGER)) else { return Ok(None) };
        let last = self.store.last(Fact::LEDGER_FILE_CUT, "").await?;
        let Some(Entry { at, fact: Fact::LedgerFileCut { had, found }, .. }) = last else { return Ok(None) };
        // Also in the future: a clock that was ahead may have dated it.
        let is_late = (now - at).abs() >= SAID_FOR;
        let sentence =
            || format!("{} (noticed {})", ledger::cut_sentence(&place, had, found), at.format("%Y-%m-%d %H:%M UTC"));
        Ok((!is_late).then(sentence))
    }

    /// Removes snapshots and bags that are older than their retention.
    pub(super) async fn prune(&self) -> Result<(), WriteError> {
        let now = self.now();
        if self.state().pruned.is_some_and(|last| (last..last + PRUNE_EVERY).contains(&now)) {
            return Ok(());
        }
        let keep = time_delta(self.setup().limits.keep);
        if let Some(before) = now.checked_sub_signed(keep) {
            let pruned = self.store.prune(before).await?;
            if pruned > 0 {
                tracing::info!(parts = pruned, %before, "removed old snapshots");
            }
        }
        if let Some(vault) = &self.setup().vault {
            let removed = retention::retire(&*self.store, vault, now).await?;
            if removed > 0 {
                tracing::info!(bags = removed, "removed old bags");
            }
        }
        self.state().pruned = Some(now);
        Ok(())
    }
}
