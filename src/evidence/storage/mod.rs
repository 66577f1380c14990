//! Where evidence is kept. Bags, mails, the ledger and its checkpoints are objects with keys such as
//! `mail/0a1b….eml`; a [`Storage`] puts, gets, lists and removes them. [`folder::Folder`] keeps them as files,
//! [`objects::Objects`] in an object store such as S3. The trait is shaped so that both can implement it:
//! - Objects are immutable. [`Storage::put_new`] never overwrites (S3: `If-None-Match: *`).
//! - A bag is written into a local [`Spool`] first and becomes visible in one step, whole or not at all. A folder
//!   renames the spool; an object store puts it as one zip.
//! - The ledger is a [`Log`]: an append names the length at which it expects the log to end. A folder appends to a
//!   file; an object store puts a segment whose name is that length, so that only one writer can win.
//!
//! The trait is synchronous. Its callers compute digests, compress, render and zip, which is work for threads and
//! not for an async runtime, and they write through [`std::io::Write`]. An adapter that needs an async client waits
//! for it on a runtime of its own.

pub mod archive;
#[cfg(test)]
pub(crate) mod busy;
#[cfg(test)]
mod conformance;
mod each;
pub mod folder;
#[cfg(test)]
pub(crate) mod memory;
pub mod objects;
mod spool;

use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

pub use self::{each::each, spool::Spool};

/// The beginning of the name of a folder with something that is not committed.
pub(super) const DRAFT: &str = ".draft-";

/// Something that a storage lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name, without the folder it is in.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An object of this many bytes.
    Object(u64),
    /// A folder: more items have keys that begin with its name.
    Folder,
    /// Something that is being written, or that a process left when it died. It is not evidence.
    Draft,
    /// Something that no storage put there, such as a link; in words.
    Foreign(&'static str),
}

/// Keeps evidence.
///
/// Keys are relative paths with `/` between their parts. Every method refuses a key that leaves the storage
/// ([`io::ErrorKind::InvalidInput`]).
pub trait Storage: Log + fmt::Debug + Send + Sync {
    /// Names a key for messages: a path or an address. The empty key names the storage itself.
    fn place(&self, key: &str) -> String;

    /// Tells it from other storages, wherever a process was started.
    fn identity(&self) -> String {
        self.place("")
    }

    /// Lists what is directly in a folder, sorted by name; the empty key lists the storage itself. A folder that does
    /// not exist has no items. A bag that is not committed is not listed, or is listed as [`Kind::Draft`].
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn list(&self, folder: &str) -> io::Result<Vec<Item>>;

    /// Opens an object. Links are not followed.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such object.
    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Stores a new object. It is durable when this returns. Of several writers one wins.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if there is such an object: it is left unchanged.
    fn put_new(&self, key: &str, content: &[u8]) -> io::Result<()>;

    /// Removes an object, or a folder with everything in it. A bag disappears whole. Removing what does not exist
    /// succeeds.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn remove(&self, key: &str) -> io::Result<()>;

    /// How the files of a bag look from outside, to find out whether they may have changed since they were read. `None` if the
    /// storage cannot tell.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn look(&self, _bag: &str) -> io::Result<Option<Look>> {
        Ok(None)
    }

    /// Starts a bag in an empty spool. A draft of the same name that a dead process left is discarded.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if there is a bag of this name.
    fn spool(&self, name: &str) -> io::Result<Spool>;

    /// Makes a spooled bag visible under its name, read-only and durable. `seal` is the file that completes it: a
    /// storage that cannot rename puts it last.
    ///
    /// # Errors
    /// If the spool has no `seal`, if there is a bag of this name by now, or if it cannot be stored. Then nothing
    /// becomes visible.
    fn commit(&self, spool: Spool, seal: &str) -> io::Result<()>;

    /// Whether something can be put: leaves nothing behind. A storage that is not on this machine is not asked; what cannot be
    /// stored there waits.
    ///
    /// # Errors
    /// Why not.
    fn probe(&self) -> io::Result<()> {
        Ok(())
    }

    /// How often it can be asked whether its log is still there.
    fn look_every(&self) -> Duration {
        Duration::ZERO
    }

    /// How many calls should be under way at the same time where there are many to make.
    fn at_once(&self) -> usize {
        1
    }

    /// What this machine has committed and the storage does not have yet, because it could not be reached. Nothing else is
    /// put or appended before that.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn backlog(&self) -> io::Result<Backlog> {
        Ok(Backlog::default())
    }

    /// Whether a bag that was committed is stored, also if it waits on another machine.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn is_stored(&self, _bag: &str) -> io::Result<bool> {
        Ok(true)
    }

    /// Stores what waits.
    ///
    /// # Errors
    /// If something still waits, and why.
    fn drain(&self) -> io::Result<()> {
        Ok(())
    }

    /// The bags that this machine has stored and that [`Storage::forget_receipts`] was not called for. A storage in which bags
    /// never wait, and that keeps no versions, has none.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn receipts(&self) -> io::Result<Vec<Receipt>> {
        Ok(Vec::new())
    }

    /// Forgets receipts: they are recorded elsewhere.
    ///
    /// # Errors
    /// If that cannot be stored; then they are given again.
    fn forget_receipts(&self, _: &[Receipt]) -> io::Result<()> {
        Ok(())
    }

    /// The version of a bag that is there now; `None` if there is no such bag, or no versions are kept.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn version(&self, _bag: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    /// A bag at a version, as a storage of its own; `None` if there is no such version.
    ///
    /// # Errors
    /// If that cannot be determined.
    fn at_version(&self, _bag: &str, _version: &str) -> io::Result<Option<Arc<dyn Storage>>> {
        Ok(None)
    }
}

/// How the files of a bag look from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The SHA-256 of what is known of each file: its name, size and times.
    pub sha256: String,
    /// When the last of them changed in any way.
    pub changed_at: SystemTime,
}

/// That a bag was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The name of the bag.
    pub bag: String,
    /// The version of its object; `None` if the storage keeps no versions.
    #[serde(default)]
    pub version: Option<String>,
    /// The SHA-256 of its object.
    pub sha256: String,
}

/// Bags that wait for a storage that could not be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub bags: u64,
    /// Their size.
    pub bytes: u64,
    /// Since when the oldest waits.
    pub since: Option<SystemTime>,
}

/// Bytes that are only ever appended to, such as the ledger.
pub trait Log {
    /// The length in bytes; 0 if there is no such log.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn length(&self, key: &str) -> io::Result<u64>;

    /// Reads a log from a position to its end.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such log.
    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>>;

    /// The length, and the last bytes: as many as a few lines usually have, or all.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn end(&self, key: &str) -> io::Result<(u64, Vec<u8>)> {
        let length = self.length(key)?;
        if length == 0 {
            return Ok((0, Vec::new()));
        }
        let from = length.saturating_sub(LOG_END);
        let mut bytes = self.read_from(key, from)?;
        // Others may have appended meanwhile.
        bytes.truncate(usize::try_from(length - from).unwrap_or(usize::MAX));
        Ok((length, bytes))
    }

    /// Appends if the log still has the given length, and creates it if that is 0. Returns whether it did: `false`
    /// means that another writer was faster. The bytes are durable when this returns.
    ///
    /// # Errors
    /// If it cannot be written. A process that dies here may leave a part of the bytes.
    fn append(&self, key: &str, length: u64, bytes: &[u8]) -> io::Result<bool>;
}

/// How many bytes at the end of a log are read to find its last line: far more than a line is.
const LOG_END: u64 = 1 << 16;

/// The largest object that is read whole, in bytes: far more than a manifest, an answer or a mail has.
const LARGEST: u64 = 64 << 20;

/// The content of an object.
///
/// # Errors
/// As of [`Storage::get`], and if it is larger than any object that is read whole.
pub fn read(storage: &dyn Storage, key: &str) -> io::Result<Vec<u8>> {
    bounded(storage.get(key)?, LARGEST)
}

/// The rest of a reader.
///
/// # Errors
/// If it cannot be read, or if it has more bytes than `most`.
pub fn bounded(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} bytes")));
    }
    Ok(content)
}

/// Whether there is an object with this key.
///
/// # Errors
/// If that cannot be determined.
pub fn has(storage: &dyn Storage, key: &str) -> io::Result<bool> {
    match storage.get(key) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The key of something in a folder; the empty key is the storage itself.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Refuses a key that leads out of the storage, into a draft, or nowhere.
fn checked(key: &str) -> io::Result<&str> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if key.split('/').all(is_part) && !key.starts_with(DRAFT) {
        return Ok(key);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{key:?} is not a valid key; expected a relative path")))
}
