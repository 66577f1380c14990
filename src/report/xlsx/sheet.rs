//! The sheets of one table: rows as XML, a new sheet where one is full.

use std::io::{self, Write};

use zip::write::SimpleFileOptions;

use super::{
    Archive,
    parts::column_letters,
    strings::{SharedStrings, element},
};
use crate::{
    model::finding::Severity,
    report::{
        ReportInput,
        tables::{Sink, Table},
    },
};

/// Columns of at least so many characters wrap their texts.
const WRAPPED: u16 = 40;
/// The severities that have a colour, in the order of the differential formats.
pub(super) const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
/// Bytes of XML gathered before they are compressed.
const BUFFER: usize = 64 * 1024;

/// The sheets of one table, one after the other.
pub(super) struct Sheets<'s, 'w> {
    archive: &'s mut Archive<'w>,
    options: SimpleFileOptions,
    strings: &'s mut SharedStrings,
    table: Table,
    /// Rows of the table that are still to come.
    left: usize,
    sheet_rows: usize,
    /// Sheets begun in the whole workbook.
    number: usize,
    /// Rows in the sheet, the header included.
    rows: usize,
    /// The column of the next cell.
    column: usize,
    /// The last shared text of each column and its cell: neighbours are often alike.
    last: Vec<(String, Vec<u8>)>,
    xml: Vec<u8>,
}

impl<'s, 'w> Sheets<'s, 'w> {
    pub(super) fn new(
        archive: &'s mut Archive<'w>,
        options: SimpleFileOptions,
        strings: &'s mut SharedStrings,
        table: Table,
        rows: usize,
        sheet_rows: usize,
        number: usize,
    ) -> Self {
        let last = vec![(String::new(), Vec::new()); table.columns().len()];
        let xml = Vec::with_capacity(BUFFER * 2);
        Self { archive, options, strings, table, left: rows, sheet_rows, number, rows: 0, column: 0, last, xml }
    }

    /// Writes the table; returns how many sheets the workbook has now.
    pub(super) fn write(mut self, input: &ReportInput<'_>) -> io::Result<usize> {
        let table = self.table;
        self.begin()?;
        table.write(input, &mut self)?;
        self.end()?;
        Ok(self.number)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.number += 1;
        self.archive.start_file(format!("xl/worksheets/sheet{}.xml", self.number), self.options)?;
        let rows = self.left.min(self.sheet_rows - 1) + 1;
        self.rows = 1;
        write!(
            self.xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet \
             xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetPr><pageSetUpPr \
             fitToPage=\"1\"/></sheetPr><dimension ref=\"A1:{}{rows}\"/><sheetViews><sheetView \
             workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
             state=\"frozen\"/><selection pane=\"bottomLeft\" activeCell=\"A2\" sqref=\"A2\"/></sheetView>\
             </sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>",
            column_letters(self.table.columns().len())
        )?;
        for (place, (_, width)) in self.table.columns().iter().enumerate() {
            let column = place + 1;
            write!(
                self.xml,
                "<col min=\"{column}\" max=\"{column}\" width=\"{width}\" style=\"2\" customWidth=\"1\"/>"
            )?;
        }
        self.xml.extend_from_slice(b"</cols><sheetData><row>");
        for (name, _) in self.table.columns() {
            self.xml.extend_from_slice(b"<c s=\"1\" t=\"inlineStr\"><is>");
            element(name, &mut self.xml);
            self.xml.extend_from_slice(b"</is></c>");
        }
        self.xml.extend_from_slice(b"</row>");
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let range = format!("A1:{}{}", column_letters(self.table.columns().len()), self.rows);
        write!(
            self.xml,
            "</sheetData><autoFilter ref=\"{range}\"/>{}<pageMargins left=\"0.4\" right=\"0.4\" top=\"0.5\" \
             bottom=\"0.5\" header=\"0.3\" footer=\"0.3\"/><pageSetup orientation=\"landscape\" fitToHeight=\"0\"/>\
             <headerFooter><oddFooter>&amp;C&amp;A, page &amp;P of &amp;N</oddFooter></headerFooter><ignoredErrors>\
             <ignoredError sqref=\"{range}\" numberStoredAsText=\"1\"/></ignoredErrors></worksheet>",
            self.colours()
        )?;
        self.flush()
    }

    /// The colours of severities, as conditions: a cell that is edited or sorted keeps the right one.
    fn colours(&self) -> String {
        let severity = self.table.columns().iter().position(|(name, _)| *name == "severity");
        let Some(place) = severity.filter(|_| self.rows > 1) else { return String::new() };
        let column = column_letters(place + 1);
        let rule = |(place, severity): (usize, &Severity)| {
            format!(
                "<cfRule type=\"cellIs\" dxfId=\"{place}\" priority=\"{}\" operator=\"equal\"><formula>\"{severity}\"</formula></cfRule>",
                place + 1
            )
        };
        let rules: String = SEVERITIES.iter().enumerate().map(rule).collect();
        format!("<conditionalFormatting sqref=\"{column}2:{column}{}\">{rules}</conditionalFormatting>", self.rows)
    }

    /// The format of a cell of the current column: long texts wrap.
    fn format(&self) -> u8 {
        let wide = self.table.columns().get(self.column).is_some_and(|(_, width)| *width >= WRAPPED);
        if wide { b'3' } else { b'2' }
    }

    fn begin_cell(&mut self, format: u8, rest: &[u8]) {
        self.xml.extend_from_slice(b"<c s=\"");
        self.xml.push(format);
        self.xml.extend_from_slice(rest);
    }

    fn open_row(&mut self) {
        if self.column == 0 {
            self.xml.extend_from_slice(b"<row>");
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.archive.write_all(&self.xml)?;
        self.xml.clear();
        Ok(())
    }
}

impl Sink for Sheets<'_, '_> {
    fn cell(&mut self, text: &str) -> io::Result<()> {
        self.open_row();
        let format = self.format();
        self.column += 1;
        if text.is_empty() {
            self.begin_cell(format, b"\"/>");
            return Ok(());
        }
        self.begin_cell(format, b"\" t=\"inlineStr\"><is>");
        element(text, &mut self.xml);
        self.xml.extend_from_slice(b"</is></c>");
        Ok(())
    }

    fn repeated(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return self.cell(text);
        }
        self.open_row();
        let format = self.format();
        let (last, cell) = &mut self.last[self.column];
        if last == text {
            self.strings.used_again();
        } else {
            text.clone_into(last);
            cell.clear();
            write!(cell, "<c s=\"{}\" t=\"s\"><v>{}</v></c>", char::from(format), self.strings.number(text))?;
        }
        self.xml.extend_from_slice(cell);
        self.column += 1;
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.xml.extend_from_slice(b"</row>");
        self.column = 0;
        self.rows += 1;
        self.left -= 1;
        if self.rows == self.sheet_rows && self.left > 0 {
            self.end()?;
            self.begin()?;
        }
        if self.xml.len() >= BUFFER { self.flush() } else { Ok(()) }
    }
}
