//! What is made once more, held against what a bag has.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read, Write},
    path::Path,
};

use chrono::{DateTime, Duration, Utc};
use flate2::read::GzDecoder;

use crate::{
    model::reading::Reading,
    run::bag::answers::{Line, in_order, is_packed},
};

/// How far the times of calls may lie outside of their read: they are taken one after the other.
const SLACK: Duration = Duration::seconds(1);

/// A file, and whether it is what follows from the answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// The file, inside the bag.
    pub file: String,
    /// Where it is another; none where it is the same.
    pub difference: Option<String>,
    /// How much was compared.
    pub extent: String,
    /// Whether another version of rolecall may word or lay it out otherwise and mean the same.
    pub is_wording: bool,
}

/// Compares a file of a bag with what `write` writes, byte for byte; one that is compressed with what is in it.
///
/// # Errors
/// Where it cannot be read or written.
pub(super) fn file(
    bag: &Path,
    name: &str,
    is_wording: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Compared> {
    let file = BufReader::new(File::open(bag.join(name))?);
    let reported: Box<dyn Read> = if is_packed(name) { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut comparing = Comparing { reported: BufReader::new(reported), line: 1, bytes: 0, differs_at: None };
    write(&mut comparing)?;
    comparing.end()?;
    let Comparing { line, bytes, differs_at, .. } = comparing;
    let is_text = Path::new(name).extension().is_none_or(|extension| extension != "xlsx");
    let where_from =
        |line: u64| if is_text { format!("from line {line} on") } else { "it is another workbook".to_owned() };
    let difference = differs_at.map(where_from);
    let extent = if is_text { format!("{} lines", line - 1) } else { format!("{bytes} bytes") };
    Ok(Compared { file: name.to_owned(), difference, extent, is_wording })
}

/// Compares what `bag-info.txt` says with what it ought to say.
pub(super) fn info(text: &str, expected: &[(&'static str, String)]) -> Compared {
    let is_said = |(name, value): &&(&'static str, String)| {
        let value =
            value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        text.lines().any(|line| line == format!("{name}: {value}"))
    };
    Compared {
        file: "bag-info.txt".to_owned(),
        difference: expected.iter().find(|one| !is_said(one)).map(|(name, _)| format!("its {name}")),
        extent: format!("{} fields", expected.len()),
        is_wording: false,
    }
}

/// Whether an index of answers is in its order, names the files that are there, and times that are possible.
///
/// # Errors
/// Where a file cannot be read.
pub(super) fn index(bag: &Path, lines: &[Line], reading: &Reading) -> io::Result<Compared> {
    let mut difference = None;
    for (number, line) in (1..).zip(lines) {
        difference = difference.or_else(|| Some(format!("answer {}: {}", line.number, wrong(number, line, reading)?)));
        let body = BufReader::new(File::open(bag.join(&line.file))?);
        let mut body: Box<dyn Read> =
            if is_packed(&line.file) { Box::new(GzDecoder::new(body)) } else { Box::new(body) };
        let bytes = io::copy(&mut body, &mut io::sink())?;
        if bytes != line.bytes {
            difference = difference.or(Some(format!("answer {} has {bytes} bytes", line.number)));
        }
    }
    let is_in_order = lines.is_sorted_by(|a, b| in_order(a, b).is_lt());
    difference = difference.or_else(|| (!is_in_order).then(|| "the answers are not in their order".to_owned()));
    let files = fs::read_dir(bag.join("data/answers"))?.count();
    if files != lines.len() {
        difference = difference.or(Some(format!("{files} answers are there")));
    }
    Ok(Compared {
        file: "data/answers.jsonl".to_owned(),
        difference,
        extent: format!("{} answers", lines.len()),
        is_wording: false,
    })
}

/// What cannot be true of an answer.
fn wrong(number: u64, line: &Line, reading: &Reading) -> Option<&'static str> {
    let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
    let Some((asked_at, answered_at)) = time(&line.asked_at).zip(time(&line.answered_at)) else {
        return Some("it has no times");
    };
    let place = format!("data/answers/{number:05}.json");
    if line.number != number || line.file.trim_end_matches(".gz") != place {
        return Some("it is out of place");
    }
    let is_within = reading.started_at - SLACK <= asked_at && answered_at <= reading.finished_at + SLACK;
    if !is_within || answered_at < asked_at {
        return Some("its times are not those of the read");
    }
    None
}

/// Compares what is written with what was.
struct Comparing {
    reported: BufReader<Box<dyn Read>>,
    line: u64,
    bytes: u64,
    differs_at: Option<u64>,
}

impl Comparing {
    /// Nothing more is written: nothing more should have been.
    fn end(&mut self) -> io::Result<()> {
        if self.differs_at.is_none() && !self.reported.fill_buf()?.is_empty() {
            self.differs_at = Some(self.line);
        }
        Ok(())
    }
}

impl Write for Comparing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.differs_at.is_none() {
            let mut reported = Vec::with_capacity(bytes.len());
            self.reported.by_ref().take(bytes.len() as u64).read_to_end(&mut reported)?;
            let same = bytes.iter().zip(&reported).take_while(|(new, old)| new == old).count();
            self.line += memchr::memchr_iter(b'\n', &bytes[..same]).count() as u64;
            self.bytes += same as u64;
            if same < bytes.len() {
                self.differs_at = Some(self.line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
