//! The store as an anchor of the evidence: it knows which entries the ledger must hold, and whether evidence was kept.

use std::{collections::BTreeSet, io, time::Duration};

use super::ledger::{Parted, compare, was_kept};
use crate::{
    evidence::{
        attestation::Attestation,
        consistency::{self, ConsistencyReport},
        key::SigningKey,
        ledger::LEDGER,
        signers::Allowed,
        storage::Storage,
        verified::Verified,
    },
    ledger::Head,
    store::{Database, StoreError},
};

/// Longer than an entry takes to get from the store into the file.
const WRITING: Duration = Duration::from_millis(1_500);

/// The evidence cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The storage cannot be read.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// The storage.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The evidence is gone.
    #[error("{place} has no evidence, but the store says that evidence was kept: it was removed")]
    Removed {
        /// The storage.
        place: String,
    },
}

/// A check of the evidence against the store.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// The evidence in use.
    pub storage: &'a dyn Storage,
    /// The configured key; `None` if nothing is signed.
    pub key: Option<&'a SigningKey>,
    /// The trusted keys.
    pub allowed: &'a Allowed,
    /// Entries that were recorded elsewhere, such as in a mail.
    pub anchors: &'a [Head],
    /// What was verified before, and need not be read again.
    pub memory: Option<&'a Verified>,
    /// The location of the store, for messages.
    pub store: &'a str,
}

impl Check<'_> {
    /// Checks evidence in use against the store. `None` if there is no evidence yet, as the store says; without a store
    /// that is a problem of the evidence.
    ///
    /// # Errors
    /// [`AnchorError`]
    pub async fn against(&self, store: Option<&dyn Database>) -> Result<Option<ConsistencyReport>, AnchorError> {
        let is_empty = self.storage.list("").map_err(|source| self.unreadable(source))?.is_empty();
        let Some(store) = store else {
            if is_empty {
                return Ok(None);
            }
            let mut found = self.found(&BTreeSet::new())?;
            found.problems.push(format!("there is no store {} that knows what the ledger must hold", self.store));
            return Ok(Some(found));
        };
        if is_empty {
            return if was_kept(store).await? {
                Err(AnchorError::Removed { place: self.storage.place("") })
            } else {
                Ok(None)
            };
        }
        // Before the file: what the store has later may not be in it yet.
        let known = store.head().await?.number;
        let waiting = waiting(store).await?;
        let mut found = self.found(&waiting)?;
        let mut parted = compare(store, &found.attestation.chain, known).await?;
        if matches!(parted, Some(Parted::FileBehind { .. })) || !found.is_sound() {
            // A running daemon may be about to write. What the store had before is in the file by then.
            tokio::time::sleep(WRITING).await;
            let waiting = waiting.into_iter().chain(self::waiting(store).await?).collect();
            found = self.found(&waiting)?;
            parted = compare(store, &found.attestation.chain, known).await?;
        }
        found.problems.extend(parted.map(|parted| format!("{LEDGER}: {parted}")));
        Ok(Some(found))
    }

    /// The result without the store. If the configured key has signed nothing yet, that comes first, because it explains
    /// most other problems.
    fn found(&self, waiting: &BTreeSet<String>) -> Result<ConsistencyReport, AnchorError> {
        let found = consistency::in_use(self.storage, self.allowed.clone(), self.anchors, waiting, self.memory);
        let mut found = found.map_err(|source| self.unreadable(source))?;
        let new = self.key.map(SigningKey::fingerprint).filter(|key| !found.attestation.names(key));
        if let (Some(new), false) = (new, found.problems.is_empty()) {
            let why = "has signed nothing here yet: the next audit, or the daemon when it starts, signs with it";
            found.problems.insert(0, format!("the configured key {new} {why}"));
        }
        Ok(found)
    }

    fn unreadable(&self, source: io::Error) -> AnchorError {
        AnchorError::Unreadable { place: self.storage.place(""), source }
    }
}

/// The ledger of evidence without its store, and who signed it. A problem is looked for a second time: a running daemon may be
/// in the middle of writing, between a checkpoint and its signature, for example.
///
/// # Errors
/// If the storage cannot be read.
pub async fn attestation(storage: &dyn Storage, allowed: Allowed) -> io::Result<Attestation> {
    attestation_after(storage, allowed, WRITING).await
}

async fn attestation_after(storage: &dyn Storage, allowed: Allowed, wait: Duration) -> io::Result<Attestation> {
    let found = Attestation::of(storage, allowed.clone())?;
    if found.problems.is_empty() {
        return Ok(found);
    }
    tokio::time::sleep(wait).await;
    Attestation::of(storage, allowed)
}

/// The digests of the mails that wait to be sent.
async fn waiting(store: &dyn Database) -> Result<BTreeSet<String>, StoreError> {
    Ok(store.waiting_mails().await?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, thread};

    use chrono::DateTime;

    use super::*;
    use crate::{
        evidence::{
            ledger,
            storage::{busy::Busy, memory::Memory, read},
        },
        ledger::Fact,
        run::{
            ledger::write_out,
            vault::{Configuration, Vault},
        },
        store::testing,
    };

    fn fact(number: usize) -> Fact {
        Fact::Key { fingerprint: Some(number.to_string()), signer: None }
    }

    /// Another process that adds an entry to the store.
    fn add(folder: &Path, number: usize) {
        let folder = folder.to_owned();
        let added = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let store: &dyn Database = &testing::open(&folder).await;
                store.append(&[fact(number)], DateTime::UNIX_EPOCH).await.unwrap();
            });
        });
        added.join().unwrap();
    }

    #[tokio::test]
    async fn a_signature_that_is_being_put_back_is_looked_for_again() {
        let (memory, key) = (Arc::new(Memory::new()), SigningKey::generate("test").unwrap());
        let signer = key.signer().unwrap();
        let mut head = Head::default();
        let names = Fact::Key { fingerprint: Some(key.fingerprint()), signer: Some(signer.clone()) };
        let lines = [head.link(DateTime::UNIX_EPOCH, names).unwrap()];
        head = lines[0].head.clone();
        ledger::append(&*memory, &ledger::tail(&*memory).unwrap(), &lines).unwrap();
        ledger::checkpoint(&*memory, &head, &Head::default(), Some(&key)).unwrap();
        let signature = "checkpoint-00000001.json.sig";
        let content = read(&*memory, signature).unwrap();
        memory.remove(signature).unwrap();
        let allowed = Allowed::parse(&signer, DateTime::UNIX_EPOCH);
        let look = async |storage: &dyn Storage| {
            attestation_after(storage, allowed.clone(), Duration::ZERO).await.unwrap().problems
        };
        let alone = Busy::new(Arc::clone(&memory), |_, _| {});
        let problems = look(&alone).await;
        assert!(problems[0].contains("it is not signed"), "{problems:?}");
        let first = alone.calls() / 2;
        let busy = Busy::new(memory, move |call, memory| {
            if call == first {
                memory.put_new(signature, &content).unwrap();
            }
        });
        assert_eq!(look(&busy).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn only_what_the_store_had_before_the_file_was_read_must_be_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_owned();
        let (store, memory) = (&testing::open(&place).await as &dyn Database, Arc::new(Memory::new()));
        let (storage, configuration) = (Arc::clone(&memory) as Arc<dyn Storage>, Configuration::default());
        let vault = Vault { storage, key: None, timestamps: None, keep_days: None, configuration, agent: "a".into() };
        store.append(&[fact(0)], DateTime::UNIX_EPOCH).await.unwrap();
        write_out(store, &vault, DateTime::UNIX_EPOCH).await.unwrap();
        // The first call finds out whether there is evidence.
        let busy = Busy::new(memory, move |call, _| {
            if call > 0 {
                add(&place, call);
            }
        });
        let (allowed, anchors) = (Allowed::default(), &[]);
        let check = Check { storage: &busy, key: None, allowed: &allowed, anchors, memory: None, store: "store" };
        let found = check.against(Some(store)).await.unwrap().unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        // What is not written out is missing.
        let check = Check { storage: &*vault.storage, ..check };
        let found = check.against(Some(store)).await.unwrap().unwrap();
        assert!(found.problems[0].contains("but the store has entry"), "{:?}", found.problems);
    }
}
