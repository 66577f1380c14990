//! A log as objects that are never changed: each append is an object that is named by its position, so that of several
//! writers only one can be at that position.
//!
//! Segments are below chapters, each a range of positions, so that the end of the log is found without a list of all of it.
//! A chapter that is complete is also kept as one object, so that a long ledger is read with few calls. Nobody has to trust
//! it: entries of the ledger are chained by their digests.

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Objects, client::Client};
use crate::evidence::storage::LOG_END;

/// The folder of logs.
pub(super) const LOGS: &str = "log";
/// How many parts are kept in memory, and how long each may be.
const MOST_PARTS: usize = 128;
const LARGEST_PART: usize = 64 << 10;
/// How many of the last parts are looked for to find the end of the log.
const MOST_LAST: usize = 8;
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
        if let Some(name) = folders.first() {
            return Err(foreign(&key, name));
        }
        Self::of(key, objects)
    }

    /// What it has from a position on.
    fn read_from(client: &Client, key: String, start: u64) -> io::Result<Self> {
        match start.checked_sub(1) {
            Some(before) => {
                let objects = client.list_after(&key, &position(before))?;
                Self::of(key, objects)
            }
            None => Self::read(client, key),
        }
    }

    fn of(key: String, objects: Vec<(String, u64)>) -> io::Result<Self> {
        let mut chapter = Self { key, ..Self::default() };
        for (name, size) in objects {
            match name.parse::<u64>() {
                Ok(start) if position(start) == name => chapter.segments.push((start, size)),
                _ if name == WHOLE => chapter.whole = Some(size),
                _ => return Err(foreign(&chapter.key, &name)),
            }
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

    /// The bytes of its last parts.
    fn end_bytes(&mut self, client: &Client, known: &Parts) -> io::Result<Vec<u8>> {
        self.segments.drain(..self.segments.len().saturating_sub(MOST_LAST));
        // All of the chapter is not needed, even if it is one object by now.
        self.whole = None;
        self.bytes(client, Some(known))
    }

    /// Its bytes. Parts that are known are not read again.
    fn bytes(&self, client: &Client, known: Option<&Parts>) -> io::Result<Vec<u8>> {
        let (start, end) = (self.start().unwrap_or_default(), self.end().unwrap_or_default());
        if self.whole == Some(end - start) {
            return client.get(&format!("{}/{WHOLE}", self.key), u64::MAX).map(|bytes| bytes.to_vec());
        }
        let keys = self.segments.iter().map(|(start, _)| format!("{}/{}", self.key, position(*start)));
        let keys: Vec<String> = keys.collect();
        // One of another length was written again after the log was cut.
        let of_length = |(key, (_, length)): (&String, &(u64, u64))| {
            known.and_then(|known| known.get(key)).filter(|part| part.len() as u64 == *length)
        };
        let mut parts: Vec<Option<Bytes>> = keys.iter().zip(&self.segments).map(of_length).collect();
        let missing: Vec<String> =
            keys.iter().zip(&parts).filter(|(_, part)| part.is_none()).map(|(key, _)| key.clone()).collect();
        let mut read = client.get_all(&missing)?.into_iter();
        for (key, part) in keys.iter().zip(&mut parts).filter(|(_, part)| part.is_none()) {
            *part = read.next();
            if let Some((known, part)) = known.zip(part.as_ref()) {
                known.put(key, part);
            }
        }
        let bytes = parts.into_iter().flatten().collect::<Vec<Bytes>>().concat();
        if bytes.len() as u64 != end - start {
            let why = format!("the parts from {start} to {end} have {} bytes", bytes.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(bytes)
    }
}

/// The last parts that were read or appended, by their keys. They never change, and each append reads the end of the log.
#[derive(Debug, Default)]
pub(super) struct Parts(Mutex<VecDeque<(String, Bytes)>>);

impl Parts {
    fn get(&self, key: &str) -> Option<Bytes> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().find(|(known, _)| known == key).map(|(_, part)| part.clone())
    }

    /// The last parts of a log that are known and follow each other in one chapter: its key, and the position and length of
    /// each. `None` if fewer than two are known.
    fn last(&self, log: &str) -> Option<(String, Vec<(u64, u64)>)> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_log = parts.iter().filter_map(|(key, part)| {
            let (chapter, start) = key.rsplit_once('/')?;
            (chapter.rsplit_once('/')?.0 == log).then_some(())?;
            Some((start.parse::<u64>().ok()?, part.len() as u64, chapter))
        });
        let mut of_log: Vec<_> = of_log.collect();
        of_log.sort_unstable();
        of_log.dedup();
        let (.., chapter) = *of_log.last()?;
        let mut run: Vec<(u64, u64)> = Vec::new();
        for (start, length, of) in of_log.into_iter().rev().take(MOST_LAST) {
            if of != chapter || run.last().is_some_and(|(next, _)| start + length != *next) {
                break;
            }
            run.push((start, length));
        }
        run.reverse();
        (run.len() > 1).then(|| (chapter.to_owned(), run))
    }

    fn put(&self, key: &str, part: &Bytes) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another one with this key was read before the log was cut.
        parts.retain(|(known, _)| known != key);
        if parts.len() >= MOST_PARTS {
            parts.pop_front();
        }
        if part.len() <= LARGEST_PART {
            parts.push_back((key.to_owned(), part.clone()));
        }
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

    /// The length of a log, and its last bytes. If its last parts are known, only what came after them is listed: several
    /// writers look for the end at each append, and a chapter has hundreds of parts.
    pub(super) fn log_end(&self, log: &str) -> io::Result<(u64, Vec<u8>)> {
        if let Some(mut last) = self.after_known(log)? {
            return Ok((last.end().unwrap_or_default(), last.end_bytes(&self.client, &self.parts)?));
        }
        let Some(mut last) = self.last_chapter(log)? else { return Ok((0, Vec::new())) };
        let start = last.start().unwrap_or_default();
        let length = last.follows(start)?;
        if last.segments.len() > 1 || start == 0 {
            return Ok((length, last.end_bytes(&self.client, &self.parts)?));
        }
        // A line may have begun in the chapter before.
        let from = length.saturating_sub(LOG_END);
        let mut bytes = self.log_bytes(log, from)?.unwrap_or_default();
        // Others may have appended meanwhile.
        bytes.truncate(usize::try_from(length - from).unwrap_or(usize::MAX));
        Ok((length, bytes))
    }

    /// The last parts that are known, and those after them; `None` if one of those that are known is gone, or if a chapter
    /// ended since.
    fn after_known(&self, log: &str) -> io::Result<Option<Chapter>> {
        let Some((chapter, known)) = self.parts.last(&format!("{LOGS}/{log}")) else { return Ok(None) };
        let Some((start, _)) = known.first().copied() else { return Ok(None) };
        let found = Chapter::read_from(&self.client, chapter, start)?;
        if !found.segments.starts_with(&known) {
            return Ok(None);
        }
        let end = found.follows(start)?;
        Ok((self.chapter_of(log, end) == found.key).then_some(found))
    }

    /// The bytes of a log from a position on; `None` if there is no such log. Who reads it from its beginning verifies it, and
    /// has to find what was changed meanwhile.
    pub(super) fn log_bytes(&self, log: &str, from: u64) -> io::Result<Option<Vec<u8>>> {
        let known = (from > 0).then_some(&self.parts);
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
            let read = chapter.bytes(&self.client, known)?;
            bytes.extend_from_slice(read.get(usize::try_from(skipped).unwrap_or(usize::MAX)..).unwrap_or_default());
        }
        Ok(Some(bytes))
    }

    /// Appends at a position; false if another writer was there first.
    pub(super) fn log_append(&self, log: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        let known = self.after_known(log)?;
        let last = known.map_or_else(|| self.last_chapter(log), |last| Ok(Some(last)))?;
        let end = last.as_ref().map_or(Ok(0), |last| last.follows(last.start().unwrap_or_default()))?;
        if end != length {
            return Ok(false);
        }
        if bytes.is_empty() {
            return Ok(true);
        }
        let chapter = self.chapter_of(log, length);
        let key = format!("{chapter}/{}", position(length));
        let part = Bytes::copy_from_slice(bytes);
        match self.client.create(&key, part.clone(), self.client.patience) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            put => put?,
        };
        self.parts.put(&key, &part);
        if let Some(last) = last.filter(|last| last.key != chapter) {
            // It saves calls and nothing depends on it.
            if let Err(error) = self.complete(&last) {
                tracing::warn!(%error, "a complete part of the ledger could not be kept as one object");
            }
        }
        Ok(true)
    }

    fn complete(&self, chapter: &Chapter) -> io::Result<()> {
        let bytes = chapter.bytes(&self.client, None)?;
        self.client.create(&format!("{}/{WHOLE}", chapter.key), bytes.into(), self.client.patience)?;
        Ok(())
    }
}
