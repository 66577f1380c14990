//! The audits of a period, for the formats of other people's tools.

use super::{ExportError, covered_entries, sound, unreadable};
use crate::{
    evidence::{
        consistency::ConsistencyReport,
        period::Period,
        storage::{Storage, bounded, join},
    },
    ledger::{Fact, fact::Recorded},
    report::exchange::AuditFacts,
};

/// The report in a bag.
const REPORT: &str = "data/reports/report.json";
/// The largest report that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// What the audits of a period said, the oldest first, and notes for the person who exports. They are read from the bags
/// that are kept; the evidence must be sound.
///
/// # Errors
/// [`ExportError`]
pub fn audits(
    storage: &dyn Storage,
    found: &ConsistencyReport,
    period: Period,
) -> Result<(Vec<AuditFacts>, Vec<String>), ExportError> {
    let mut notes = sound(storage, found, period)?;
    let mut audits = Vec::new();
    let mut without = 0_usize;
    for recorded in recorded(found, period)? {
        let there = recorded.bag.as_ref().filter(|bag| found.bags.iter().any(|there| there.folder == bag.folder));
        let Some(bag) = there else {
            without += 1;
            continue;
        };
        let key = join(&bag.folder, REPORT);
        let report = storage.get(&key).and_then(|file| bounded(file, LARGEST)).map_err(unreadable(storage, &key))?;
        let facts = AuditFacts::read(&report, bag.clone());
        audits.push(facts.map_err(|error| ExportError::Text(format!("{}: {error}", storage.place(&key))))?);
    }
    if without > 0 {
        notes.push(format!("{without} audits of the period are left out: no bag of them is kept"));
    }
    Ok((audits, notes))
}

/// The audits of a period, as the verified entries of the ledger name them.
fn recorded(found: &ConsistencyReport, period: Period) -> Result<impl Iterator<Item = &Recorded>, ExportError> {
    let entries = covered_entries(&found.attestation)?;
    Ok(entries.into_iter().filter_map(move |entry| match &entry.fact {
        Fact::Recorded(recorded) if period.holds(recorded) => Some(recorded),
        _ => None,
    }))
}
