//! The file of a store: whether it is still the one that was opened, and whether its disk has room.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::FULL_ADVICE;
use crate::store::StoreError;

/// Less room than this is too little: a run writes more.
const LEAST_ROOM: u64 = 1 << 20;

/// A file that was opened.
#[derive(Debug, Clone)]
pub(super) struct OpenFile {
    path: PathBuf,
    /// Its device and its number there.
    identity: Option<(u64, u64)>,
}

impl OpenFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }

    /// Whether it is still in its place and has room.
    pub(super) fn look(&self, place: &str) -> Result<(), StoreError> {
        let place = place.to_owned();
        if self.identity.is_some() && identity(&self.path) != self.identity {
            return Err(StoreError::Replaced { place });
        }
        // A system that does not say how much room there is has to be believed when it writes.
        let Ok(disk) = rustix::fs::statvfs(&self.path) else { return Ok(()) };
        let room = disk.f_bavail.saturating_mul(disk.f_frsize);
        if room < LEAST_ROOM {
            let reason = format!("its disk has {} KiB left", room / 1024);
            return Err(StoreError::Full { place, reason, advice: FULL_ADVICE });
        }
        Ok(())
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
