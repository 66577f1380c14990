//! The file of a store: whether it is still the one that was opened, and whether its disk has room.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    fs::{FlockOperation, fcntl_lock},
    io::Errno,
};

use super::FULL_ADVICE;
use crate::store::StoreError;

/// Less room than this is too little: a run writes more.
const LEAST_ROOM: u64 = 1 << 20;

/// The device of a file and its number there.
type Identity = (u64, u64);

/// A file that was opened. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
    /// The write-ahead log of the connection. `None` if it was not seen yet.
    log: Arc<Mutex<Option<Identity>>>,
}

impl OpenFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path), log: Arc::default() }
    }

    /// The same once the file exists.
    pub(super) fn opened(self) -> Self {
        Self { identity: identity(&self.path), ..self }
    }

    /// A new connection may have another write-ahead log: the last one to end removes it.
    pub(super) fn connected(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the write-ahead log is in its place: until it is copied into the file, what was written is only there.
    fn has_log(&self) -> bool {
        let mut path = OsString::from(&self.path);
        path.push("-wal");
        let now = identity(Path::new(&path));
        let mut known = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.or(now);
        *known == now
    }

    /// Whether it is still in its place and has room.
    pub(super) fn look(&self, place: &str) -> Result<(), StoreError> {
        let place = place.to_owned();
        let is_emptied = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == 0);
        if (self.identity.is_some() && identity(&self.path) != self.identity) || is_emptied || !self.has_log() {
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

/// Whether another process has a database open: with a write-ahead log, SQLite holds a shared lock on its file for as long
/// (<https://www.sqlite.org/walformat.html#locks>). This process must not have it open itself: it would lose its own locks.
/// A file that cannot be locked, because this account may not write it, counts as not open.
pub(super) fn is_open_elsewhere(path: &Path) -> bool {
    let Ok(file) = std::fs::OpenOptions::new().read(true).write(true).open(path) else { return false };
    // It ends when the file is closed.
    let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
    locked.is_err_and(|error| [Errno::AGAIN, Errno::ACCESS].contains(&error))
}

fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
