//! The three ways to print rows.

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
/// The space between two columns, if there is room for it.
const GAP: usize = 2;
/// Words that are longer may be cut, so that one name does not take the place of all the others.
const LONGEST: usize = 40;
/// The least width of the pieces of a word that is cut.
const SHORT: usize = 8;
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
            let lines: Vec<String> = table(rows, shown, width()).iter().map(|line| format!("{line}\n")).collect();
            write(lines.concat().as_bytes());
            Ok(())
        }
    }
}

/// The lines of a table of at most `width` columns. Ids are not wrapped, so that they can be copied. Other texts are wrapped
/// at spaces and addresses before their domain. Where whole words do not fit, columns move together, then addresses are
/// wrapped before their dots too, and then each row becomes a block with a line for each column.
fn table<R>(rows: &[R], shown: &[Column<R>], width: Option<usize>) -> Vec<String> {
    let header = shown.iter().map(|(name, _)| (*name).to_owned()).collect();
    let rows = rows.iter().map(|row| shown.iter().map(|(_, text)| cell(&text(row))).collect());
    let cells: Vec<Vec<String>> = [header].into_iter().chain(rows).collect();
    let is_id: Vec<bool> = shown.iter().map(|(name, _)| name.ends_with(" id")).collect();
    let natural = widths(&cells, &is_id, |text| text.lines().map(display_width).max().unwrap_or(0));
    let Some(width) = width.filter(|width| natural.iter().sum::<usize>() + GAP * (shown.len().max(1) - 1) > *width)
    else {
        return drawn(&cells, &natural, GAP, &[]);
    };
    let layouts = [(GAP, &['@'][..]), (1, &['@']), (1, &['@', '.'])];
    for (gap, breaks) in layouts {
        let word = widths(&cells, &is_id, |text| longest_word(text, breaks));
        let least = word.iter().zip(&natural).zip(&is_id);
        let least: Vec<usize> = least.map(|((word, all), is_id)| *if *is_id { all } else { word }).collect();
        let gaps = gap * (shown.len().max(1) - 1);
        if let Some(room) = width.checked_sub(gaps + least.iter().sum::<usize>()) {
            return drawn(&cells, &shared(&least, &natural, room), gap, breaks);
        }
    }
    blocks(&cells, width)
}

/// The greatest size of the cells of each column.
fn widths(cells: &[Vec<String>], columns: &[bool], size: impl Fn(&str) -> usize) -> Vec<usize> {
    let of_column = |number: usize| {
        cells.iter().filter_map(|row| row.get(number)).map(|cell: &String| size(cell)).max().unwrap_or(0)
    };
    (0..columns.len()).map(of_column).collect()
}

/// The widths of columns that need at least `least`, and `natural` at most. Those that lack the least get of `room` first.
fn shared(least: &[usize], natural: &[usize], mut room: usize) -> Vec<usize> {
    let mut widths = least.to_vec();
    let lacking = |column: &usize| natural[*column].saturating_sub(least[*column]);
    let mut columns: Vec<usize> = (0..least.len()).collect();
    columns.sort_by_key(lacking);
    for column in columns {
        let more = lacking(&column).min(room);
        widths[column] += more;
        room -= more;
    }
    widths
}

/// The lines of rows with columns of these widths.
fn drawn(cells: &[Vec<String>], widths: &[usize], gap: usize, breaks: &[char]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in cells {
        let row: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, width)| wrapped(cell, *width, breaks)).collect();
        for number in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                let text = cell.get(number).map_or("", String::as_str);
                let blanks = (width + gap).saturating_sub(display_width(text));
                line.extend([text, &" ".repeat(blanks)]);
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

/// The rows below each other: a line for each column, and an empty line between two rows.
fn blocks(cells: &[Vec<String>], width: usize) -> Vec<String> {
    let Some((header, rows)) = cells.split_first() else { return Vec::new() };
    let label = header.iter().map(|name| display_width(name)).max().unwrap_or(0);
    let widths = [label, width.saturating_sub(label + GAP).max(1)];
    let mut lines = Vec::new();
    for row in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let pairs: Vec<Vec<String>> =
            header.iter().zip(row).map(|(name, cell)| vec![name.clone(), cell.clone()]).collect();
        lines.extend(drawn(&pairs, &widths, GAP, &['@']));
    }
    lines
}

/// The parts of a text that stay in one piece, each with whether a space stands before it.
fn parts<'t>(line: &'t str, breaks: &[char]) -> Vec<(bool, &'t str)> {
    let mut parts = Vec::new();
    for word in line.split_whitespace() {
        let mut start = 0;
        let is_address = word.contains('@');
        for (at, _) in word.match_indices(breaks).filter(|(at, _)| is_address && *at > 0) {
            parts.push((start == 0, &word[start..at]));
            start = at;
        }
        parts.push((start == 0, &word[start..]));
    }
    parts
}

/// The width of the longest word, but for those that may be cut.
fn longest_word(text: &str, breaks: &[char]) -> usize {
    let words = text.lines().flat_map(|line| parts(line, breaks)).map(|(_, part)| display_width(part));
    words.map(|word| if word > LONGEST { SHORT } else { word }).max().unwrap_or(0)
}

/// Where to cut a word that is too long: behind a mark in it, if there is one.
fn cut(word: &str, width: usize) -> usize {
    let ends = word.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let first = word.chars().next().map_or(0, char::len_utf8);
    let fitting = ends.take_while(|end| display_width(&word[..*end]) <= width).last().unwrap_or(first);
    word[..fitting].rfind(['.', '-', '_', '/']).filter(|at| *at > 0).map_or(fitting, |at| at + 1)
}

/// A text in lines of at most `width`. What is longer in one piece is cut.
fn wrapped(text: &str, width: usize, breaks: &[char]) -> Vec<String> {
    let mut lines = Vec::new();
    for given in text.lines() {
        if display_width(given) <= width {
            lines.push(given.to_owned());
            continue;
        }
        let mut line = String::new();
        for (is_spaced, part) in parts(given, breaks) {
            let space = if is_spaced && !line.is_empty() { " " } else { "" };
            if !line.is_empty() && display_width(&line) + space.len() + display_width(part) > width {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push_str(space);
            }
            // Only a part that is alone on its line can be too long.
            let mut part = part;
            while line.is_empty() && display_width(part) > width {
                let (piece, rest) = part.split_at(cut(part, width));
                lines.push(piece.to_owned());
                part = rest;
            }
            line.push_str(part);
        }
        lines.push(line);
    }
    lines
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
            let drawn = table(&[id], &shown, Some(width)).join("\n");
            assert!(drawn.contains(id), "{drawn}");
        }
    }

    const SHOWN: [Column<[&str; 5]>; 6] = [
        ("user id", |_| "5820190000000627001".to_owned()),
        ("name", |row| row[0].to_owned()),
        ("email", |row| row[1].to_owned()),
        ("status", |row| row[2].to_owned()),
        ("role", |row| row[3].to_owned()),
        ("profile", |row| row[4].to_owned()),
    ];
    const BRAM: [&str; 5] = ["Bram Alder", "bram.alder@example.com", "active", "Sales Manager", "Administrator ★"];

    #[test]
    fn a_narrow_table_breaks_texts_between_words_and_addresses_before_their_domain() {
        assert_eq!(table(&[BRAM], &SHOWN, Some(100)).len(), 2);
        let expected = [
            "user id              name        email         status  role      profile",
            "5820190000000627001  Bram Alder  bram.alder    active  Sales     Administrator ★",
            "                                 @example.com          Manager",
        ];
        assert_eq!(table(&[BRAM], &SHOWN, Some(80)), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_word_is_cut() {
        let rows = [
            BRAM,
            ["Cleo Foxglove", "cleo.foxglove@example.com", "active, invited", "Operations", "Operations Lead ★"],
            ["Greta Juniper", "greta.juniper@partner-example.com", "disabled", "Sales Rep", "Support Desk"],
        ];
        let words: Vec<&str> = rows.iter().flatten().flat_map(|text| text.split([' ', '@', '.', '-'])).collect();
        for width in 40..=140 {
            let lines = table(&rows, &SHOWN, Some(width));
            let drawn = lines.join("\n");
            assert!(lines.iter().all(|line| display_width(line) <= width), "{width}\n{drawn}");
            assert!(words.iter().all(|word| drawn.contains(word)), "{width}\n{drawn}");
        }
        assert_eq!(
            table(&rows, &SHOWN, Some(60))[..3],
            ["user id  5820190000000627001", "name     Bram Alder", "email    bram.alder@example.com",]
        );
        // Nobody can spoil the table of all others by a name.
        let hostile: &str = "W".repeat(150).leak();
        for width in [80, 120] {
            let lines = table(&[rows[0], rows[1], [hostile, "", "active", "", ""]], &SHOWN, Some(width));
            assert!(lines[0].contains("status") && lines.iter().all(|line| display_width(line) <= width), "{lines:#?}");
            assert!(lines[1].contains("Bram") && lines[1].contains("bram.alder"), "{lines:#?}");
        }
    }
}
