//! Why a roster cannot be read.

/// Why a roster cannot be read. None of it repeats what a cell says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Its bytes are no text in the encoding.
    #[error("line {line} is not valid {encoding}: {help}")]
    Encoding {
        /// The line.
        line: usize,
        /// The encoding.
        encoding: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// It is something else than text.
    #[error("it is {0}")]
    NotText(&'static str),
    /// Characters were lost before it came here.
    #[error(
        "{place} has the character U+FFFD: letters were lost when the roster was exported; export it again in UTF-8"
    )]
    Lost {
        /// Where.
        place: String,
    },
    /// No row looks like a header.
    #[error("no column has addresses; its columns are {known}. Name the column in `columns.email`")]
    NoAddresses {
        /// The columns that it has.
        known: String,
    },
    /// A configured column is not there.
    #[error("the column `{column}` (columns.{field}) is not there; its columns are {known}")]
    NoColumn {
        /// The field.
        field: &'static str,
        /// The name in the configuration.
        column: String,
        /// The columns that it has.
        known: String,
    },
    /// Two columns have the name.
    #[error("several columns are named `{column}`; name another one in `columns.{field}`, or rename one of them")]
    SameName {
        /// The field.
        field: &'static str,
        /// The name.
        column: String,
    },
    /// A row has more cells than the header.
    #[error(
        "{place} has {cells} cells, but the header has {header}: an unquoted separator moves values to other columns"
    )]
    TooManyCells {
        /// Where.
        place: String,
        /// The cells of the row.
        cells: usize,
        /// The cells of the header.
        header: usize,
    },
    /// The syntax is invalid.
    #[error("it is not valid {format}: {reason}")]
    Syntax {
        /// The format.
        format: &'static str,
        /// Why not.
        reason: String,
    },
    /// A date cannot be read.
    #[error("{place}: the {field} date cannot be read; say how dates are written with `date_format`")]
    Date {
        /// Where.
        place: String,
        /// `start` or `end`.
        field: &'static str,
    },
    /// Dates can be read in two ways.
    #[error(
        "{place}: the {field} date can be read day first and month first; say which with `date_format`, such as \"%d/%m/%Y\" or \"%m/%d/%Y\""
    )]
    AmbiguousDate {
        /// Where.
        place: String,
        /// `start` or `end`.
        field: &'static str,
    },
    /// It is too large.
    #[error("it has more than {0} rows")]
    TooLarge(usize),
}
