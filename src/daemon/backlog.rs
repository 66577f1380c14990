//! Bags that wait for an object store: stores them beside the rounds, and says that they wait.

use std::{sync::Arc, thread, time::Duration};

use super::Daemon;
use crate::{evidence::storage::Backlog, words::count};

/// Storing a bag usually takes less.
const BRIEF: Duration = Duration::from_secs(30);

/// Bags that wait for an object store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unstored {
    /// How many.
    pub bags: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// How long the oldest waits.
    pub age: Duration,
}

impl Daemon {
    /// The bags that wait; none if evidence is not kept, or in a folder.
    pub fn unstored(&self) -> Unstored {
        let setup = self.setup();
        let backlog = setup.vault.as_ref().map(|vault| vault.storage.backlog()).transpose();
        let backlog = backlog.unwrap_or_else(|error| {
            tracing::error!(%error, "the spool of the evidence cannot be read");
            None
        });
        let Backlog { bags, bytes, since } = backlog.unwrap_or_default();
        let age = since.and_then(|since| since.elapsed().ok()).unwrap_or_default();
        Unstored { bags, bytes, age }
    }

    /// Begins to store what waits, if nothing does already. It is not waited for: a large bag may take minutes, and a process
    /// that ends meanwhile loses nothing.
    pub(super) fn drain(self: &Arc<Self>) {
        if self.unstored().bags == 0 || std::mem::replace(&mut self.state().drains, true) {
            return;
        }
        let Some(storage) = self.setup().vault.as_ref().map(|vault| Arc::clone(&vault.storage)) else { return };
        let daemon = Arc::clone(self);
        let drain = move || {
            let drained = storage.drain().map_err(|error| error.to_string());
            daemon.drained(drained.err());
        };
        if let Err(error) = thread::Builder::new().name("drain".to_owned()).spawn(drain) {
            self.drained(Some(error.to_string()));
        }
    }

    /// Notes how storing what waits ended. A failure is logged when it begins or changes.
    fn drained(&self, error: Option<String>) {
        let before = {
            let mut state = self.state();
            state.drains = false;
            std::mem::replace(&mut state.undrained, error.clone())
        };
        match error {
            Some(error) if before.as_ref() != Some(&error) => tracing::error!(error, "bags wait to be stored"),
            Some(_) => {}
            None => {
                if before.is_some() {
                    tracing::info!("every bag that waited is stored");
                }
                self.wake.notify_one();
            }
        }
    }

    /// That bags wait, in a sentence; `None` if none does.
    pub(super) fn unstored_warning(&self) -> Option<String> {
        let Unstored { bags, bytes, age } = self.unstored();
        let why = self.state().undrained.clone();
        // One that is just being stored is no reason to worry.
        if bags == 0 || (why.is_none() && age < BRIEF) {
            return None;
        }
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let (bags, kilobytes, minutes) = (
            count(usize::try_from(bags).unwrap_or(usize::MAX), "bag"),
            bytes.div_ceil(1 << 10),
            age.as_secs().div_ceil(60),
        );
        Some(format!("{bags} of evidence ({kilobytes} KiB) not stored yet for up to {minutes} min{why}"))
    }
}
