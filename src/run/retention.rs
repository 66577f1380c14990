//! Removes bags that are older than evidence is to be kept, and says so in the ledger first.

use std::{collections::BTreeSet, fs};

use chrono::{DateTime, Days, NaiveDateTime, Utc};

use super::{
    bag::Vault,
    ledger::{WriteError, write_out},
};
use crate::{
    digest::sha256,
    evidence::{SEALED, draft, inventory, ledger::LedgerError, mail},
    ledger::{Entry, Fact, fact::BagName},
    store::Database,
};

/// Entries that are read at a time.
const BATCH: u32 = 500;

/// Removes the bags of a vault that are older than it keeps them. Their age counts from the newest one too, and not from
/// the clock alone: one that was set forward, or reviews that ended long ago, take no evidence away. Their mails go with them. Returns
/// how many were removed.
///
/// # Errors
/// [`WriteError`]; what was not removed is tried again the next time.
pub async fn retire(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<usize, WriteError> {
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
    store.append(&facts, now).await?;
    write_out(store, vault).await?;
    // The mails first: as long as a bag is there, what is left of it is removed the next time.
    let folders: BTreeSet<&str> = old.iter().map(|(_, folder, _)| folder.as_str()).collect();
    for sha256 in mails_of(store, &folders).await? {
        mail::remove(&vault.bags, &sha256).map_err(failed)?;
    }
    for (.., path) in &old {
        draft::remove(path).map_err(failed)?;
    }
    Ok(old.len())
}

/// The mails of the reviews whose bags these are, by their digests.
async fn mails_of(store: &dyn Database, folders: &BTreeSet<&str>) -> Result<Vec<String>, WriteError> {
    let (mut runs, mut mails, mut read) = (BTreeSet::new(), Vec::new(), 0);
    loop {
        let lines = store.entries(read, BATCH).await?;
        let Some(last) = lines.last() else { return Ok(mails) };
        read = last.head.number;
        for line in &lines {
            // A line that is no entry names no mail.
            match serde_json::from_str::<Entry>(&line.text).map(|entry| entry.fact) {
                Ok(Fact::Recorded(review))
                    if review.bag.as_ref().is_some_and(|bag| folders.contains(bag.folder.as_str())) =>
                {
                    runs.insert(review.run);
                }
                Ok(Fact::Delivery(delivery)) if runs.contains(&delivery.run) => mails.push(delivery.sha256),
                _ => {}
            }
        }
    }
}

/// When the run of a bag began, as its name says.
fn begun(name: &str) -> Option<DateTime<Utc>> {
    let (time, _) = name.split_once('_')?;
    NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
