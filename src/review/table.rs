//! The lines of a file that was filled in: CSV, or a workbook.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx};

use super::sheet::Line;

/// Bytes that a workbook may have when it is unpacked, and cells that it may have.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Columns that are read: one more than there are would show that something stands after the last.
const COLUMNS: u32 = 64;
/// How every workbook (a ZIP archive) begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";

/// Whether a file is a workbook, and not CSV.
pub fn is_workbook(content: &[u8]) -> bool {
    content.starts_with(ARCHIVE)
}

/// The lines of a file.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn lines(content: &[u8]) -> Result<Vec<Line>, String> {
    if is_workbook(content) { workbook(content) } else { csv(content) }
}

/// The records of a CSV file. Programs save one with commas, semicolons or tabs, depending on the language of the machine.
fn csv(content: &[u8]) -> Result<Vec<Line>, String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = std::str::from_utf8(content).map_err(|_| {
        "it is not UTF-8 text; save it as “CSV UTF-8”, or use the workbook that `rolecall review export` writes"
            .to_owned()
    })?;
    let header = text.lines().next().unwrap_or_default();
    let often = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(often).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    let (mut number, mut read) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|error| format!("it is not CSV: {error}"))?;
        let begin = record.position().map_or(0, csv::Position::byte);
        let begin = usize::try_from(begin).unwrap_or(text.len()).min(text.len());
        // The reader takes the end of the line before for the beginning of a record.
        let breaks = text.as_bytes()[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = memchr::memchr_iter(b'\n', &text.as_bytes()[read..begin + breaks]).count();
        (number, read) = (number + passed as u64, begin + breaks);
        lines.push(Line { number, cells: record.iter().map(str::to_owned).collect() });
    }
    Ok(lines)
}

/// The rows of the first sheet of a workbook.
fn workbook(content: &[u8]) -> Result<Vec<Line>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("it is not a workbook that can be read: {error}");
    let mut archive = zip::ZipArchive::new(Cursor::new(content)).map_err(|error| failed(&error))?;
    let mut size = 0_u64;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(|error| failed(&error))?;
        size = size.saturating_add(part.size());
    }
    if size > LARGEST {
        return Err(failed(&format!("unpacked it has {size} bytes; expected at most {LARGEST}")));
    }
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(|error| failed(&error))?;
    let name = workbook.sheet_names().first().cloned().ok_or_else(|| failed(&"it has no sheet"))?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|error| failed(&error))?;
    let mut lines: Vec<Line> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|error| failed(&error))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() || column >= COLUMNS {
            continue;
        }
        let number = u64::from(row) + 1;
        if lines.last().is_none_or(|line| line.number != number) {
            lines.push(Line { number, cells: Vec::new() });
        }
        if let Some(Line { cells, .. }) = lines.last_mut() {
            let place = usize::try_from(column).unwrap_or_default();
            if cells.len() <= place {
                cells.resize(place + 1, String::new());
            }
            cells[place] = text;
        }
    }
    Ok(lines)
}

/// A cell as a text.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is) => is.to_string(),
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}
