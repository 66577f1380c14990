//! Removes bags that are past their retention, and records that in the ledger first.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDateTime, Utc};

use super::{
    ledger::{WriteError, write_out},
    vault::Vault,
};
use crate::{
    digest::sha256,
    evidence::{
        SEALED, inventory,
        ledger::LedgerError,
        mail,
        storage::{join, read},
        timestamps,
    },
    ledger::{
        Entry, Fact,
        fact::{BagName, Covers, Timestamped},
    },
    store::Database,
};

/// Entries that are read at a time.
const BATCH: u32 = 500;

/// Removes the bags of a vault that are past their retention, and their mails. Age is measured from the newest bag and not
/// only from the clock, so that neither a clock that was set forward nor an end of the reviews removes evidence.
/// Returns how many bags were removed.
///
/// # Errors
/// [`WriteError`]; what was not removed is removed the next time.
pub async fn retire(store: &dyn Database, vault: &Vault, now: DateTime<Utc>) -> Result<usize, WriteError> {
    let Some(keep_days) = vault.keep_days else { return Ok(0) };
    let storage = &*vault.storage;
    let failed = |source| LedgerError::of(storage, "", source);
    let bags = inventory::bags(storage).map_err(failed)?;
    let dated: Vec<_> = bags.into_iter().filter_map(|folder| Some((begun(&folder)?, folder))).collect();
    let newest = dated.iter().map(|(time, _)| *time).filter(|time| *time <= now).max();
    let Some(before) = newest.and_then(|newest| newest.checked_sub_days(Days::new(keep_days))) else { return Ok(0) };
    let old: Vec<_> = dated.into_iter().filter(|(time, _)| *time < before).collect();
    let mut facts = Vec::with_capacity(old.len());
    for (_, folder) in &old {
        let sha256 = sha256(&read(storage, &join(folder, SEALED)).map_err(failed)?);
        facts.push(Fact::BagRemoved { bag: BagName { folder: folder.clone(), sha256 }, keep_days });
    }
    if facts.is_empty() {
        return Ok(0);
    }
    store.append(&facts, now).await?;
    write_out(store, vault, now).await?;
    // Remove what is beside a bag first: if this fails, the bag is still there and the next run removes all of it.
    let folders: BTreeSet<&str> = old.iter().map(|(_, folder)| folder.as_str()).collect();
    let Beside { mails, tokens } = beside(store, &folders).await?;
    for sha256 in mails {
        mail::remove(storage, &sha256).map_err(failed)?;
    }
    for token in tokens {
        timestamps::remove(storage, &token).map_err(failed)?;
    }
    for (_, folder) in &old {
        storage.remove(folder).map_err(failed)?;
    }
    Ok(old.len())
}

/// What is kept beside some bags, by digest.
struct Beside {
    /// The mails of their audits and reviews.
    mails: Vec<String>,
    /// Their timestamps.
    tokens: Vec<String>,
}

async fn beside(store: &dyn Database, folders: &BTreeSet<&str>) -> Result<Beside, WriteError> {
    let (mut subjects, mut mails, mut tokens, mut read) = (BTreeSet::new(), Vec::new(), Vec::new(), 0);
    loop {
        let lines = store.entries(read, BATCH).await?;
        let Some(last) = lines.last() else {
            // A review is sealed after its mails were sent.
            mails.retain(|(subject, _)| subjects.contains(subject));
            let mails = mails.into_iter().map(|(_, sha256)| sha256).collect();
            return Ok(Beside { mails, tokens });
        };
        read = last.head.number;
        for line in &lines {
            // A line that is not an entry names no mail.
            match serde_json::from_str::<Entry>(&line.text).map(|entry| entry.fact) {
                Ok(Fact::Recorded(review))
                    if review.bag.as_ref().is_some_and(|bag| folders.contains(bag.folder.as_str())) =>
                {
                    subjects.insert(review.run);
                }
                Ok(Fact::ReviewSealed(sealed)) if folders.contains(sealed.bag.folder.as_str()) => {
                    subjects.insert(sealed.review);
                }
                Ok(Fact::Timestamped(Timestamped { covers: Covers::Bag(bag), token, .. }))
                    if folders.contains(bag.folder.as_str()) =>
                {
                    tokens.push(token);
                }
                Ok(Fact::Delivery(delivery)) => {
                    mails.extend(delivery.run.or(delivery.review).map(|subject| (subject, delivery.sha256)));
                }
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
