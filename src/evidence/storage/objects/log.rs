//! A log as objects that are never changed: each append is an object that is named by its position, so that of several
//! writers only one can be at that position.
//!
//! Segments are below chapters, each a range of positions, so that the end of the log is found without a list of all of it.
//! A chapter that is complete is also kept as one object, so that a long ledger is read with few calls. Nobody has to trust
//! it: entries of the ledger are chained by their digests.

use std::io;

use bytes::Bytes;

use super::{Objects, client::Client};

/// The folder of logs.
pub(super) const LOGS: &str = "log";
/// The object with all segments of a chapter.
const WHOLE: &str = "whole";

/// A chapter: where its segments begin and end.
#[derive(Debug, Default)]
struct Chapter {
    /// The key of its folder.
    key: String,
    /// The position and length of each segment, in order.
    segments: Vec<(u64, u64)>,
    /// The length of the object with all of them, if there is one.
    whole: Option<u64>,
}

impl Chapter {
    fn read(client: &Client, key: String) -> io::Result<Self> {
        let (folders, objects) = client.list(&key)?;
        let mut chapter = Self { key, ..Self::default() };
        for (name, size) in objects {
            match name.parse::<u64>() {
                Ok(start) if position(start) == name => chapter.segments.push((start, size)),
                _ if name == WHOLE => chapter.whole = Some(size),
                _ => return Err(foreign(&chapter.key, &name)),
            }
        }
        if let Some(name) = folders.first() {
            return Err(foreign(&chapter.key, name));
        }
        chapter.segments.sort_unstable();
        Ok(chapter)
    }

    fn start(&self) -> Option<u64> {
        self.segments.first().map(|(start, _)| *start)
    }

    fn end(&self) -> Option<u64> {
        self.segments.last().map(|(start, length)| start + length)
    }

    /// Checks that each segment begins where the one before it ends; gives the end.
    fn follows(&self, mut end: u64) -> io::Result<u64> {
        for (start, length) in &self.segments {
            if *start != end {
                let why = format!("its part at {start} does not follow the one that ends at {end}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            end = start + length;
        }
        Ok(end)
    }

    /// Its bytes.
    fn bytes(&self, client: &Client) -> io::Result<Vec<u8>> {
        let (start, end) = (self.start().unwrap_or_default(), self.end().unwrap_or_default());
        if self.whole == Some(end - start) {
            return client.get(&format!("{}/{WHOLE}", self.key), u64::MAX).map(|bytes| bytes.to_vec());
        }
        let keys: Vec<String> =
            self.segments.iter().map(|(start, _)| format!("{}/{}", self.key, position(*start))).collect();
        Ok(client.get_all(&keys)?.concat())
    }
}

fn position(start: u64) -> String {
    format!("{start:020}")
}

fn foreign(folder: &str, name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{folder}/{name} is not part of it"))
}

impl Objects {
    /// The names of the logs.
    pub(super) fn logs(&self) -> io::Result<Vec<String>> {
        Ok(self.client.list(LOGS)?.0)
    }

    fn chapters(&self, log: &str) -> io::Result<Vec<String>> {
        let folder = format!("{LOGS}/{log}");
        let (mut chapters, strays) = self.client.list(&folder)?;
        if let Some((name, _)) = strays.first() {
            return Err(foreign(&folder, name));
        }
        chapters.sort_unstable();
        Ok(chapters.into_iter().map(|chapter| format!("{folder}/{chapter}")).collect())
    }

    fn chapter_of(&self, log: &str, start: u64) -> String {
        format!("{LOGS}/{log}/{:012}", start / self.chapter)
    }

    fn last_chapter(&self, log: &str) -> io::Result<Option<Chapter>> {
        let last = self.chapters(log)?.pop();
        last.map(|last| Chapter::read(&self.client, last)).transpose()
    }

    /// The length of a log; `None` if there is no such log.
    pub(super) fn log_length(&self, log: &str) -> io::Result<Option<u64>> {
        let Some(last) = self.last_chapter(log)? else { return Ok(None) };
        last.start().map(|start| last.follows(start)).transpose()
    }

    /// The bytes of a log from a position on; `None` if there is no such log.
    pub(super) fn log_bytes(&self, log: &str, from: u64) -> io::Result<Option<Vec<u8>>> {
        let mut wanted = Vec::new();
        // From the end on: what lies before the position is not listed.
        for key in self.chapters(log)?.into_iter().rev() {
            let chapter = Chapter::read(&self.client, key)?;
            let start = chapter.start();
            wanted.push(chapter);
            if start.is_some_and(|start| start <= from) {
                break;
            }
        }
        let Some(begin) = wanted.last().and_then(Chapter::start) else { return Ok(None) };
        let mut bytes = Vec::new();
        let mut end = begin;
        for mut chapter in wanted.into_iter().rev() {
            end = chapter.follows(end)?;
            if end <= from {
                continue;
            }
            if chapter.whole.is_none() {
                chapter.segments.retain(|(start, length)| start + length > from);
            }
            let skipped = from.saturating_sub(chapter.start().unwrap_or_default());
            let read = chapter.bytes(&self.client)?;
            bytes.extend_from_slice(read.get(usize::try_from(skipped).unwrap_or(usize::MAX)..).unwrap_or_default());
        }
        Ok(Some(bytes))
    }

    /// Appends at a position; false if another writer was there first.
    pub(super) fn log_append(&self, log: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        let last = self.last_chapter(log)?;
        let end = last.as_ref().map_or(Ok(0), |last| last.follows(last.start().unwrap_or_default()))?;
        if end != length {
            return Ok(false);
        }
        if bytes.is_empty() {
            return Ok(true);
        }
        let chapter = self.chapter_of(log, length);
        let key = format!("{chapter}/{}", position(length));
        match self.client.create(&key, Bytes::copy_from_slice(bytes), self.client.patience) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            put => put?,
        };
        if let Some(last) = last.filter(|last| last.key != chapter) {
            // It saves calls and nothing depends on it.
            if let Err(error) = self.complete(&last) {
                tracing::warn!(%error, "a complete part of the ledger could not be kept as one object");
            }
        }
        Ok(true)
    }

    fn complete(&self, chapter: &Chapter) -> io::Result<()> {
        let bytes = chapter.bytes(&self.client)?;
        self.client.create(&format!("{}/{WHOLE}", chapter.key), bytes.into(), self.client.patience)?;
        Ok(())
    }
}
