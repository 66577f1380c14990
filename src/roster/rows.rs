//! From the mapped cells of a row to a record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Contents, ReadError,
    dates::{self, Order, Said},
    words::meaning,
};
use crate::model::roster::{Field, Layout, Meaning, Record};

/// Rows of a roster.
const MOST: usize = 1_000_000;
/// Characters of a cell that are kept.
const CELL: usize = 320;
/// Warnings that are kept one by one.
const WARNINGS: usize = 50;

/// The mapped cells of one row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Where the row is: `line 7`.
    pub(super) place: String,
    /// The cells by field.
    pub(super) by_field: BTreeMap<Field, String>,
    /// Whether the source says whether people work here at all.
    pub(super) has_status: bool,
}

/// The rows of a roster so far.
pub(super) struct Rows<'l> {
    name: &'l str,
    layout: &'l Layout,
    records: Vec<Record>,
    /// Where each record is, and its dates as written.
    written: Vec<(String, [String; 2])>,
    /// The columns that were kept.
    pub(super) columns: BTreeMap<Field, Vec<String>>,
    warnings: Vec<String>,
    more_warnings: usize,
    /// What the words of the status mean that were met so far.
    meanings: HashMap<String, Meaning>,
}

impl<'l> Rows<'l> {
    pub(super) fn new(name: &'l str, layout: &'l Layout) -> Self {
        let (records, written, warnings) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            name,
            layout,
            records,
            written,
            columns: BTreeMap::new(),
            warnings,
            more_warnings: 0,
            meanings: HashMap::new(),
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS {
            self.warnings.push(warning);
        } else {
            self.more_warnings += 1;
        }
    }

    /// Adds a row. A row without any address and with next to nothing else is a note or a sum, and no person.
    pub(super) fn add(&mut self, row: Cells) -> Result<(), ReadError> {
        let Cells { place, by_field: mut cells, has_status } = row;
        if self.records.len() >= MOST {
            return Err(ReadError::TooLarge(MOST));
        }
        if cells.values().any(|cell| cell.contains('\u{fffd}')) {
            return Err(ReadError::Lost { place });
        }
        for cell in cells.values_mut() {
            *cell = tidy(std::mem::take(cell));
        }
        let mut take = |field: Field| cells.remove(&field).unwrap_or_default();
        let (email, aliases) = (take(Field::Email), take(Field::Aliases));
        let (first, last) = (take(Field::First), take(Field::Last));
        let whole = take(Field::Name);
        let name = if whole.is_empty() { format!("{first} {last}").trim().to_owned() } else { whole };
        let addresses = self.addresses(&place, &email, &aliases);
        let status = take(Field::Status);
        let (start, end) = (take(Field::Start), take(Field::End));
        let (department, title, manager) = (take(Field::Department), take(Field::Title), take(Field::Manager));
        let said = [&name, &status, &department, &title, &start, &end].iter().filter(|text| !text.is_empty()).count();
        if addresses.is_empty() {
            if said < 2 || is_sum(&name) || is_sum(&email) {
                if said > 0 || !email.is_empty() {
                    self.warn(format!("{place} is not a row about a person, and is ignored"));
                }
                return Ok(());
            }
            self.warn(format!("{place} has no address at work, so no account can be matched with this person"));
        }
        let meaning = if has_status { self.meaning(&status) } else { Meaning::Unsaid };
        self.written.push((place, [start, end]));
        self.records.push(Record {
            roster: self.name.to_owned(),
            addresses,
            id: take(Field::Id),
            name,
            status,
            meaning,
            department,
            title,
            manager: address(&manager).unwrap_or(manager),
            start: None,
            end: None,
        });
        Ok(())
    }

    /// What the word of a status means.
    fn meaning(&mut self, status: &str) -> Meaning {
        if let Some(known) = self.meanings.get(status) {
            return *known;
        }
        let meaning = meaning(status, self.layout.current.as_deref());
        // Words repeat. A column in which they do not has no status.
        if self.meanings.len() < 1_000 {
            self.meanings.insert(status.to_owned(), meaning);
        }
        meaning
    }

    /// The addresses of a row, that at work first.
    fn addresses(&mut self, place: &str, email: &str, aliases: &str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut addresses: Vec<String> = split(email).chain(split(aliases)).filter_map(address).collect();
        addresses.retain(|address| seen.insert(address.to_ascii_lowercase()));
        if !email.is_empty() && split(email).all(|part| address(part).is_none()) && !is_none(email) {
            self.warn(format!("{place}: the address at work is not an e-mail address"));
        }
        addresses
    }

    /// The records, after everything is known that concerns several rows: the order of day and month, and who has which
    /// number.
    pub(super) fn finish(mut self, encoding: &'static str) -> Result<Contents, ReadError> {
        self.dates()?;
        self.managers();
        self.statuses();
        if self.more_warnings > 0 {
            self.warnings.push(format!("and {} more", self.more_warnings));
        }
        self.records.sort();
        self.records.dedup();
        Ok(Contents { records: self.records, columns: self.columns, encoding, warnings: self.warnings })
    }

    fn dates(&mut self) -> Result<(), ReadError> {
        let format = self.layout.date_format.as_deref();
        let cells = || self.written.iter().flat_map(|(_, cells)| cells.iter().map(String::as_str));
        let order = if format.is_some() { Order::Any } else { dates::order(cells()) };
        for ((place, cells), record) in self.written.iter().zip(&mut self.records) {
            for (cell, field) in cells.iter().zip(["start", "end"]) {
                if order == Order::Ambiguous && dates::is_ambiguous(cell) {
                    return Err(ReadError::AmbiguousDate { place: place.clone(), field });
                }
                let day = match dates::read(cell, format, order) {
                    Said::Nothing => continue,
                    Said::Day(day) => day,
                    Said::Illegible => return Err(ReadError::Date { place: place.clone(), field }),
                };
                match field {
                    "start" => record.start = Some(day),
                    _ => record.end = Some(day),
                }
            }
            // Without a word, the dates say it.
            if record.meaning == Meaning::Unknown && record.status.is_empty() && record.end.is_some() {
                record.meaning = Meaning::Unsaid;
            }
        }
        Ok(())
    }

    /// A manager who is named by number is replaced by the address of that person. A name stays a name.
    fn managers(&mut self) {
        let mut by_id: HashMap<&str, Option<&str>> = HashMap::new();
        for record in self.records.iter().filter(|record| !record.id.is_empty()) {
            let address = record.addresses.first().map(String::as_str);
            by_id
                .entry(&record.id)
                .and_modify(|known| *known = known.filter(|one| Some(*one) == address))
                .or_insert(address);
        }
        let resolved = |record: &Record| by_id.get(record.manager.as_str()).copied().flatten().map(str::to_owned);
        let resolved: Vec<Option<String>> = self.records.iter().map(resolved).collect();
        for (record, address) in self.records.iter_mut().zip(resolved) {
            if let Some(address) = address {
                record.manager = address;
            }
        }
    }

    /// Says which words of the status are not known.
    fn statuses(&mut self) {
        let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
        for record in self.records.iter().filter(|record| record.meaning == Meaning::Unknown) {
            *unknown.entry(record.status.clone()).or_default() += 1;
        }
        for (status, people) in unknown {
            let rows = if people == 1 { "1 row".to_owned() } else { format!("{people} rows") };
            self.warn(match status.as_str() {
                "" => format!("{rows} without a status: whether these people work here is not known"),
                _ => format!(
                    "the status “{status}” of {rows} is not known; list the values that mean “works here” in `current`"
                ),
            });
        }
    }
}

/// A cell on one line, without blanks around it, and not longer than anybody's.
fn tidy(cell: String) -> String {
    let is_plain = |bytes: &[u8]| bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) && !bytes.starts_with(b" ");
    if cell.len() <= CELL && is_plain(cell.as_bytes()) && !cell.ends_with(' ') && !cell.contains("  ") {
        return cell;
    }
    let is_unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let words: Vec<&str> = cell.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !is_unseen(*c) && !c.is_control()).take(CELL).collect()
}

fn split(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([';', ',', ' ', '|']).filter(|part| !part.is_empty())
}

/// An address, without the mark of a protocol before it. A guest of another organization has its address in another form:
/// `ana_example.com#EXT#@tenant.onmicrosoft.com`.
fn address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"', '\'']);
    let marked = ["mailto:", "smtp:"]
        .iter()
        .find(|mark| text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)));
    let text = marked.map_or(text, |mark| text[mark.len()..].trim());
    if text.contains(' ') {
        return None;
    }
    if let Some((guest, _)) = text.split_once("#EXT#@") {
        let (name, domain) = guest.rsplit_once('_')?;
        return Some(format!("{name}@{domain}"));
    }
    let (name, domain) = text.rsplit_once('@')?;
    (!name.is_empty() && domain.contains('.')).then(|| text.to_owned())
}

fn is_none(cell: &str) -> bool {
    matches!(cell.to_lowercase().as_str(), "-" | "--" | "n/a" | "na" | "none" | "null")
}

/// Whether a cell begins a line of sums or a note below the table.
pub(super) fn is_sum(cell: &str) -> bool {
    let lower = cell.to_lowercase();
    let word = lower.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    ["total", "totals", "sum", "summe", "gesamt", "subtotal", "count", "grand", "report"].contains(&word)
}
