//! The view over the workspaces of a job, as files: one row for each person and workspace, a page, and JSON.

mod csv;
mod html;
mod json;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, Write},
};

use chrono::{DateTime, Utc};

pub use self::json::{SCHEMA_VERSION, schema};
use crate::people::People;

/// What the files are made of.
#[derive(Debug, Clone, Copy)]
pub struct PeopleInput<'a> {
    /// The people.
    pub people: &'a People,
    /// The job; `None` for audits on demand without one.
    pub job: Option<&'a str>,
    /// When the view was made.
    pub at: DateTime<Utc>,
}

/// A file with the view over the workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeopleFile {
    /// One row for each person and workspace.
    Csv,
    /// A page for people.
    Html,
    /// Everything, for programs.
    Json,
}

impl PeopleFile {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Html, Self::Json];

    /// The file's name in the output folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "people.csv",
            Self::Html => "people.html",
            Self::Json => "people.json",
        }
    }

    /// Its media type, for attachments.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for PeopleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.file_name())
    }
}

/// Writes one file. The writer need not be buffered.
///
/// # Errors
/// If the writer fails; what was written until then is not a complete file.
pub fn write(file: PeopleFile, input: &PeopleInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    match file {
        PeopleFile::Csv => csv::write(input, out),
        PeopleFile::Html => html::write(input, out),
        PeopleFile::Json => json::write(input, out),
    }
}
