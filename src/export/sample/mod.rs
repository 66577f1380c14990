//! A sample of a period for an auditor: a draw that anybody can repeat, and for each item the way from what the API answered
//! to what people decided and what was done.
//!
//! It is made from the ledger and the kept bags alone. Every file that it quotes is compared with its sealed digest first.

mod audit;
mod draw;
mod page;
mod people;
mod raw;
mod step;
#[cfg(test)]
mod tests;
mod trace;

use std::io;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use self::draw::Of;
use self::{
    audit::Audits,
    draw::Candidate,
    people::ByPeople,
    step::{Step, cell},
    trace::World,
};
use super::{ExportError, covered_entries, defect, sound};
use crate::{
    digest::sha256,
    evidence::{consistency::ConsistencyReport, period::Period, storage::Storage},
};

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// From which days.
    pub period: Period,
    /// From which population.
    pub of: Of,
    /// How many items.
    pub n: usize,
    /// What the draw depends on. The auditor names it.
    pub seed: String,
}

/// A sample.
#[derive(Debug)]
pub struct Sample {
    /// How many items the population has.
    pub population: usize,
    /// How many were drawn: fewer than wanted if the population is smaller.
    pub drawn: usize,
    /// What the person who draws should know.
    pub notes: Vec<String>,
    /// The files, by name.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What `sample.json` says.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: &'static str,
    of: &'static str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    seed: &'a str,
    n: usize,
    population: usize,
    population_sha256: &'a str,
    ledger: String,
    items: &'a [Trace],
}

/// One drawn item.
#[derive(Debug, Serialize)]
struct Trace {
    /// Its place in the draw, from 1.
    number: usize,
    /// What identifies it in the population.
    id: String,
    /// What orders the population.
    draw_sha256: String,
    /// What it is, for people.
    title: String,
    /// The name of its page.
    page: String,
    /// The way through the evidence.
    steps: Vec<Step>,
}

/// Draws a sample from evidence that is sound.
///
/// # Errors
/// [`ExportError`]
pub fn draw(
    storage: &dyn Storage,
    found: &ConsistencyReport,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Sample, ExportError> {
    let mut notes = sound(storage, found, wanted.period)?;
    let entries = covered_entries(&found.attestation)?;
    let unreadable = |source| ExportError::Unreadable { place: storage.place(""), source };
    let audits = Audits::of(&entries, found);
    let (population, more) = draw::population(storage, found, (&audits, wanted), now).map_err(unreadable)?;
    notes.extend(more);
    let lines: String = population.iter().map(|one| one.id.clone() + "\n").collect();
    let drawn = draw::drawn(&population, &wanted.seed, wanted.n);
    let reviews = ByPeople::all(storage, found, &entries).map_err(unreadable)?;
    let world = World { storage, entries: &entries, audits: &audits, reviews: &reviews };
    let items = drawn.into_iter().enumerate();
    let items = items.map(|(place, (digest, candidate))| trace(&world, place + 1, digest, candidate));
    let items: Vec<Trace> = items.collect::<io::Result<_>>().map_err(unreadable)?;
    let population_sha256 = sha256(lines.as_bytes());
    let document = Document {
        schema_version: "1.0",
        of: wanted.of.word(),
        from: wanted.period.from,
        to: wanted.period.to,
        seed: &wanted.seed,
        n: wanted.n,
        population: population.len(),
        population_sha256: &population_sha256,
        ledger: found.attestation.head().to_string(),
        items: &items,
    };
    let mut json = serde_json::to_vec_pretty(&document).map_err(defect)?;
    json.push(b'\n');
    let mut files = vec![
        ("sample.json".to_owned(), json),
        ("sample.csv".to_owned(), table(&items).map_err(unreadable)?),
        ("population.txt".to_owned(), lines.into_bytes()),
        ("draw.py".to_owned(), include_bytes!("../../../templates/evidence/sample/draw.py").to_vec()),
        ("index.html".to_owned(), page::index(&document, now).map_err(defect)?.into_bytes()),
    ];
    for item in &items {
        files.push((item.page.clone(), page::item(&document, item).map_err(defect)?.into_bytes()));
    }
    Ok(Sample { population: population.len(), drawn: items.len(), notes, files })
}

fn trace(world: &World<'_>, number: usize, digest: String, candidate: &Candidate) -> io::Result<Trace> {
    Ok(Trace {
        number,
        id: candidate.id.clone(),
        draw_sha256: digest,
        title: candidate.title.clone(),
        page: format!("item-{number:02}.html"),
        steps: trace::steps(world, candidate)?,
    })
}

/// `sample.csv`: one row for each place in the evidence that an item leads to.
fn table(items: &[Trace]) -> io::Result<Vec<u8>> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    csv.write_record([
        "number",
        "item",
        "what",
        "draw_sha256",
        "step",
        "says",
        "audit",
        "bag",
        "bag_sha256",
        "file",
        "place",
        "file_sha256",
    ])?;
    for item in items {
        for step in &item.steps {
            let mut row = |places: [&str; 6]| {
                let first =
                    [&item.number.to_string(), &item.id, &item.title, &item.draw_sha256, step.title, &step.says];
                csv.write_record(first.into_iter().chain(places).map(cell))
            };
            if step.places.is_empty() {
                row([""; 6])?;
            }
            for place in &step.places {
                let audit = place.audit.map(|audit| audit.to_string()).unwrap_or_default();
                let bag = place.bag.as_ref();
                let (bag, bag_sha256) = bag.map_or(("", ""), |bag| (bag.folder.as_str(), bag.sha256.as_str()));
                let sha256 = place.sha256.as_deref().unwrap_or_default();
                row([&audit, bag, bag_sha256, &place.file, &place.at, sha256])?;
            }
        }
    }
    csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
}
