//! From the mapped cells of a row to a record.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use chrono::NaiveDate;

use super::{
    Contents, ReadError,
    dates::{self, Order, Said},
    words::meaning,
};
use crate::model::{
    roster::{Field, Layout, Meaning, Record},
    word::Word,
};

/// Rows of a roster.
const MOST: usize = 1_000_000;
/// Characters of a cell that are kept.
const CELL: usize = 320;
/// Warnings that are kept one by one.
const WARNINGS: usize = 50;

/// Where a row is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Line(u64),
    Entry(usize),
    User(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
            Self::User(number) => write!(f, "user {number}"),
        }
    }
}

/// The mapped cells of one row.
#[derive(Debug)]
pub(super) struct Cells<'c> {
    place: Place,
    /// Whether the source says whether people work here at all.
    has_status: bool,
    /// The cells in the order of fields, empty where there is none.
    by_field: [Cow<'c, str>; Field::ALL.len()],
}

impl<'c> Cells<'c> {
    /// A row without cells.
    pub(super) fn at(place: Place, has_status: bool) -> Self {
        Self { place, has_status, by_field: [const { Cow::Borrowed("") }; Field::ALL.len()] }
    }

    pub(super) fn set(&mut self, field: Field, cell: Cow<'c, str>) {
        self.by_field[field as usize] = cell;
    }

    /// Makes every cell one line without blanks around it.
    fn tidy(&mut self) -> Result<(), ReadError> {
        for cell in self.by_field.iter_mut().filter(|cell| !is_tidy(cell)) {
            if cell.contains('\u{fffd}') {
                return Err(ReadError::Lost { place: self.place.to_string() });
            }
            *cell = Cow::Owned(tidy(cell));
        }
        Ok(())
    }

    fn take(&mut self, field: Field) -> Cow<'c, str> {
        std::mem::take(&mut self.by_field[field as usize])
    }
}

/// A date whose day and month can be exchanged, until every row was seen.
struct Unclear {
    /// The place of the record.
    record: usize,
    row: Place,
    /// `start` or `end`.
    field: &'static str,
    cell: Word,
}

/// The rows of a roster so far.
pub(super) struct Rows<'l> {
    name: Word,
    layout: &'l Layout,
    records: Vec<Record>,
    unclear: Vec<Unclear>,
    /// The columns that were kept.
    pub(super) columns: BTreeMap<Field, Vec<String>>,
    warnings: Vec<String>,
    more_warnings: usize,
    /// What the words of the status mean that were met so far.
    meanings: HashMap<Word, Meaning>,
    /// The texts that several rows may have in common.
    words: HashSet<Word>,
}

impl<'l> Rows<'l> {
    pub(super) fn new(name: &str, layout: &'l Layout) -> Self {
        Self {
            name: name.into(),
            layout,
            records: Vec::new(),
            unclear: Vec::new(),
            columns: BTreeMap::new(),
            warnings: Vec::new(),
            more_warnings: 0,
            meanings: HashMap::new(),
            words: HashSet::new(),
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
    pub(super) fn add(&mut self, mut row: Cells<'_>) -> Result<(), ReadError> {
        if self.records.len() >= MOST {
            return Err(ReadError::TooLarge(MOST));
        }
        row.tidy()?;
        let (place, has_status) = (row.place, row.has_status);
        let mut take = |field: Field| row.take(field);
        let (email, aliases) = (take(Field::Email), take(Field::Aliases));
        let (first, last) = (take(Field::First), take(Field::Last));
        let whole = take(Field::Name);
        let name = if whole.is_empty() { format!("{first} {last}").trim().to_owned() } else { whole.into_owned() };
        let addresses = self.addresses(place, &email, &aliases);
        let status = take(Field::Status);
        let (start, end) = (take(Field::Start), take(Field::End));
        let (department, title, manager) = (take(Field::Department), take(Field::Title), take(Field::Manager));
        let id = take(Field::Id).into_owned();
        let said = [&*name, &*status, &*department, &*title, &*start, &*end];
        let said = said.iter().filter(|text| !text.is_empty()).count();
        if addresses.is_empty() {
            if said < 2 || is_sum(&name) || is_sum(&email) {
                if said > 0 || !email.is_empty() {
                    self.warn(format!("{place} is not a row about a person, and is ignored"));
                }
                return Ok(());
            }
            self.warn(format!("{place} has no address at work, so no account can be matched with this person"));
        }
        let status = self.word(&status);
        let record = Record {
            roster: self.name.clone(),
            addresses,
            id,
            name,
            meaning: if has_status { self.meaning(&status) } else { Meaning::Unsaid },
            status,
            department: self.word(&department),
            title: self.word(&title),
            manager: match address(&manager) {
                Some(address) => self.word(&address),
                None => self.word(&manager),
            },
            start: self.day(&start, place, "start")?,
            end: self.day(&end, place, "end")?,
        };
        self.records.push(record);
        Ok(())
    }

    /// A text, in the memory of an equal one of another row.
    fn word(&mut self, text: &str) -> Word {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let word = Word::from(text);
        self.words.insert(word.clone());
        word
    }

    /// The day of a date, or none until the other rows show how dates are written.
    fn day(&mut self, cell: &str, row: Place, field: &'static str) -> Result<Option<NaiveDate>, ReadError> {
        let said = match self.layout.date_format.as_deref() {
            Some(format) if !cell.is_empty() => dates::read(cell, Some(format), Order::Any),
            _ => dates::clear(cell),
        };
        match said {
            Said::Nothing => Ok(None),
            Said::Day(day) => Ok(Some(day)),
            Said::Illegible if self.layout.date_format.is_some() => {
                Err(ReadError::Date { place: row.to_string(), field })
            }
            Said::Illegible => {
                let (record, cell) = (self.records.len(), self.word(cell));
                self.unclear.push(Unclear { record, row, field, cell });
                Ok(None)
            }
        }
    }

    /// What the word of a status means.
    fn meaning(&mut self, status: &Word) -> Meaning {
        if let Some(known) = self.meanings.get(status) {
            return *known;
        }
        let meaning = meaning(status, self.layout.current.as_deref());
        // Words repeat. A column in which they do not has no status.
        if self.meanings.len() < 1_000 {
            self.meanings.insert(status.clone(), meaning);
        }
        meaning
    }

    /// The addresses of a row, that at work first.
    fn addresses(&mut self, place: Place, email: &str, aliases: &str) -> Vec<String> {
        let mut addresses: Vec<String> = Vec::with_capacity(1);
        for address in split(email).chain(split(aliases)).filter_map(address) {
            if !addresses.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
                addresses.push(address);
            }
        }
        let may_lack = addresses.is_empty() || !aliases.is_empty();
        if may_lack && !email.is_empty() && split(email).all(|part| address(part).is_none()) && !is_none(email) {
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
        sort(&mut self.records);
        self.records.dedup();
        Ok(Contents { records: self.records, columns: self.columns, encoding, warnings: self.warnings })
    }

    fn dates(&mut self) -> Result<(), ReadError> {
        let cells: BTreeSet<&str> = self.unclear.iter().map(|unclear| unclear.cell.as_str()).collect();
        let order = dates::order(cells.iter().copied());
        // Dates repeat.
        let said: BTreeMap<&str, (bool, Said)> =
            cells.iter().map(|cell| (*cell, (dates::is_ambiguous(cell), dates::read(cell, None, order)))).collect();
        for Unclear { record, row, field, cell } in &self.unclear {
            let place = || row.to_string();
            let day = match said[cell.as_str()] {
                (true, _) if order == Order::Ambiguous => {
                    return Err(ReadError::AmbiguousDate { place: place(), field });
                }
                (_, Said::Nothing) => continue,
                (_, Said::Day(day)) => day,
                (_, Said::Illegible) => return Err(ReadError::Date { place: place(), field }),
            };
            let record = &mut self.records[*record];
            match *field {
                "start" => record.start = Some(day),
                _ => record.end = Some(day),
            }
        }
        for record in &mut self.records {
            // Without a word, the dates say it.
            if record.meaning == Meaning::Unknown && record.status.is_empty() && record.end.is_some() {
                record.meaning = Meaning::Unsaid;
            }
        }
        Ok(())
    }

    /// A manager who is named by number is replaced by the address of that person. A name stays a name.
    fn managers(&mut self) {
        let is_address = |text: &str| text.is_empty() || text.contains('@');
        let is_number = |text: &str| !is_address(text);
        if self.records.iter().all(|one| is_address(&one.manager) && (one.id.is_empty() || is_number(&one.id))) {
            return;
        }
        let mut by_id: HashMap<&str, Option<&str>> = HashMap::new();
        for record in self.records.iter().filter(|record| !record.id.is_empty()) {
            let address = record.addresses.first().map(String::as_str);
            by_id
                .entry(&record.id)
                .and_modify(|known| *known = known.filter(|one| Some(*one) == address))
                .or_insert(address);
        }
        let mut addresses: HashMap<&str, Word> = HashMap::new();
        let mut resolved = |record: &Record| {
            let (id, address) = by_id.get_key_value(record.manager.as_str())?;
            let address = (*address)?;
            Some(addresses.entry(*id).or_insert_with(|| address.into()).clone())
        };
        let resolved: Vec<Option<Word>> = self.records.iter().map(&mut resolved).collect();
        for (record, address) in self.records.iter_mut().zip(resolved) {
            if let Some(address) = address {
                record.manager = address;
            }
        }
    }

    /// Says which words of the status are not known.
    fn statuses(&mut self) {
        let mut unknown: BTreeMap<Word, usize> = BTreeMap::new();
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

/// Sorts records of one roster. The beginning of the address decides nearly always, and is quick to compare.
fn sort(records: &mut [Record]) {
    records.sort_by_cached_key(beginning);
    records
        .chunk_by_mut(|one, other| beginning(one) == beginning(other))
        .filter(|same| same.len() > 1)
        .for_each(<[Record]>::sort);
}

/// The first bytes of the first address: of two records, the lesser never has the greater one.
fn beginning(record: &Record) -> u128 {
    let mut bytes = [0; 16];
    let address = record.addresses.first().map_or(&[][..], String::as_bytes);
    bytes.iter_mut().zip(address).for_each(|(byte, own)| *byte = *own);
    u128::from_be_bytes(bytes)
}

/// Whether a cell is one line of plain letters without blanks around it, and not longer than anybody's.
fn is_tidy(cell: &str) -> bool {
    let mut before_is_blank = true;
    let all = cell.bytes().all(|byte| {
        let is_blank = byte == b' ';
        let is_plain = matches!(byte, b'!'..=b'~') || is_blank && !before_is_blank;
        before_is_blank = is_blank;
        is_plain
    });
    cell.is_empty() || all && !before_is_blank && cell.len() <= CELL
}

/// A cell on one line, without blanks around it, and not longer than anybody's.
fn tidy(cell: &str) -> String {
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
