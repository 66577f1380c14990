//! Removes bags that are older than evidence is to be kept, and says so in the ledger first.

use std::fs;

use chrono::{DateTime, Days, NaiveDateTime, Utc};

use super::{
    evidence::Vault,
    ledger::{WriteError, write_out},
};
use crate::{
    evidence::{SEALED, draft, inventory, ledger::LedgerError},
    ledger::{Fact, fact::BagName, sha256},
    store::Memory,
};

/// Removes the bags of a vault that are older than it keeps them. Their age counts from the newest one too, and not from
/// the clock alone: one that was set forward, or reviews that ended long ago, take no evidence away. Returns how many
/// were removed.
///
/// # Errors
/// [`WriteError`]; what was not removed is tried again the next time.
pub async fn retire(store: &dyn Memory, vault: &Vault, now: DateTime<Utc>) -> Result<usize, WriteError> {
    let Some(keep_days) = vault.keep_days else { return Ok(0) };
    let failed = |source| LedgerError::File { path: vault.bags.clone(), source };
    if !vault.bags.exists() {
        return Ok(0);
    }
    let bags = inventory::bags(&vault.bags).map_err(failed)?;
    let dated: Vec<_> = bags
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some((begun(&name)?, name, path))
        })
        .collect();
    let newest = dated.iter().map(|(time, ..)| *time).filter(|time| *time <= now).max();
    let Some(before) = newest.and_then(|newest| newest.checked_sub_days(Days::new(keep_days))) else { return Ok(0) };
    let old: Vec<_> = dated.into_iter().filter(|(time, ..)| *time < before).collect();
    let mut facts = Vec::with_capacity(old.len());
    for (_, folder, path) in &old {
        let sha256 = sha256(&fs::read(path.join(SEALED)).map_err(failed)?);
        facts.push(Fact::BagRemoved { bag: BagName { folder: folder.clone(), sha256 }, keep_days });
    }
    if facts.is_empty() {
        return Ok(0);
    }
    store.note(&facts, now).await?;
    write_out(store, vault).await?;
    for (.., path) in &old {
        draft::remove(path).map_err(failed)?;
    }
    Ok(old.len())
}

/// When the run of a bag began, as its name says.
fn begun(name: &str) -> Option<DateTime<Utc>> {
    let (time, _) = name.split_once('_')?;
    NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
