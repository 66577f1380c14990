//! An audit in the formats of other people's tools: OSCAL for governance platforms, OCSF for security monitoring, `JUnit` for
//! pipelines.
//!
//! All are made of [`AuditFacts`]: what an audit says beyond its matrix. It is taken from an audit or from the
//! `report.json` in a bag, so that the evidence of a period gives the same files as its audits did. Nothing in them depends
//! on when or where they are written: identifiers are derived from those of the audits.

mod facts;
mod ids;
mod junit;
mod ocsf;
mod oscal;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

pub use self::facts::{AuditFacts, FactsError};
use super::ReportInput;

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// A format that a period of audits can be written in, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodFormat {
    /// OSCAL assessment results: one document with a result for each audit.
    Oscal,
    /// OCSF Compliance Findings: one event a line, the oldest audit first.
    Ocsf,
}

/// Writes audits in a format, in the order in which they come. `title` names the period.
///
/// # Errors
/// If the writer fails.
pub fn write_period(format: PeriodFormat, audits: &[AuditFacts], title: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    match format {
        PeriodFormat::Oscal => oscal::write(audits, title, &mut out)?,
        PeriodFormat::Ocsf => audits.iter().try_for_each(|audit| ocsf::write(audit, &mut out))?,
    }
    out.flush()
}

pub(super) fn oscal(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let facts = AuditFacts::of(input);
    let title = oscal::title(&facts);
    write_period(PeriodFormat::Oscal, &[facts], &title, out)
}

pub(super) fn ocsf(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_period(PeriodFormat::Ocsf, &[AuditFacts::of(input)], "", out)
}

pub(super) fn junit(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    junit::write(&AuditFacts::of(input), &mut out)?;
    out.flush()
}
