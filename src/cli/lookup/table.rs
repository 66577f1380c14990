//! The three ways to print rows.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;

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

/// Maximum length of a line in a cell.
const CELL: usize = 200;
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
            let table = table(rows, shown);
            let lines: Vec<String> = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
            write(lines.concat().as_bytes());
            Ok(())
        }
    }
}

/// A table as wide as the terminal. Ids are not wrapped, so that they can be copied.
fn table<R>(rows: &[R], shown: &[Column<R>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width().and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width);
    }
    table.set_header(shown.iter().map(|(name, _)| *name));
    for row in rows {
        table.add_row(shown.iter().map(|(_, text)| cell(&text(row))));
    }
    for (column, (name, _)) in table.column_iter_mut().zip(shown) {
        column.set_padding((0, 2));
        if name.ends_with(" id") {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
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

pub(in crate::cli) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    text.push(b'\n');
    write(&text);
    Ok(())
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
            let mut table = table(&[id], &shown);
            let drawn = table.set_width(width).to_string();
            assert!(drawn.contains(id), "{drawn}");
        }
    }
}
