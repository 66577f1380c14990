//! A workbook of one sheet that people fill in: some columns are open, one of them with a list to choose from, and the rest is
//! protected against slips. The CSV form has the same cells.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use zip::ZipWriter;

use super::{
    options,
    parts::{self, SheetName, column_letters},
    strings::{SharedStrings, element},
};
use crate::report::{
    csv::{builder, quoted},
    guarded,
};

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// The width in characters.
    pub width: u16,
    /// Whether it may be filled in.
    pub is_open: bool,
    /// What may be chosen; empty for any text.
    pub choices: &'static [&'static str],
}

/// What is to be filled in. Every cell passes the guard against formulas.
#[derive(Debug)]
pub struct Form<'a> {
    /// The name on the tab.
    pub title: &'static str,
    /// When the workbook was made.
    pub created: DateTime<Utc>,
    /// The columns.
    pub columns: &'a [Column],
    /// The rows, with a cell for each column.
    pub rows: &'a [Vec<String>],
}

/// The formats 4 and 5 of the styles: text that may be edited, and the same that wraps.
const OPEN_FORMATS: &str = "<xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" \
     applyAlignment=\"1\" applyProtection=\"1\"><alignment vertical=\"top\"/><protection locked=\"0\"/></xf>\
     <xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyAlignment=\"1\" \
     applyProtection=\"1\"><alignment vertical=\"top\" wrapText=\"1\"/><protection locked=\"0\"/></xf></cellXfs>";

impl Form<'_> {
    /// Writes it as CSV (RFC 4180).
    ///
    /// # Errors
    /// Those of `out`.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = builder().from_writer(out);
        csv.write_record(self.columns.iter().map(|column| column.name))?;
        for row in self.rows {
            csv.write_record(row.iter().map(|cell| quoted(&guarded(cell)).into_owned()))?;
        }
        csv.flush()
    }

    /// Writes it as a workbook.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn xlsx(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut archive = ZipWriter::new_stream(out);
        let options = options(self.created);
        let (rows, columns) = (self.rows.len() + 1, self.columns.len());
        let names = [SheetName { name: self.title.to_owned(), rows, columns, filtered: true }];
        let styles = parts::STYLES.replace("<cellXfs count=\"4\">", "<cellXfs count=\"6\">");
        let styles = styles.replace("</cellXfs>", OPEN_FORMATS);
        for (path, content) in parts::before_sheets(&names, 0, self.created, &styles) {
            archive.start_file(path, options)?;
            archive.write_all(content.as_bytes())?;
        }
        archive.start_file("xl/worksheets/sheet1.xml", options)?;
        archive.write_all(&self.sheet()?)?;
        archive.start_file("xl/sharedStrings.xml", options)?;
        SharedStrings::default().write(&mut archive)?;
        archive.finish()?.flush()
    }

    fn sheet(&self) -> io::Result<Vec<u8>> {
        let range = format!("A1:{}{}", column_letters(self.columns.len()), self.rows.len() + 1);
        let mut xml = Vec::new();
        write!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet \
             xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetPr><pageSetUpPr \
             fitToPage=\"1\"/></sheetPr><dimension ref=\"{range}\"/><sheetViews><sheetView tabSelected=\"1\" \
             workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
             state=\"frozen\"/><selection pane=\"bottomLeft\" activeCell=\"A2\" sqref=\"A2\"/></sheetView>\
             </sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>",
        )?;
        for (number, column) in (1..).zip(self.columns) {
            let Column { width, .. } = column;
            let format = column.format();
            write!(
                xml,
                "<col min=\"{number}\" max=\"{number}\" width=\"{width}\" style=\"{format}\" customWidth=\"1\"/>"
            )?;
        }
        xml.extend_from_slice(b"</cols><sheetData><row>");
        for column in self.columns {
            cell(&mut xml, 1, column.name)?;
        }
        xml.extend_from_slice(b"</row>");
        for row in self.rows {
            xml.extend_from_slice(b"<row>");
            for (column, text) in self.columns.iter().zip(row) {
                cell(&mut xml, column.format(), &guarded(text))?;
            }
            xml.extend_from_slice(b"</row>");
        }
        write!(
            xml,
            "</sheetData><sheetProtection sheet=\"1\" objects=\"1\" scenarios=\"1\" formatColumns=\"0\" \
             formatRows=\"0\" autoFilter=\"0\"/><autoFilter ref=\"{range}\"/>{}<pageMargins left=\"0.4\" \
             right=\"0.4\" top=\"0.5\" bottom=\"0.5\" header=\"0.3\" footer=\"0.3\"/><pageSetup \
             orientation=\"landscape\" fitToHeight=\"0\"/><ignoredErrors><ignoredError sqref=\"{range}\" \
             numberStoredAsText=\"1\"/></ignoredErrors></worksheet>",
            self.choices()
        )?;
        Ok(xml)
    }

    /// The lists to choose from.
    fn choices(&self) -> String {
        let last = self.rows.len() + 1;
        let choose_one = |(number, column): (usize, &Column)| {
            let (letters, choices) = (column_letters(number), column.choices.join(","));
            format!(
                "<dataValidation type=\"list\" allowBlank=\"1\" showErrorMessage=\"1\" errorTitle=\"{}\" \
                 error=\"Choose one of: {choices}\" sqref=\"{letters}2:{letters}{last}\"><formula1>\"{choices}\"\
                 </formula1></dataValidation>",
                column.name
            )
        };
        let lists: Vec<String> =
            (1..).zip(self.columns).filter(|(_, column)| !column.choices.is_empty()).map(choose_one).collect();
        if lists.is_empty() || self.rows.is_empty() {
            return String::new();
        }
        format!("<dataValidations count=\"{}\">{}</dataValidations>", lists.len(), lists.concat())
    }
}

impl Column {
    fn format(&self) -> u8 {
        let wraps = u8::from(self.width >= 40);
        if self.is_open { 4 + wraps } else { 2 + wraps }
    }
}

fn cell(xml: &mut Vec<u8>, format: u8, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return write!(xml, "<c s=\"{format}\"/>");
    }
    write!(xml, "<c s=\"{format}\" t=\"inlineStr\"><is>")?;
    element(text, xml);
    xml.extend_from_slice(b"</is></c>");
    Ok(())
}
