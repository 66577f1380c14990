//! Rows of text with a separator. The header is the row that names the most fields; what stands above it is a title.

use std::borrow::Cow;

use super::{
    ReadError,
    columns::Mapping,
    rows::{Cells, Place, Rows},
};
use crate::model::roster::{Field, Layout};

/// The separators that are tried.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows among which the header is looked for.
const HEADER_WITHIN: usize = 40;
/// Cells of such a row that are compared with the names of columns.
const WIDEST: usize = 2_000;

pub(super) fn read(text: &str, layout: &Layout, rows: &mut Rows<'_>) -> Result<(), ReadError> {
    // With two characters at the end of a line, the reader counts lines one too few.
    let text = &if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let Some((separator, at)) = header(text, layout) else { return Ok(()) };
    let mut reader = reader(text, separator);
    let header = reader.records().flatten().nth(at).unwrap_or_default();
    let header: Vec<&str> = header.iter().collect();
    let mapping = Mapping::of(&header, layout)?;
    rows.columns = mapping.names(&header);
    let has_status = mapping.places.contains_key(&Field::Status);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(syntax)? {
        let place = Place::Line(record.position().map_or(0, csv::Position::line));
        let filled = (0..record.len()).rev().find(|at| !record[*at].trim().is_empty()).map_or(0, |last| last + 1);
        if filled > header.len() && record.iter().any(|cell| cell.contains('@')) {
            let (place, header) = (place.to_string(), header.len());
            return Err(ReadError::TooManyCells { place, cells: filled, header });
        }
        if filled == 0 || is_note(&record) {
            continue;
        }
        let mut row = Cells::at(place, has_status);
        for (field, places) in &mapping.places {
            let mut cells =
                places.iter().filter_map(|place| record.get(*place)).map(str::trim).filter(|cell| !cell.is_empty());
            row.set(
                *field,
                match (field, places.as_slice()) {
                    (Field::Aliases, [_, _, ..]) => cells.collect::<Vec<_>>().join(" ").into(),
                    _ => cells.next().unwrap_or_default().into(),
                },
            );
        }
        rows.add(row)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of `map_err`")]
fn syntax(error: csv::Error) -> ReadError {
    ReadError::Syntax { format: "CSV", reason: error.to_string() }
}

/// Whether a row has one text and otherwise nothing, or begins as a line of sums does.
fn is_note(record: &csv::StringRecord) -> bool {
    if record.len() < 2 || record.iter().any(|cell| cell.contains('@')) {
        return false;
    }
    let mut filled = record.iter().map(str::trim).filter(|cell| !cell.is_empty());
    let first = filled.next().unwrap_or_default();
    filled.next().is_none() || super::rows::is_sum(first)
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// The separator, and the place of the header among the rows. `None` if there are no rows.
fn header(text: &str, layout: &Layout) -> Option<(u8, usize)> {
    let mut best: Option<(usize, usize, u8, usize)> = None;
    for separator in SEPARATORS {
        for (at, record) in reader(text, separator).into_records().flatten().take(HEADER_WITHIN).enumerate() {
            let cells: Vec<&str> = record.iter().collect();
            let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
            if filled == 0 {
                continue;
            }
            let score = Mapping::score(&cells[..cells.len().min(WIDEST)], layout);
            if best.is_none_or(|(known, width, ..)| {
                (score, if score == 0 { filled } else { 0 }) > (known, if known == 0 { width } else { 0 })
            }) {
                best = Some((score, filled, separator, at));
            }
        }
    }
    best.map(|(_, _, separator, at)| (separator, at))
}
