//! The three ways to print rows.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;
use textwrap::core::display_width;

use crate::{
    cli::{
        args::LookupFormat,
        output::{Failure, plain, width, write, write_text},
    },
    report::{
        csv::{builder, quoted},
        guarded,
    },
};

pub(in crate::cli) use crate::cli::output::json;

/// Maximum length of a line in a cell.
const CELL: usize = 200;
/// The space between two columns.
const GAP: u16 = 2;
/// Shown for an empty value.
pub(in crate::cli) const NONE: &str = "–";

/// A column: its name, and its value for a row.
pub(in crate::cli) type Column<R> = (&'static str, fn(&R) -> String);

/// Prints everything as JSON, `columns` as CSV, or `shown` as a table.
pub(in crate::cli) fn print<R: Serialize>(
    rows: &[R],
    format: LookupFormat,
    columns: &[Column<R>],
    shown: &[Column<R>],
) -> Result<(), Failure> {
    match format {
        LookupFormat::Json => json(&rows),
        LookupFormat::Csv => csv(rows, columns),
        LookupFormat::Table => {
            let table = table(rows, shown, width());
            let lines: Vec<String> = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
            write(lines.concat().as_bytes());
            Ok(())
        }
    }
}

/// A table of at most `width` columns. Ids are not wrapped, so that they can be copied. Other texts are wrapped at spaces and
/// addresses before their domain, if there is room for the longest words.
fn table<R>(rows: &[R], shown: &[Column<R>], width: Option<usize>) -> Table {
    let header = shown.iter().map(|(name, _)| (*name).to_owned());
    let mut cells: Vec<Vec<String>> = vec![header.collect()];
    cells.extend(rows.iter().map(|row| shown.iter().map(|(_, text)| cell(&text(row))).collect()));
    let natural: usize = widths(&cells, shown, str::lines).iter().sum();
    let is_narrow = width.is_some_and(|width| natural > width);
    if is_narrow {
        cells.iter_mut().flatten().for_each(|cell| *cell = cell.replace('@', "\n@"));
    }
    let least = widths(&cells, shown, str::split_whitespace);
    let has_room = width.is_some_and(|width| least.iter().sum::<usize>() <= width);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width.and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width);
    }
    let mut cells = cells.into_iter();
    table.set_header(cells.next().unwrap_or_default()).add_rows(cells);
    for ((column, (name, _)), least) in table.column_iter_mut().zip(shown).zip(least) {
        column.set_padding((0, GAP));
        if is_id(name) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else if is_narrow
            && has_room
            && let Ok(least) = u16::try_from(least)
        {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    table
}

/// How wide each column has to be for the longest part of its cells.
fn widths<'c, R, P>(cells: &'c [Vec<String>], shown: &[Column<R>], parts: impl Fn(&'c str) -> P) -> Vec<usize>
where
    P: Iterator<Item = &'c str>,
{
    let of_column = |number: usize| {
        let cells = cells.iter().filter_map(|row| row.get(number));
        cells.flat_map(|cell| parts(cell)).map(display_width).max().unwrap_or(0) + usize::from(GAP)
    };
    (0..shown.len()).map(of_column).collect()
}

/// Whether a column has the ids of records.
fn is_id(name: &str) -> bool {
    name.ends_with(" id")
}

/// Prints one record; as a table, one line for each column.
pub(in crate::cli) fn one<R: Serialize>(row: &R, format: LookupFormat, columns: &[Column<R>]) -> Result<(), Failure> {
    match format {
        LookupFormat::Json => json(row),
        LookupFormat::Csv => csv(std::slice::from_ref(row), columns),
        LookupFormat::Table => {
            let width = columns.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let line = |(name, text): &Column<R>| format!("{:<width$}  {}\n", name.replace('_', " "), cell(&text(row)));
            write(columns.iter().map(line).collect::<String>().as_bytes());
            Ok(())
        }
    }
}

fn cell(text: &str) -> String {
    // The line breaks are ours; the text of a line may come from the API.
    let lines: Vec<String> = text.split('\n').map(|line| plain(line, CELL)).collect();
    if text.is_empty() { NONE.to_owned() } else { lines.join("\n") }
}

fn csv<R>(rows: &[R], columns: &[Column<R>]) -> Result<(), Failure> {
    let failed = |error: csv::Error| Failure::failed(error.to_string());
    let mut writer = builder().from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(name, _)| *name)).map_err(failed)?;
    for row in rows {
        writer
            .write_record(columns.iter().map(|(_, text)| quoted(&guarded(&text(row))).into_owned()))
            .map_err(failed)?;
    }
    write_text(&writer.into_inner().map_err(|error| Failure::failed(error.to_string()))?);
    Ok(())
}

/// A value as text, empty if it is missing.
pub(in crate::cli) fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_in_one_piece_however_narrow_the_terminal_is() {
        let shown: [Column<&str>; 3] = [
            ("user id", |id| (*id).to_owned()),
            ("name", |_| "Somebody With A Rather Long Name And A Longer One Still".to_owned()),
            ("email", |_| "somebody.with.a.rather.long.name@department.example.com".to_owned()),
        ];
        let id = "5820190000000413001";
        for width in [40, 60, 80] {
            let drawn = table(&[id], &shown, Some(width)).to_string();
            assert!(drawn.contains(id), "{drawn}");
        }
    }

    #[test]
    fn a_narrow_table_breaks_texts_between_words_and_addresses_before_their_domain() {
        let shown: [Column<&str>; 6] = [
            ("user id", |_| "5820190000000627001".to_owned()),
            ("name", |_| "Bram Alder".to_owned()),
            ("email", |_| "bram.alder@example.com".to_owned()),
            ("status", |_| "active".to_owned()),
            ("role", |_| "Sales Manager".to_owned()),
            ("profile", |_| "Administrator ★".to_owned()),
        ];
        let lines = |width| -> Vec<String> {
            let drawn = table(&[""], &shown, Some(width)).to_string();
            let lines: Vec<String> = drawn.lines().map(|line| line.trim_end().to_owned()).collect();
            assert!(lines.iter().all(|line| display_width(line) <= width), "{drawn}");
            lines
        };
        assert_eq!(lines(100).len(), 2, "{:#?}", lines(100));
        let expected = [
            "user id              name   email         status  role           profile",
            "5820190000000627001  Bram   bram.alder    active  Sales Manager  Administrator",
            "                     Alder  @example.com                         ★",
        ];
        assert_eq!(lines(80), expected);
    }
}
