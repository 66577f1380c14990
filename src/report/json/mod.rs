//! `report.json`: everything that an audit knows, under a published schema.
//!
//! The types in `v1` are the format and nothing else, so that a change inside rolecall does not change it
//! unnoticed. A field is `null` if the API did not give the value; there are no other defaults. A new field raises
//! the second number of [`SCHEMA_VERSION`]; removing a field, or changing its meaning, raises the first.

mod from_audit;
pub mod kept;
mod rows;
mod v1;

use std::io::{self, Write};

use super::ReportInput;

/// The version of the format, as `schema_version` in every report.
pub const SCHEMA_VERSION: &str = "1.1";

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// The JSON Schema of `report.json` (draft 2020-12).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(v1::Report<'_>).to_value()
}

pub(super) fn write(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    serde_json::to_writer(&mut out, &from_audit::report(input))?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests;
