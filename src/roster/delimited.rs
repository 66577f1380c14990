//! Rows of text with a separator. The header is the row that names the most fields; what stands above it is a title.

use super::{
    ReadError,
    columns::Mapping,
    rows::{Cells, Rows},
};
use crate::model::roster::{Field, Layout};

/// The separators that are tried.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows among which the header is looked for.
const HEADER_WITHIN: usize = 40;

pub(super) fn read(text: &str, layout: &Layout, rows: &mut Rows<'_>) -> Result<(), ReadError> {
    // With two characters at the end of a line, the reader counts lines one too few.
    let text = &text.replace("\r\n", "\n");
    let Some((separator, at)) = header(text, layout) else { return Ok(()) };
    let mut records = reader(text, separator).into_records();
    let header = records.by_ref().flatten().nth(at).unwrap_or_default();
    let header: Vec<&str> = header.iter().collect();
    let mapping = Mapping::of(&header, layout)?;
    rows.columns = mapping.names(&header);
    let has_status = mapping.places.contains_key(&Field::Status);
    for record in records {
        let record = record.map_err(|error| ReadError::Syntax { format: "CSV", reason: error.to_string() })?;
        let place = format!("line {}", record.position().map_or(0, csv::Position::line));
        let filled = record
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.trim().is_empty())
            .last()
            .map_or(0, |(last, _)| last + 1);
        if filled > header.len() && record.iter().any(|cell| cell.contains('@')) {
            return Err(ReadError::TooManyCells { place, cells: filled, header: header.len() });
        }
        if filled == 0 || is_note(&record) {
            continue;
        }
        let cell = |place: &usize| record.get(*place).map(str::trim).filter(|cell| !cell.is_empty());
        let cells = mapping.places.iter().map(|(field, places)| {
            let mut cells = places.iter().filter_map(cell);
            let text = match field {
                Field::Aliases => cells.collect::<Vec<_>>().join(" "),
                _ => cells.next().unwrap_or_default().to_owned(),
            };
            (*field, text)
        });
        rows.add(Cells { by_field: cells.collect(), place, has_status })?;
    }
    Ok(())
}

/// Whether a row has one text and otherwise nothing, or begins as a line of sums does.
fn is_note(record: &csv::StringRecord) -> bool {
    let mut filled = record.iter().map(str::trim).filter(|cell| !cell.is_empty());
    let first = filled.next().unwrap_or_default();
    let has_address = record.iter().any(|cell| cell.contains('@'));
    record.len() > 1 && !has_address && (filled.next().is_none() || super::rows::is_sum(first))
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
            let score = Mapping::score(&cells, layout);
            if best.is_none_or(|(known, width, ..)| {
                (score, if score == 0 { filled } else { 0 }) > (known, if known == 0 { width } else { 0 })
            }) {
                best = Some((score, filled, separator, at));
            }
        }
    }
    best.map(|(_, _, separator, at)| (separator, at))
}
