//! Asks timestamp authorities about what is sealed: each bag, and the ledger from time to time. What waits follows from the
//! ledger, so that nothing is forgotten by a restart. Nothing else waits for an authority.

use std::{collections::BTreeSet, io};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ledger::{WriteError, write_out},
    vault::Vault,
};
use crate::{
    clock::Clock,
    evidence::{
        ledger::LedgerError,
        storage::Storage,
        timestamps::{self, Covered},
    },
    ledger::{
        Entry, Fact,
        fact::{BagName, Covers, Timestamped},
    },
    store::Database,
    timestamp::authorities::{Authorities, Mode, Unstamped},
};

/// Entries that are read at a time.
const BATCH: u32 = 500;
/// Bags that one pass asks about. Some authorities allow few requests.
const MOST: usize = 20;
/// How soon the rest is asked about.
const REST: TimeDelta = TimeDelta::minutes(1);
/// Before the ledger has a timestamp, only bags of this age get one of their own: the ledger's covers the others.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// The least time between two timestamps of the ledger. A day is somewhat shorter than 24 hours, so that a daily audit that
/// takes a minute less than the day before still gets its timestamp.
fn pause(mode: Mode) -> TimeDelta {
    match mode {
        Mode::Each => TimeDelta::hours(1),
        Mode::Daily => TimeDelta::hours(23),
    }
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct Pass {
    /// The timestamps that were given.
    pub given: Vec<Timestamped>,
    /// Why not everything that was asked about got one; `None` if it did.
    pub waits: Option<Waits>,
    /// When there is more to ask about, even if nothing happens until then.
    pub next: Option<DateTime<Utc>>,
}

/// What waits for a timestamp because no authority gives one.
#[derive(Debug)]
pub struct Waits {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: Unstamped,
}

/// Asks about everything that waits for a timestamp. `None` if no authority is configured.
///
/// # Errors
/// [`WriteError`]; what was given until then is kept.
pub async fn pass(store: &dyn Database, vault: &Vault, clock: &Clock) -> Result<Option<Pass>, WriteError> {
    let Some(authorities) = &vault.timestamps else { return Ok(None) };
    let asking = Asking { store, vault, authorities, clock };
    let mut pass = Pass::default();
    asking.all(&mut pass).await?;
    if !pass.given.is_empty() {
        write_out(store, vault, clock.now()).await?;
    }
    Ok(Some(pass))
}

/// What happened since the last timestamp of the ledger.
#[derive(Debug, Default)]
struct Since {
    /// Bags without a timestamp, with the time of their entries.
    bags: Vec<(BagName, DateTime<Utc>)>,
    /// When the first entry was written that is not about a timestamp.
    first: Option<DateTime<Utc>>,
}

struct Asking<'a> {
    store: &'a dyn Database,
    vault: &'a Vault,
    authorities: &'a Authorities,
    clock: &'a Clock,
}

impl Asking<'_> {
    async fn all(&self, pass: &mut Pass) -> Result<(), WriteError> {
        let last = self.store.last(Fact::TIMESTAMPED, Fact::LEDGER).await?;
        let covered = last.as_ref().and_then(|entry| match &entry.fact {
            Fact::Timestamped(Timestamped { covers: Covers::Ledger(head), .. }) => Some(head.number),
            _ => None,
        });
        let mut since = self.since(covered.unwrap_or(0)).await?;
        let Some(first) = since.first else { return Ok(()) };
        let now = self.clock.now();
        if covered.is_none() {
            since.bags.retain(|(_, at)| *at >= now - RECENT);
        }
        if self.authorities.mode == Mode::Each {
            for (place, (bag, at)) in since.bags.iter().enumerate() {
                if place == MOST {
                    pass.next = Some(now + REST);
                    return Ok(());
                }
                // A bag that was changed or removed is for verification.
                let Ok(covered) = timestamps::bag(self.storage(), bag) else { continue };
                if !self.ask(&covered, *at, pass).await? {
                    return Ok(());
                }
            }
        }
        let due = last.map(|last| last.at + pause(self.authorities.mode)).filter(|due| *due > now);
        if due.is_some() {
            pass.next = due;
            return Ok(());
        }
        let head = write_out(self.store, self.vault, now).await?;
        let covered = timestamps::ledger(self.storage(), &head).map_err(|source| self.failed(source))?;
        match covered {
            Some(covered) => {
                self.ask(&covered, first, pass).await?;
            }
            // Another process has just written a later entry.
            None => pass.next = Some(now + REST),
        }
        Ok(())
    }

    /// Asks about one thing; returns whether a timestamp was given.
    async fn ask(&self, covered: &Covered, since: DateTime<Utc>, pass: &mut Pass) -> Result<bool, WriteError> {
        let stamp = match self.authorities.stamp(&covered.data, || self.clock.now()).await {
            Ok(stamp) => stamp,
            Err(reason) => {
                pass.waits = Some(Waits { since, reason });
                return Ok(false);
            }
        };
        let given = timestamps::keep(self.storage(), covered, &stamp).map_err(|source| self.failed(source))?;
        self.store.append(&[Fact::Timestamped(given.clone())], self.clock.now()).await?;
        pass.given.push(given);
        Ok(true)
    }

    /// Reads the entries after a number.
    async fn since(&self, after: u64) -> Result<Since, WriteError> {
        let (mut since, mut read, mut done) = (Since::default(), after, BTreeSet::new());
        loop {
            let lines = self.store.entries(read, BATCH).await?;
            let Some(last) = lines.last() else { break };
            read = last.head.number;
            // A line that is not an entry names nothing.
            for entry in lines.iter().filter_map(|line| serde_json::from_str::<Entry>(&line.text).ok()) {
                match entry.fact {
                    Fact::Timestamped(Timestamped { covers: Covers::Bag(bag), .. }) | Fact::BagRemoved { bag, .. } => {
                        done.insert(bag.folder);
                        continue;
                    }
                    Fact::Timestamped(_) => continue,
                    Fact::Recorded(recorded) => since.bags.extend(recorded.bag.map(|bag| (bag, entry.at))),
                    Fact::BagOfFailure { bag, .. } => since.bags.push((bag, entry.at)),
                    Fact::ReviewSealed(sealed) => since.bags.push((sealed.bag, entry.at)),
                    _ => {}
                }
                since.first.get_or_insert(entry.at);
            }
        }
        since.bags.retain(|(bag, _)| !done.contains(&bag.folder));
        Ok(since)
    }

    fn storage(&self) -> &dyn Storage {
        &*self.vault.storage
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::of(self.storage(), timestamps::FOLDER, source)
    }
}
