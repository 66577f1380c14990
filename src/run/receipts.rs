//! Records what became of bags that were stored: their versions, and that a bag does not count whose run another process has
//! repeated meanwhile.
//!
//! While an object store is away, each machine keeps its bags in a spool of its own, and the others do not see them. A machine
//! that dies there leaves a bag of a run that another takes over and records with a bag of its own. Only the machine with
//! the spool knows of the first bag: it keeps the receipt until the run is decided.

use std::io;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ledger::WriteError, vault::Vault};
use crate::{
    digest::sha256,
    evidence::{
        SEALED,
        ledger::LedgerError,
        storage::{Receipt, Storage, join, objects::is_unreachable, read},
    },
    ledger::{Fact, fact::BagName},
    model::run::RunState,
    store::{Database, StoreError},
};

/// Whether a bag counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its run is under way, or waits.
    Open,
    /// Its run is recorded with another bag.
    Overtaken(Uuid),
    /// It counts, or no run needs it.
    Settled,
}

/// Records the versions of bags that were stored since the last call, if the storage keeps versions, and which of them do not
/// count because their runs are recorded with other bags.
///
/// # Errors
/// [`WriteError`]; what was not recorded is recorded the next time.
pub async fn settle(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<(), WriteError> {
    let storage = &*vault.storage;
    let failed = |source| LedgerError::of(storage, "", source);
    let (mut facts, mut done) = (Vec::new(), Vec::new());
    for receipt in storage.receipts().map_err(failed)? {
        facts.extend(version(store, &receipt).await?);
        match fate(store, &receipt.bag).await? {
            Fate::Open => continue,
            Fate::Settled => {}
            Fate::Overtaken(run) => match abandoned(storage, run, receipt.bag.clone()) {
                Ok(fact) if store.last(fact.kind(), &fact.subject()).await?.is_none() => facts.push(fact),
                Ok(_) => {}
                // It is asked again.
                Err(_) => continue,
            },
        }
        done.push(receipt);
    }
    store.append(&facts, now).await?;
    Ok(storage.forget_receipts(&done).map_err(failed)?)
}

/// That a bag does not count, because its run is repeated.
///
/// # Errors
/// If the storage cannot be reached. A bag without a manifest has no digest; verification reports what is wrong with it.
pub(super) fn abandoned(storage: &dyn Storage, run: Uuid, folder: String) -> io::Result<Fact> {
    let sha256 = match read(storage, &join(&folder, SEALED)) {
        Ok(bytes) => sha256(&bytes),
        Err(error) if is_unreachable(&error) => return Err(error),
        Err(_) => String::new(),
    };
    Ok(Fact::BagAbandoned { run, bag: BagName { folder, sha256 } })
}

/// The version of a bag, unless it is on record.
async fn version(store: &dyn Database, receipt: &Receipt) -> Result<Option<Fact>, StoreError> {
    let Receipt { bag: folder, version, sha256 } = receipt.clone();
    let Some(version) = version else { return Ok(None) };
    let fact = Fact::BagStored { folder, version, sha256 };
    let known = store.last(fact.kind(), &fact.subject()).await?;
    Ok(known.is_none_or(|entry| entry.fact != fact).then_some(fact))
}

async fn fate(store: &dyn Database, bag: &str) -> Result<Fate, StoreError> {
    // Reviews by people and audits on demand are in the names of their bags, too, and are no runs.
    let Some(id) = bag.rsplit('_').find_map(|part| Uuid::parse_str(part).ok()) else { return Ok(Fate::Settled) };
    let Some(run) = store.run(id).await? else { return Ok(Fate::Settled) };
    let recorded = store.audit(id).await?;
    Ok(match recorded {
        Some(record) if record.bag.as_ref().is_some_and(|counts| counts.folder != bag) => Fate::Overtaken(id),
        None if !matches!(run.state, RunState::Closed | RunState::Failed) => Fate::Open,
        _ => Fate::Settled,
    })
}
