//! Pure: the files of an audit.
//!
//! [`write()`] writes one of the files of an audit from a [`ReportInput`]: the six that every audit and every bag has, and on
//! request those for other people's tools ([`exchange`]). Every report of the six streams: rows go to
//! the writer as they are joined, so that a million users cost no more memory than a hundred. What an audit says is
//! worked out in [`crate::brief`]; the rows that the CSV files and the workbook share are in `tables`, and the
//! guard against formulas in `cell`.

mod cell;
pub mod csv;
pub mod exchange;
mod flagged;
mod holders;
mod html;
pub mod json;
pub mod people;
pub mod review;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod xlsx;

use std::{
    fmt,
    io::{self, Write},
};

use uuid::Uuid;

pub use self::{cell::guarded, html::shown};
use crate::{
    access::matrix::AccessMatrix,
    brief::{self, Brief},
    model::{audit::Audit, rule::RuleInfo},
};
use flagged::Flagged;
use tables::Table;

/// What every report is made of.
#[derive(Debug)]
pub struct ReportInput<'a> {
    audit: &'a Audit,
    matrix: &'a AccessMatrix<'a>,
    brief: Brief,
    flagged: Flagged<'a>,
    judged_again: Option<JudgedAgain>,
}

/// The audit whose read a report judges again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAgain {
    /// The id of that audit.
    pub audit: Uuid,
    /// The name of the policy that judged it then.
    pub policy: String,
}

impl<'a> ReportInput<'a> {
    /// An audit and its access matrix. One input serves all files, also at the same time on several threads.
    pub fn new(audit: &'a Audit, matrix: &'a AccessMatrix<'a>) -> Self {
        let (brief, flagged) = (Brief::of(audit, matrix), Flagged::new(&audit.findings));
        Self { audit, matrix, brief, flagged, judged_again: None }
    }

    /// The same, of what an earlier audit read.
    #[must_use]
    pub fn judged_again(self, earlier: JudgedAgain) -> Self {
        Self { judged_again: Some(earlier), ..self }
    }

    /// What the audit says.
    pub fn brief(&self) -> &Brief {
        &self.brief
    }

    /// The audit.
    pub fn audit(&self) -> &'a Audit {
        self.audit
    }

    /// Its access matrix.
    pub fn matrix(&self) -> &'a AccessMatrix<'a> {
        self.matrix
    }

    /// What a rule is.
    fn rule(&self, name: &str) -> Option<&'a RuleInfo> {
        self.audit.rules.get(name)
    }

    /// A rule's title; its name if the audit does not know the rule.
    fn rule_title(&self, name: &'a str) -> &'a str {
        brief::title(self.audit, name)
    }

    /// How to fix what a rule finds in this audit's kind of workspace.
    fn advice(&self, rule: &str) -> Option<String> {
        self.rule(rule).map(|rule| rule.advice(self.audit.directory.source.connector.product()))
    }
}

/// A file that an audit writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportFile {
    /// One row for each user.
    AccessMatrixCsv,
    /// One row for each finding.
    FindingsCsv,
    /// One row for each change since the previous audit.
    ChangesCsv,
    /// The whole report for people.
    Html,
    /// Everything, for programs.
    Json,
    /// The three tables as a workbook.
    Xlsx,
    /// OSCAL assessment results.
    Oscal,
    /// OCSF Compliance Findings, one event a line.
    Ocsf,
    /// `JUnit` XML.
    Junit,
}

impl ReportFile {
    /// The six that every audit and every bag has.
    pub const ALL: [Self; 6] =
        [Self::AccessMatrixCsv, Self::FindingsCsv, Self::ChangesCsv, Self::Html, Self::Json, Self::Xlsx];

    /// The file's name in the output folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::AccessMatrixCsv => "access-matrix.csv",
            Self::FindingsCsv => "findings.csv",
            Self::ChangesCsv => "changes.csv",
            Self::Html => "report.html",
            Self::Json => "report.json",
            Self::Xlsx => "report.xlsx",
            Self::Oscal => "assessment-results.json",
            Self::Ocsf => "findings.ocsf.jsonl",
            Self::Junit => "junit.xml",
        }
    }

    /// Its media type, for attachments.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::AccessMatrixCsv | Self::FindingsCsv | Self::ChangesCsv => "text/csv; charset=utf-8; header=present",
            Self::Html => "text/html; charset=utf-8",
            Self::Json | Self::Oscal => "application/json",
            Self::Ocsf => "application/jsonl",
            Self::Junit => "application/xml",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

impl fmt::Display for ReportFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.file_name())
    }
}

/// Writes one file. The writer need not be buffered.
///
/// # Errors
/// If the writer fails; what was written until then is not a complete report.
pub fn write(file: ReportFile, input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    match file {
        ReportFile::AccessMatrixCsv => csv::write(Table::AccessMatrix, input, out),
        ReportFile::FindingsCsv => csv::write(Table::Findings, input, out),
        ReportFile::ChangesCsv => csv::write(Table::Changes, input, out),
        ReportFile::Html => html::write(input, out),
        ReportFile::Json => json::write(input, out),
        ReportFile::Xlsx => xlsx::write(input, out),
        ReportFile::Oscal => exchange::oscal(input, out),
        ReportFile::Ocsf => exchange::ocsf(input, out),
        ReportFile::Junit => exchange::junit(input, out),
    }
}
