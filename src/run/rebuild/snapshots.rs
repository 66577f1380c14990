//! What bags have of the accounts of earlier audits.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use uuid::Uuid;

use crate::{
    evidence::{sealed, storage::Storage},
    model::bag::BagName,
    run::bag::contents::PREVIOUS,
    store::{StoreError, rebuild::Snapshots, snapshot},
};

/// The snapshots in bags, and those that were made again.
pub(super) struct OfEvidence {
    storage: Arc<dyn Storage>,
    audits: BTreeSet<Uuid>,
    /// The bag of a later audit that was compared with one.
    later: BTreeMap<Uuid, BagName>,
    made: BTreeMap<Uuid, Vec<Vec<u8>>>,
}

impl OfEvidence {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, audits: BTreeSet::new(), later: BTreeMap::new(), made: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.audits.len()
    }

    pub(super) fn has(&self, audit: Uuid) -> bool {
        self.audits.contains(&audit)
    }

    /// Notes whose snapshot a bag has. One that cannot be read has none.
    pub(super) fn look_into(&mut self, bag: &BagName) {
        let Ok(Some(previous)) = previous(&*self.storage, bag) else { return };
        if let Ok(audit) = snapshot::of_whom(previous.as_slice()) {
            self.audits.insert(audit);
            self.later.insert(audit, bag.clone());
        }
    }

    /// Forgets those of audits that are not on record.
    pub(super) fn keep_only(&mut self, audits: &BTreeSet<Uuid>) {
        self.audits.retain(|audit| audits.contains(audit));
    }

    pub(super) fn add(&mut self, audit: Uuid, parts: Vec<Vec<u8>>) {
        self.audits.insert(audit);
        self.made.insert(audit, parts);
    }
}

fn previous(storage: &dyn Storage, bag: &BagName) -> io::Result<Option<Vec<u8>>> {
    sealed::file(storage, bag, &format!("data/{PREVIOUS}"))
}

impl Snapshots for OfEvidence {
    fn audits(&self) -> &BTreeSet<Uuid> {
        &self.audits
    }

    fn parts(&self, audit: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        if let Some(parts) = self.made.get(&audit) {
            return Ok(parts.clone());
        }
        let Some(bag) = self.later.get(&audit) else { return Ok(Vec::new()) };
        let failed = |reason: String| StoreError::Snapshot { reason: format!("{}: {reason}", bag.folder) };
        let file = previous(&*self.storage, bag).map_err(|error| failed(error.to_string()))?;
        snapshot::split(file.unwrap_or_default().as_slice())
    }
}
