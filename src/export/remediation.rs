//! What was carried out of the decisions of closed reviews by people: also what was proven after their bags were sealed.

use std::{collections::BTreeSet, io};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    evidence::{
        review::POPULATION,
        storage::{Storage, join, read},
    },
    ledger::{Entry, Fact},
    report::review::FILES,
    review::{event::Event, state::Review},
};

/// The table of a review's bag that says what was carried out.
const TABLE: &str = "remediation.csv";

/// For each review whose bag is in an export: the name of a file and the table as of the last entry.
///
/// # Errors
/// If a bag cannot be read, or the ledger's events cannot have happened.
pub(super) fn tables(
    storage: &dyn Storage,
    entries: &[&Entry],
    bags: &BTreeSet<String>,
) -> io::Result<Vec<(String, Vec<u8>)>> {
    let now = entries.last().map_or(DateTime::<Utc>::UNIX_EPOCH, |last| last.at);
    let mut tables = Vec::new();
    for entry in entries {
        let Fact::ReviewSealed(sealed) = &entry.fact else { continue };
        if !bags.contains(&sealed.bag.folder) {
            continue;
        }
        let population = read(storage, &join(&sealed.bag.folder, &format!("data/{POPULATION}")))?;
        let events = events(entries, sealed.review);
        let review = Review::replay(sealed.review, serde_json::from_slice(&population)?, events);
        let review = review.map_err(io::Error::other)?;
        let Some((_, write)) = FILES.iter().find(|(name, _)| *name == TABLE) else { continue };
        let mut table = Vec::new();
        write(&review, now, &mut table)?;
        tables.push((format!("remediation_{}.csv", sealed.bag.folder), table));
    }
    Ok(tables)
}

fn events<'a>(entries: &'a [&'a Entry], review: Uuid) -> impl Iterator<Item = (DateTime<Utc>, &'a Event)> {
    entries.iter().filter_map(move |entry| match &entry.fact {
        Fact::Review(told) if told.review == review => Some((entry.at, &told.event)),
        _ => None,
    })
}
