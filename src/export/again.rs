//! An export, made again from its own ledger and bags: coverage, README and script must be what they were, and nothing else
//! may be there. Whoever has the key can seal anything; this finds what does not follow from the evidence.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::{Export, ExportError, LATE_AFTER, covered_entries, unreadable};
use crate::{
    evidence::{
        consistency::ConsistencyReport,
        export::Source,
        inventory, mail,
        period::{PERIOD, Stated},
        seal::{SUMS, SUMS_SIGNATURE},
        storage::{Kind, Storage, has, join, read},
        timestamps,
    },
    ledger::{Entry, Fact, fact::BagName},
};

const TABLE: &str = "coverage.csv";
const PAGE: &str = "coverage.html";
const README: &str = "README.txt";
/// The columns of the table that another version may word differently.
const WORDED: [&str; 1] = ["reason"];
/// The days before the end of what an older export covers that are tried: it does not state that day.
const DAYS: i64 = 400;

/// An export, compared with what its evidence gives.
#[derive(Debug, Default)]
pub struct Remade {
    /// What does not follow from the evidence.
    pub problems: Vec<String>,
    /// Files that were not compared byte for byte, and why; empty if all were.
    pub other: Option<String>,
}

/// Makes a sealed export again, as `build`, and compares. The export must be sound by its seals.
///
/// # Errors
/// [`ExportError`]
pub fn check(storage: &dyn Storage, found: &ConsistencyReport, build: &str) -> Result<Remade, ExportError> {
    let bytes = read(storage, PERIOD).map_err(unreadable(storage, PERIOD))?;
    let stated: Stated = match serde_json::from_slice(&bytes) {
        Ok(stated) => stated,
        Err(error) => return Ok(Remade { problems: vec![format!("{PERIOD}: {error}")], other: None }),
    };
    let is_signed = has(storage, SUMS_SIGNATURE).map_err(unreadable(storage, SUMS_SIGNATURE))?;
    let entries = covered_entries(&found.attestation)?;
    let mut bags = inventory::digests(storage).map_err(unreadable(storage, ""))?;
    if stated.known_at.is_none() {
        bags.extend(elsewhere(&entries, &stated));
    }
    let end = stated.period.to + LATE_AFTER;
    let last = entries.last().map_or(end, |last| last.at);
    let mut remade = Remade::default();
    let moments = match stated.known_at {
        Some(known_at) if known_at > end || known_at < last.min(end) => {
            remade.problems.push(format!("{PERIOD} states that the period is covered until {known_at}, which does not fit the period and the ledger"));
            return Ok(remade);
        }
        Some(known_at) => vec![known_at],
        None => moments(last, end),
    };
    let is_ours = stated.made_by.as_deref() == Some(build);
    let mut export = None;
    for moment in moments {
        let made = Export::made(storage, found, &stated, &bags, is_signed, moment)?;
        let is_same = table_differs(storage, &made, is_ours)?.is_none();
        export = Some(made);
        if is_same {
            break;
        }
    }
    let Some(export) = export else { return Ok(remade) };
    remade.compare(storage, &export, &stated, is_ours)?;
    remade.problems.extend(strays(storage, &export)?);
    Ok(remade)
}

impl Remade {
    fn compare(
        &mut self,
        storage: &dyn Storage,
        export: &Export,
        stated: &Stated,
        is_ours: bool,
    ) -> Result<(), ExportError> {
        let mut other = Vec::new();
        for (name, source) in &export.contents {
            let Source::Text(made) = source else { continue };
            if !is_ours && !has(storage, name).map_err(unreadable(storage, name))? {
                // An earlier version had no such file.
                other.push(name.as_str());
                continue;
            }
            let there = read(storage, name).map_err(unreadable(storage, name))?;
            let differs = match name.as_str() {
                TABLE => table_differs(storage, export, is_ours)?,
                // Another version may have written it differently, with the same meaning.
                PERIOD | PAGE | README | "verify.sh" if !is_ours && there != *made => {
                    other.push(name.as_str());
                    None
                }
                _ if there != *made => Some(format!("{name} is not what the ledger and the bags give")),
                _ => None,
            };
            self.problems.extend(differs);
        }
        other.retain(|name| *name != PERIOD);
        if !is_ours && let Some(said) = counts(&read(storage, README).map_err(unreadable(storage, README))?) {
            let ours = [export.due, export.gaps, export.bags];
            if said != ours {
                let [due, gaps, bags] = ours;
                self.problems.push(format!(
                    "{README} is not what the ledger and the bags give: they give {due} due, {gaps} gaps and {bags} bags"
                ));
            }
        }
        if !other.is_empty() {
            let made_by = stated.made_by.as_deref().unwrap_or("an older rolecall, which did not state its build");
            self.other = Some(format!(
                "{TABLE} follows from the ledger and the bags; {} were not compared: they were written by {made_by}. Use that build to compare them",
                other.join(", ")
            ));
        }
        Ok(())
    }
}

/// When an older export may have been made: with the last entry, after its period, or on a later day without an entry.
fn moments(last: DateTime<Utc>, end: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut moments = vec![last.min(end), end];
    let midnight = |day: i64| (last + Duration::days(day)).date_naive().and_time(NaiveTime::MIN).and_utc();
    moments.extend((1..DAYS).map(midnight).take_while(|moment| *moment < end));
    moments
}

/// The bags of other periods, which an older export does not have and took as they were.
fn elsewhere<'a>(entries: &'a [&'a Entry], stated: &'a Stated) -> impl Iterator<Item = (String, String)> + use<'a> {
    let of_others = entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Recorded(recorded) if !stated.period.holds(recorded) => recorded.bag.as_ref(),
        _ => None,
    });
    of_others.map(|BagName { folder, sha256 }| (folder.clone(), sha256.clone()))
}

/// How the table differs from the one that follows; `None` if it does not.
fn table_differs(storage: &dyn Storage, export: &Export, is_ours: bool) -> Result<Option<String>, ExportError> {
    let there = read(storage, TABLE).map_err(unreadable(storage, TABLE))?;
    let made = export.contents.iter().find_map(|(name, source)| match source {
        Source::Text(text) if name == TABLE => Some(text.as_slice()),
        _ => None,
    });
    let made = made.unwrap_or_default();
    if there == made {
        return Ok(None);
    }
    let is_same = !is_ours && facts(&there).is_some_and(|facts| Some(facts) == self::facts_like(made, &there));
    Ok((!is_same).then(|| format!("{TABLE} is not what the ledger and the bags give")))
}

/// The cells of a table by column, without those that may be worded differently.
type Facts = Vec<BTreeMap<String, String>>;

fn facts(table: &[u8]) -> Option<Facts> {
    facts_like(table, table)
}

/// The cells of a table in the columns that another table has too.
fn facts_like(table: &[u8], other: &[u8]) -> Option<Facts> {
    let wanted: BTreeSet<String> = csv::Reader::from_reader(other).headers().ok()?.iter().map(str::to_owned).collect();
    let mut table = csv::Reader::from_reader(table);
    let columns = table.headers().ok()?.clone();
    if !wanted.iter().all(|column| columns.iter().any(|name| name == column)) {
        return None;
    }
    let is_fact = |column: &str| wanted.contains(column) && !WORDED.contains(&column);
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.ok()?;
        let cells = columns.iter().zip(&row).filter(|(column, _)| is_fact(column));
        Some(cells.map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect())
    };
    table.records().map(row).collect()
}

/// The numbers of due reviews, gaps and bags in a README; `None` if it is of a version that words it otherwise.
fn counts(readme: &[u8]) -> Option<[usize; 3]> {
    let text = String::from_utf8_lossy(readme);
    let line = text.lines().find(|line| line.contains(" due review") && line.contains(" gap"))?;
    let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

/// Files that an export of this period would not have.
fn strays(storage: &dyn Storage, export: &Export) -> Result<Vec<String>, ExportError> {
    let belongs = |name: &str| {
        [SUMS, SUMS_SIGNATURE].contains(&name) || export.contents.iter().any(|(content, _)| content == name)
    };
    let mut strays = Vec::new();
    for item in storage.list("").map_err(unreadable(storage, ""))? {
        let is_folder = item.kind == Kind::Folder;
        if is_folder && [mail::FOLDER, timestamps::FOLDER].contains(&item.name.as_str()) {
            let files = storage.list(&item.name).map_err(unreadable(storage, &item.name))?;
            strays.extend(files.into_iter().map(|file| join(&item.name, &file.name)).filter(|file| !belongs(file)));
        } else if !belongs(&item.name) {
            strays.push(item.name);
        }
    }
    let said =
        |name| format!("{name} does not belong to an export of this period: no entry of the ledger names it for it");
    Ok(strays.into_iter().map(said).collect())
}
