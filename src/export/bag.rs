//! Files of a sealed bag, as the pages for auditors read them. Each is compared with its sealed digest.

use std::io::{self, BufRead as _, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, de::DeserializeOwned};

use crate::evidence::{LARGEST_ANSWER, sealed::SealedBag, storage::bounded};

/// The index of the answers.
pub(super) const ANSWERS: &str = "data/answers.jsonl";
/// The access matrix.
pub(super) const MATRIX: &str = "data/reports/access-matrix.csv";
/// The findings.
pub(super) const FINDINGS: &str = "data/reports/findings.csv";
/// The changes.
pub(super) const CHANGES: &str = "data/reports/changes.csv";
/// The report for programs.
pub(super) const REPORT: &str = "data/reports/report.json";
/// How completely the workspace was read.
pub(super) const COMPLETENESS: &str = "data/completeness.json";
/// The most bytes of a compressed file, decompressed.
const LARGEST: u64 = 1 << 30;

/// A line of the index of answers.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) file: String,
    pub(super) request: String,
    pub(super) answered_at: String,
    pub(super) status: u16,
}

/// A CSV file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A JSON file; `None` if there is none.
pub(super) fn json<T: DeserializeOwned>(bag: &SealedBag<'_>, file: &str) -> io::Result<Option<T>> {
    let bytes = bag.read(file)?;
    Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
}

/// A CSV file; `None` if there is none.
pub(super) fn table(bag: &SealedBag<'_>, file: &str) -> io::Result<Option<Table>> {
    let Some(bytes) = bag.read(file)? else { return Ok(None) };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
    let records = reader.records().map(|record| Ok(record?.iter().map(str::to_owned).collect()));
    let mut rows: Vec<Vec<String>> = records.collect::<io::Result<_>>()?;
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Table { header: rows.remove(0), rows }))
}

/// The index of the answers.
pub(super) fn answers(bag: &SealedBag<'_>) -> io::Result<Vec<Answer>> {
    let index = bag.read(ANSWERS)?.unwrap_or_default();
    let lines = index.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// The body of an answer; empty if there is none.
pub(super) fn body(bag: &SealedBag<'_>, file: &str) -> io::Result<Vec<u8>> {
    let bytes = bag.read(file)?.unwrap_or_default();
    let body = bounded(plain(&bytes), LARGEST_ANSWER);
    body.map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
}

/// How many lines a file has, blank ones aside.
pub(super) fn lines(bag: &SealedBag<'_>, file: &str) -> io::Result<u64> {
    let bytes = bag.read(file)?.unwrap_or_default();
    let mut text = BufReader::new(plain(&bytes));
    let (mut lines, mut is_blank, mut left) = (0, true, LARGEST);
    loop {
        let read = text.fill_buf()?;
        if read.is_empty() {
            return Ok(lines + u64::from(!is_blank));
        }
        for byte in read {
            let ends = *byte == b'\n';
            lines += u64::from(ends && !is_blank);
            is_blank = ends;
        }
        let length = read.len();
        text.consume(length);
        let more = || io::Error::new(io::ErrorKind::InvalidData, format!("{file} has more than {LARGEST} bytes"));
        left = left.checked_sub(length as u64).ok_or_else(more)?;
    }
}

/// A file as it was before gzip, if it is compressed.
fn plain(bytes: &[u8]) -> Box<dyn Read + '_> {
    let is_gzip = bytes.starts_with(&[0x1f, 0x8b]);
    if is_gzip { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) }
}

impl Table {
    /// The rows with their numbers; the header is row 1.
    pub(super) fn numbered(&self) -> impl ExactSizeIterator<Item = (usize, &[String])> {
        self.rows.iter().enumerate().map(|(place, row)| (place + 2, row.as_slice()))
    }

    /// A cell of a row; `None` if there is no such column.
    pub(super) fn cell<'r>(&self, row: &'r [String], column: &str) -> Option<&'r str> {
        let place = self.header.iter().position(|name| name == column)?;
        row.get(place).map(String::as_str)
    }
}
