//! A list of users to remove, as a CSV file has it. A file that could mean something else than it seems to is refused.

use crate::words::counted;

/// The column of ids.
const ID: &str = "user_id";
/// The column of addresses.
const ADDRESS: &str = "email";
/// The column of workspaces, of rolecall's own tables: every row must be of the workspace that users are removed from.
const WORKSPACE: &str = "workspace";
/// Other columns of rolecall's own tables, so that rows of them can be used as they are. They are not looked at.
const IGNORED: [&str; 11] = [
    "full_name",
    "status",
    "confirmed",
    "role_id",
    "role_name",
    "profile_id",
    "profile_name",
    "administrator",
    "findings",
    "power",
    "created",
];

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The id, or the address if there is no id.
    pub user: String,
    /// Its line in the file; `None` if it is no row of one.
    pub line: Option<usize>,
    /// The address beside the id.
    pub beside: Option<String>,
}

/// A list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It is not CSV.
    #[error("it is not CSV: {0}")]
    NotCsv(String),
    /// A row is shorter or longer than the first line.
    #[error("line {line} has {}, and the first line has {expected}; every line needs the same number of commas", counted(usize::try_from(*.cells).unwrap_or_default(), "cell", "cells"))]
    Uneven {
        /// Its line.
        line: u64,
        /// How many cells it has.
        cells: u64,
        /// How many the first line has.
        expected: u64,
    },
    /// It ends inside a quoted cell.
    #[error("a quote (\") is opened and never closed: the file may be cut off, or several rows may be read as one")]
    OpenQuote,
    /// A column appears twice.
    #[error("the column `{0}` appears twice")]
    Twice(String),
    /// A column is unknown.
    #[error("unknown column `{column}`; expected `user_id`, `email` or both{}", .meant.map(|meant| format!(" (did you mean `{meant}`?)")).unwrap_or_default())]
    Unknown {
        /// Its name.
        column: String,
        /// What may be meant.
        meant: Option<&'static str>,
    },
    /// Neither column is there.
    #[error("the first line has neither a column `user_id` nor `email`")]
    NoColumn,
    /// A row is empty.
    #[error("line {0} has neither a user id nor an address")]
    EmptyRow(usize),
    /// A row is about another workspace.
    #[error("line {line} is about the workspace `{named}`; list only users of `{expected}`, or remove the column")]
    OtherWorkspace {
        /// Its line.
        line: usize,
        /// The workspace that it names.
        named: String,
        /// The workspace that users are removed from.
        expected: String,
    },
    /// There are no rows.
    #[error("the file has no rows")]
    NoRows,
}

/// Reads a list of users of a workspace. Its first line names the columns.
///
/// # Errors
/// [`ListError`]
pub fn parse(text: &str, workspace: &str) -> Result<Vec<Listed>, ListError> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    // A quote inside a cell is written twice, so a whole file has an even number of them.
    if !text.matches('"').count().is_multiple_of(2) {
        return Err(ListError::OpenQuote);
    }
    let not_csv = |error: csv::Error| match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => ListError::Uneven {
            line: pos.as_ref().map_or(0, csv::Position::line),
            cells: *len,
            expected: *expected_len,
        },
        _ => ListError::NotCsv(error.to_string()),
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(not_csv)?.iter().map(str::to_owned).collect();
    check_columns(&header)?;
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let (ids, addresses, workspaces) = (column(ID), column(ADDRESS), column(WORKSPACE));
    if ids.or(addresses).is_none() {
        return Err(ListError::NoColumn);
    }
    let mut listed = Vec::new();
    for record in reader.records() {
        let record = record.map_err(not_csv)?;
        let line = record.position().and_then(|position| usize::try_from(position.line()).ok());
        let cell = |column: Option<usize>| record.get(column?).filter(|cell| !cell.is_empty()).map(str::to_owned);
        if let Some(named) = cell(workspaces).filter(|named| named != workspace) {
            let (line, expected) = (line.unwrap_or_default(), workspace.to_owned());
            return Err(ListError::OtherWorkspace { line, named, expected });
        }
        listed.push(match (cell(ids), cell(addresses)) {
            (Some(user), beside) => Listed { user, line, beside },
            (None, Some(user)) => Listed { user, line, beside: None },
            (None, None) => return Err(ListError::EmptyRow(line.unwrap_or_default())),
        });
    }
    if listed.is_empty() { Err(ListError::NoRows) } else { Ok(listed) }
}

fn check_columns(header: &[String]) -> Result<(), ListError> {
    for (at, column) in header.iter().enumerate() {
        if header[..at].contains(column) {
            return Err(ListError::Twice(column.clone()));
        }
        if ![ID, ADDRESS, WORKSPACE].contains(&column.as_str()) && !IGNORED.contains(&column.as_str()) {
            return Err(ListError::Unknown { column: column.clone(), meant: meant(column) });
        }
    }
    Ok(())
}

/// What a column is probably meant to be.
fn meant(column: &str) -> Option<&'static str> {
    let letters: String = column.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.to_ascii_lowercase().as_str() {
        "email" | "mail" | "emailaddress" | "address" => Some(ADDRESS),
        "userid" | "id" | "user" => Some(ID),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(user: &str, line: usize, beside: Option<&str>) -> Listed {
        Listed { user: user.into(), line: Some(line), beside: beside.map(str::to_owned) }
    }

    #[test]
    fn ids_and_addresses_are_read_from_a_list_and_from_our_own_tables() {
        assert_eq!(parse("\u{feff}email\na@example.com\n", "acme"), Ok(vec![listed("a@example.com", 2, None)]));
        let text = "full_name,email,user_id\r\n\"B, \"\"A\"\"\", a@example.com ,1\r\nC,,2\r\n";
        assert_eq!(parse(text, "acme"), Ok(vec![listed("1", 2, Some("a@example.com")), listed("2", 3, None)]));
        assert_eq!(parse("email\n\"a@example.com\"\n\"\"\n", "acme"), Err(ListError::EmptyRow(3)));
    }

    #[test]
    fn a_list_that_may_mean_something_else_is_refused() {
        let unknown = |column: &str, meant| ListError::Unknown { column: column.into(), meant };
        for (text, expected) in [
            ("user_id,Email\n1,a@example.com\n", unknown("Email", Some("email"))),
            ("user_id,e-mail\n1,a@example.com\n", unknown("e-mail", Some("email"))),
            ("User ID\n1\n", unknown("User ID", Some("user_id"))),
            ("email,note\na@example.com,left\n", unknown("note", None)),
            ("email;user_id\na@example.com;1\n", unknown("email;user_id", None)),
            ("user_id,,email\n1,,a@example.com\n", unknown("", None)),
            ("email,user_id,email\na@example.com,1,b@example.com\n", ListError::Twice("email".into())),
            ("full_name\nA\n", ListError::NoColumn),
            ("email\n\"a@example.com\nb@example.com\n", ListError::OpenQuote),
            ("email\na@example.com\n\"b@example", ListError::OpenQuote),
            ("email\n", ListError::NoRows),
            ("", ListError::NoColumn),
        ] {
            assert_eq!(parse(text, "acme"), Err(expected), "{text}");
        }
        let of_two = "workspace,email\nacme,a@example.com\n,b@example.com\nglobex,c@example.com\n";
        let said = parse(of_two, "acme").unwrap_err().to_string();
        assert!(said.starts_with("line 4 is about the workspace `globex`; list only users of `acme`"), "{said}");
        let cut_off = ListError::Uneven { line: 2, cells: 1, expected: 2 };
        assert_eq!(parse("user_id,email\n1\n", "acme"), Err(cut_off));
        let said = unknown("e-mail", Some("email")).to_string();
        assert_eq!(said, "unknown column `e-mail`; expected `user_id`, `email` or both (did you mean `email`?)");
    }
}
