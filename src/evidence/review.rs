//! The bag of a closed review, and whether the ledger says the same.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::storage::{Storage, join, read};
use crate::{
    digest::sha256,
    ledger::{Entry, Fact},
    review::event::Event,
};

/// The file of what was reviewed, below `data/`: canonical JSON, whose SHA-256 the first event states.
pub const POPULATION: &str = "population.json";
/// The file of everything that happened until the close, below `data/`: a line of canonical JSON for each event.
pub const EVENTS: &str = "events.jsonl";

/// An event as a line, with its end. These types can always be written.
pub fn line(at: DateTime<Utc>, event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("at".to_owned(), at.to_rfc3339_opts(SecondsFormat::Millis, true).into());
    }
    serde_json_canonicalizer::to_string(&value).unwrap_or_default() + "\n"
}

/// Where the bag of a review contradicts the ledger.
pub(super) fn differences<'a>(
    storage: &dyn Storage,
    folder: &str,
    review: Uuid,
    entries: impl Iterator<Item = &'a Entry>,
) -> Vec<String> {
    let data = |file: &str| read(storage, &join(folder, &format!("data/{file}"))).unwrap_or_default();
    let events: Vec<(u64, DateTime<Utc>, &Event)> = entries
        .filter_map(|entry| match &entry.fact {
            Fact::Review(told) if told.review == review => Some((entry.number, entry.at, &told.event)),
            _ => None,
        })
        .collect();
    let mut problems = Vec::new();
    if let Some((number, _, Event::Opened(opening))) = events.first()
        && sha256(&data(POPULATION)) != opening.population_sha256
    {
        problems.push(format!(
            "data/{POPULATION} is not what the review was opened for, as entry {number} of the ledger says"
        ));
    }
    let written = String::from_utf8(data(EVENTS)).unwrap_or_default();
    let mut lines = written.split_inclusive('\n');
    for (number, at, event) in events {
        if lines.next() != Some(&*line(at, event)) {
            problems.push(format!(
                "data/{EVENTS} differs from entry {number} of the ledger: a decision was changed, added or removed"
            ));
            return problems;
        }
        if matches!(event, Event::Closed(_)) {
            break;
        }
    }
    if lines.next().is_some() {
        problems.push(format!("data/{EVENTS} has more than the ledger: a decision was added"));
    }
    problems
}
