//! What `rolecall evidence verify` remembers between two calls: which bags of the configured evidence were as they were sealed.

use std::{fs, path::PathBuf};

use crate::{
    cli::output,
    config::settings::StorePlace,
    evidence::{key::SigningKey, storage::Storage, verified::Verified},
};

/// The ending of the file beside the store.
const ENDING: &str = "verified";

/// What is remembered, and where.
pub(super) struct Memory {
    path: PathBuf,
    key: SigningKey,
    pub(super) verified: Verified,
}

impl Memory {
    /// It is kept beside a store in a file, and signed. `None` if there is no such file, or no key. To read `all`, nothing is
    /// recalled.
    pub(super) fn of(store: &StorePlace, key: Option<SigningKey>, storage: &dyn Storage, all: bool) -> Option<Self> {
        let (StorePlace::File(store), Some(key)) = (store, key) else { return None };
        let path = store.with_added_extension(ENDING);
        let note = fs::read_to_string(&path).ok().filter(|_| !all);
        Some(Self { verified: Verified::of(note.as_deref(), storage, &key), path, key })
    }

    /// Writes it, if there is anything to remember. If that fails, everything is read again the next time.
    pub(super) fn keep(&self) {
        if self.verified.is_empty() {
            return;
        }
        let failed = |error: &dyn std::fmt::Display| {
            output::note(&format!("rolecall: {} cannot be written: {error}", self.path.display()));
        };
        match self.verified.note(&self.key) {
            Ok(note) => output::save(&self.path, note.as_bytes()).unwrap_or_else(|error| failed(&error)),
            Err(error) => failed(&error),
        }
    }
}
