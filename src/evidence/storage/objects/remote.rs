//! An object that is read in parts.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::client::{Client, Tail};
use crate::evidence::storage::archive::ReadAt;

/// How many bytes of its end are read first. The directory of a zip is there, and the last files in it: most bags of small
/// workspaces are read whole by this one call.
pub(super) const END: u64 = 256 << 10;
/// How many bytes are read at a time.
const BLOCK: u64 = 1 << 20;
/// How many blocks are kept.
const MOST_BLOCKS: usize = 8;

/// An object, and the parts of it that were read.
#[derive(Debug)]
pub(super) struct Remote {
    client: Arc<Client>,
    key: String,
    /// All parts are of one version.
    version: Option<String>,
    size: u64,
    end: Bytes,
    /// By their numbers.
    blocks: Mutex<BTreeMap<u64, Bytes>>,
}

impl Remote {
    pub(super) fn new(client: Arc<Client>, key: String, end: Tail) -> Self {
        Self { client, key, version: end.version, size: end.size, end: end.bytes, blocks: Mutex::default() }
    }

    fn block(&self, number: u64) -> io::Result<Bytes> {
        if let Some(block) = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(block.clone());
        }
        let from = number * BLOCK;
        let to = (from + BLOCK).min(self.size);
        let block = self.client.range(&self.key, self.version.as_deref(), from, to)?;
        if block.len() as u64 != to - from {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the object is shorter than it was"));
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() >= MOST_BLOCKS {
            // A bag is read from front to back.
            blocks.pop_first();
        }
        blocks.insert(number, block.clone());
        Ok(block)
    }
}

impl ReadAt for Remote {
    fn length(&self) -> io::Result<u64> {
        Ok(self.size)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        if at >= self.size {
            return Ok(0);
        }
        let end = self.size - self.end.len() as u64;
        let (part, skipped) =
            if at >= end { (self.end.clone(), at - end) } else { (self.block(at / BLOCK)?, at % BLOCK) };
        let rest = part.get(usize::try_from(skipped).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
