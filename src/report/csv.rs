//! The tables as CSV: RFC 4180, UTF-8 without a byte order mark.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::{
    ReportInput,
    tables::{Sink, Table},
};

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Sink for Csv<W> {
    fn cell(&mut self, text: &str) -> io::Result<()> {
        Ok(self.0.write_field(&*quoted(text))?)
    }

    fn repeated(&mut self, text: &str) -> io::Result<()> {
        self.cell(text)
    }

    fn end_row(&mut self) -> io::Result<()> {
        Ok(self.0.write_record(None::<&[u8]>)?)
    }
}

/// How every table is written: records end with CRLF, and cells come [`quoted`].
pub fn builder() -> csv::WriterBuilder {
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(csv::Terminator::CRLF).quote_style(csv::QuoteStyle::Never);
    builder
}

/// A cell, in quotes if it needs them or if [`super::guarded`] changed it.
pub fn quoted(cell: &str) -> Cow<'_, str> {
    let bytes = cell.as_bytes();
    let needs_quotes = cell.starts_with('\'')
        || memchr::memchr2(b',', b'"', bytes).is_some()
        || memchr::memchr2(b'\n', b'\r', bytes).is_some();
    if needs_quotes { Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))) } else { Cow::Borrowed(cell) }
}

pub(super) fn write(table: Table, input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut sink = Csv(builder().buffer_capacity(BUFFER).from_writer(out));
    for (column, _) in table.columns() {
        sink.cell(column)?;
    }
    sink.end_row()?;
    table.write(input, &mut sink)?;
    sink.0.flush()
}
