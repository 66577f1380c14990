//! The bag of a closed review, and whether the ledger says the same.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{
    signers::Allowed,
    storage::{Storage, join, read},
};
use crate::{
    digest::sha256,
    ledger::{Entry, Fact},
    review::{
        event::{Decided, Event, Sheet},
        person::Address,
    },
};

/// The file of what was reviewed, below `data/`: canonical JSON, whose SHA-256 the first event states.
pub const POPULATION: &str = "population.json";
/// The file of everything that happened until the close, below `data/`: a line of canonical JSON for each event.
pub const EVENTS: &str = "events.jsonl";

/// The folder of the spreadsheets that people decided with, below `data/`.
const SHEETS: &str = "sheets";
/// The keys of those who signed a spreadsheet, below `data/`: an `allowed_signers` file.
pub const SHEET_SIGNERS: &str = "sheets/allowed_signers";
/// The namespace in which a person signs a spreadsheet.
pub const SHEET_NAMESPACE: &str = "rolecall-review";

/// A spreadsheet that events name.
#[derive(Debug)]
pub struct Cited<'a> {
    /// Its place among the spreadsheets of the review, from one.
    number: usize,
    /// Its digest, and who signed it.
    pub sheet: &'a Sheet,
    /// Who decided with it.
    by: &'a Address,
    /// When.
    at: DateTime<Utc>,
}

impl Cited<'_> {
    /// Its file, below `data/`. The signature is beside it, as `ssh-keygen` names it: with `.sig` after the name.
    pub fn path(&self, is_workbook: bool) -> String {
        format!("{SHEETS}/{:03}.{}", self.number, if is_workbook { "xlsx" } else { "csv" })
    }

    /// What is wrong with the file and its signature. Nothing if the bag does not have it: bags of earlier versions have none.
    fn differences(&self, data: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<String> {
        let paths = [self.path(true), self.path(false)];
        let found = paths.into_iter().find_map(|path| data(&path).map(|content| (path, content)));
        let Some((path, content)) = found else { return Vec::new() };
        if sha256(&content) != self.sheet.sha256 {
            return vec![format!("data/{path} is not the spreadsheet that {} decided with", self.by)];
        }
        let Some(signed_by) = &self.sheet.signed_by else { return Vec::new() };
        let signers = data(SHEET_SIGNERS).unwrap_or_default();
        let signers = String::from_utf8_lossy(&signers);
        let allowed = Allowed::parse_for(self.by.as_str(), SHEET_NAMESPACE, &signers, self.at);
        let why = match allowed.verify(&content, &data(&format!("{path}.sig")).unwrap_or_default()) {
            Ok(signer) if signer == *signed_by => return Vec::new(),
            Ok(signer) => format!("it is of {signer}, and the ledger says {signed_by}"),
            Err(why) => why,
        };
        vec![format!("the signature of data/{path} by {} is not valid: {why}", self.by)]
    }
}

/// The spreadsheets that events name, each once.
pub fn cited<'a>(events: impl Iterator<Item = (DateTime<Utc>, &'a Event)>) -> Vec<Cited<'a>> {
    let mut cited: Vec<Cited<'a>> = Vec::new();
    for (at, event) in events {
        let Event::Decided(Decided { sheet: Some(sheet), by, .. }) = event else { continue };
        // All decisions of a file follow each other.
        if !cited.iter().rev().any(|known| known.sheet == sheet) {
            cited.push(Cited { number: cited.len() + 1, sheet, by, at });
        }
    }
    cited
}

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
    let sheets = cited(events.iter().map(|(_, at, event)| (*at, *event)));
    let file = |file: &str| read(storage, &join(folder, &format!("data/{file}"))).ok();
    let mut problems: Vec<String> = sheets.iter().flat_map(|cited| cited.differences(file)).collect();
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
