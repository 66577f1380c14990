//! The tables as CSV: RFC 4180, UTF-8 without a byte order mark.

use std::io::{self, Write};

use super::{
    ReportInput,
    tables::{Sink, Table},
};

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Sink for Csv<W> {
    fn cell(&mut self, text: &str) -> io::Result<()> {
        Ok(self.0.write_field(text)?)
    }

    fn repeated(&mut self, text: &str) -> io::Result<()> {
        self.cell(text)
    }

    fn end_row(&mut self) -> io::Result<()> {
        Ok(self.0.write_record(None::<&[u8]>)?)
    }
}

pub(super) fn write(table: Table, input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut builder = csv::WriterBuilder::new();
    let mut sink = Csv(builder.terminator(csv::Terminator::CRLF).buffer_capacity(BUFFER).from_writer(out));
    for (column, _) in table.columns() {
        sink.cell(column)?;
    }
    sink.end_row()?;
    table.write(input, &mut sink)?;
    sink.0.flush()
}
