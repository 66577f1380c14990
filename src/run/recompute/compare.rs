//! What is recomputed, compared with what a bag has.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    path::Path,
};

use chrono::{DateTime, Duration, Utc};
use flate2::read::GzDecoder;

use crate::{
    evidence::storage::{Storage, join},
    model::reading::Reading,
    run::bag::answers::{Line, in_order, is_gzip},
};

/// How far the times of calls may be outside their read: the clock is read separately for each.
const SLACK: Duration = Duration::seconds(1);

/// The bag that is compared.
pub(super) struct Bag<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) folder: &'a str,
}

impl Bag<'_> {
    /// Opens a file, decompressed.
    fn open(&self, file: &str) -> io::Result<Box<dyn Read>> {
        let reader = BufReader::new(self.storage.get(&join(self.folder, file))?);
        Ok(if is_gzip(file) { Box::new(GzDecoder::new(reader)) } else { Box::new(reader) })
    }
}

/// A file, and whether it follows from the answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// The file, inside the bag.
    pub file: String,
    /// Where it differs; `None` if it is the same.
    pub difference: Option<String>,
    /// How much was compared.
    pub extent: String,
    /// Whether another build of rolecall may word or lay it out differently with the same meaning.
    pub is_wording: bool,
}

/// Compares a file of a bag, decompressed, with what `write` writes, byte for byte.
///
/// # Errors
/// If it cannot be read or written.
pub(super) fn file(
    bag: &Bag<'_>,
    name: &str,
    is_wording: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Compared> {
    let mut comparing = Comparing { reported: BufReader::new(bag.open(name)?), line: 1, bytes: 0, differs_at: None };
    write(&mut comparing)?;
    comparing.end()?;
    let Comparing { line, bytes, differs_at, .. } = comparing;
    let is_text = Path::new(name).extension().is_none_or(|extension| extension != "xlsx");
    let where_from =
        |line: u64| if is_text { format!("from line {line}") } else { "it is another workbook".to_owned() };
    let difference = differs_at.map(where_from);
    let extent = if is_text { format!("{} lines", line - 1) } else { format!("{bytes} bytes") };
    Ok(Compared { file: name.to_owned(), difference, extent, is_wording })
}

/// Whether two tables differ at most in the text of a column: another build may word it differently.
///
/// # Errors
/// If one cannot be read.
pub(super) fn is_reworded(bag: &Bag<'_>, name: &str, column: &str, recomputed: &[u8]) -> io::Result<bool> {
    let rows = |table: &mut dyn Read| -> io::Result<Vec<Vec<String>>> {
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
        let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().map_err(io::Error::other)?;
        let place = rows.first().and_then(|header| header.iter().position(|cell| cell == column));
        let rest = |row: &csv::StringRecord| {
            row.iter().enumerate().filter(|(at, _)| Some(*at) != place).map(|(_, cell)| cell.to_owned()).collect()
        };
        Ok(rows.iter().map(rest).collect())
    };
    // Other words for the same rows are not many times longer.
    let most = (recomputed.len() as u64).saturating_mul(8).saturating_add(1 << 20);
    let (reported, mut recomputed) = (rows(&mut bag.open(name)?.take(most))?, recomputed);
    Ok(reported == rows(&mut recomputed)?)
}

/// Compares `bag-info.txt` with the expected fields.
pub(super) fn info(text: &str, expected: &[(&'static str, String)]) -> Compared {
    let is_said = |(name, value): &&(&'static str, String)| {
        let value =
            value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        text.lines().any(|line| line == format!("{name}: {value}"))
    };
    Compared {
        file: "bag-info.txt".to_owned(),
        difference: expected.iter().find(|one| !is_said(one)).map(|(name, _)| format!("its {name}")),
        extent: format!("{} fields", expected.len()),
        is_wording: false,
    }
}

/// Whether an index of answers is in order, names the files that are there, and has possible times.
///
/// # Errors
/// If a file cannot be read.
pub(super) fn index(bag: &Bag<'_>, lines: &[Line], reading: &Reading) -> io::Result<Compared> {
    let mut difference = None;
    for (number, line) in (1..).zip(lines) {
        difference = difference.or_else(|| Some(format!("answer {}: {}", line.number, wrong(number, line, reading)?)));
        // One byte more is enough to know.
        let bytes = io::copy(&mut bag.open(&line.file)?.take(line.bytes.saturating_add(1)), &mut io::sink())?;
        if bytes != line.bytes {
            let more = if bytes > line.bytes { "more than " } else { "" };
            difference =
                difference.or(Some(format!("answer {} has {more}{} bytes", line.number, bytes.min(line.bytes))));
        }
    }
    let is_in_order = lines.is_sorted_by(|a, b| in_order(a, b).is_lt());
    difference = difference.or_else(|| (!is_in_order).then(|| "the answers are not in their order".to_owned()));
    let files = bag.storage.list(&join(bag.folder, "data/answers"))?.len();
    if files != lines.len() {
        difference = difference.or(Some(format!("{files} answers are there")));
    }
    Ok(Compared {
        file: "data/answers.jsonl".to_owned(),
        difference,
        extent: format!("{} answers", lines.len()),
        is_wording: false,
    })
}

/// Why an answer cannot be as recorded.
fn wrong(number: u64, line: &Line, reading: &Reading) -> Option<&'static str> {
    let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
    let Some((asked_at, answered_at)) = time(&line.asked_at).zip(time(&line.answered_at)) else {
        return Some("it has no times");
    };
    let place = format!("data/answers/{number:05}.json");
    if line.number != number || line.file.trim_end_matches(".gz") != place {
        return Some("it is out of place");
    }
    let is_within = reading.started_at - SLACK <= asked_at && answered_at <= reading.finished_at + SLACK;
    if !is_within || answered_at < asked_at {
        return Some("its times are not those of the read");
    }
    None
}

/// Compares what is written with what was.
struct Comparing {
    reported: BufReader<Box<dyn Read>>,
    line: u64,
    bytes: u64,
    differs_at: Option<u64>,
}

impl Comparing {
    /// After the last write, nothing more may be recorded.
    fn end(&mut self) -> io::Result<()> {
        if self.differs_at.is_none() && !self.reported.fill_buf()?.is_empty() {
            self.differs_at = Some(self.line);
        }
        Ok(())
    }
}

impl Write for Comparing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.differs_at.is_none() {
            let mut reported = Vec::with_capacity(bytes.len());
            self.reported.by_ref().take(bytes.len() as u64).read_to_end(&mut reported)?;
            let same = bytes.iter().zip(&reported).take_while(|(new, old)| new == old).count();
            self.line += memchr::memchr_iter(b'\n', &bytes[..same]).count() as u64;
            self.bytes += same as u64;
            if same < bytes.len() {
                self.differs_at = Some(self.line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
