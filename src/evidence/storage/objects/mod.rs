//! Evidence in an object store, such as S3: below a prefix, each bag is one object `bags/NAME.zip`, and the ledger is
//! objects below `log/` that are never changed. Everything else, such as mails, has its own key.
//!
//! - `client` calls the store; what is put is put with a condition and read back.
//! - `waiting` keeps a bag in a local folder until it is there. Nothing else is written before every bag that waits is
//!   stored, so that no mail leaves and no entry is added to the ledger before the bag that it names.
//! - `remote` reads a zip in parts, `log` the ledger.

mod client;
mod log;
mod pack;
pub mod probe;
mod refusal;
mod remote;
pub mod s3;
#[cfg(test)]
pub(super) mod tests;
mod waiting;

use std::{
    collections::BTreeSet,
    io::{self, Cursor, Read},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use object_store::{ObjectStore, path::Path};

pub use self::client::is_unreachable;
use self::{
    client::Client,
    remote::{END, Remote},
    waiting::{ENDING, Waiting},
};
use super::{Backlog, Item, Kind, LARGEST, Log, Receipt, Spool, Storage, archive::Archive, checked, join};
use crate::digest::sha256;

/// The folder of bags.
const BAGS: &str = "bags";
/// The object that `rolecall check` puts, to see what the store does. It is not evidence.
const PROBE: &str = "rolecall-probe.txt";
/// How long others may wait for a bag to be stored. A worker does not renew its claim meanwhile.
const BRIEF: Duration = Duration::from_secs(20);
/// The bytes per second that every connection is expected to have.
const SLOWEST: u64 = 64 << 10;
/// How often it is asked whether the ledger is still there. Each time is two calls.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How many bags are read at the same time, where many are.
const AT_ONCE: usize = 8;
/// How many bags are kept open.
const OPEN: usize = 2 * AT_ONCE;
/// How many bytes of a log are in one chapter. It is part of the keys that keep writers apart: all replicas need the same.
const CHAPTER: u64 = 1 << 20;

/// Evidence in an object store.
#[derive(Debug)]
pub struct Objects {
    client: Arc<Client>,
    waiting: Waiting,
    /// The bags that were read last.
    open: Mutex<Vec<Open>>,
    /// Names of folders that are not bags.
    loose: Mutex<BTreeSet<String>>,
    chapter: u64,
    /// The end of the ledger.
    parts: log::Parts,
}

/// A bag that was read.
#[derive(Debug, Clone)]
struct Open {
    bag: String,
    archive: Arc<Archive>,
    /// The version of its object; `None` if the store keeps none.
    version: Option<String>,
}

impl Objects {
    /// Keeps evidence below a prefix of a store. `place` is its address as users know it. Bags that cannot be stored wait in
    /// the folder `spool`, at most `most_waiting` bytes of them.
    ///
    /// # Errors
    /// If the prefix is not valid, or no thread can be started.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        prefix: &str,
        place: String,
        spool: PathBuf,
        most_waiting: u64,
    ) -> io::Result<Self> {
        let prefix =
            Path::parse(prefix).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        Ok(Self {
            client: Arc::new(Client::new(store, prefix, place)?),
            waiting: Waiting::new(spool, most_waiting),
            open: Mutex::default(),
            loose: Mutex::default(),
            chapter: CHAPTER,
            parts: log::Parts::default(),
        })
    }

    /// The client, before anything is read.
    #[cfg(test)]
    fn client_mut(&mut self) -> &mut Client {
        Arc::get_mut(&mut self.client).unwrap()
    }

    /// A bag; `None` if there is no bag of this name.
    fn bag(&self, name: &str) -> io::Result<Option<Arc<Archive>>> {
        if self.loose().contains(name) {
            return Ok(None);
        }
        match Archive::open(&self.waiting.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            archive => return archive.map(Arc::new).map(Some),
        }
        Ok(self.stored(name)?.map(|open| open.archive))
    }

    /// A bag in the store; `None` if there is none of this name.
    fn stored(&self, name: &str) -> io::Result<Option<Open>> {
        if let Some(open) = self.open().iter().find(|open| open.bag == name) {
            return Ok(Some(open.clone()));
        }
        let Some(found) = self.fetched(name, None)? else { return Ok(None) };
        let mut open = self.open();
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push(found.clone());
        Ok(Some(found))
    }

    /// A bag as it is in the store, or was at a version.
    fn fetched(&self, name: &str, version: Option<&str>) -> io::Result<Option<Open>> {
        let key = object(name);
        let end = match self.client.tail(&key, END, version) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            end => end?,
        };
        let found = end.version.clone();
        let remote = Remote::new(Arc::clone(&self.client), key, end);
        let archive = Arc::new(Archive::of(Arc::new(remote), self.place(name))?);
        Ok(Some(Open { bag: name.to_owned(), archive, version: found }))
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loose(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.loose.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a bag that waits. Others that wait are left alone.
    fn send(&self, name: &str, patience: Duration) -> io::Result<()> {
        let Some(bag) = self.waiting.lock(name, patience)? else { return Ok(()) };
        let content = Bytes::from(bag.content()?);
        let version = self.client.create(&object(name), content.clone(), patience)?.version;
        let receipt = Receipt { bag: name.to_owned(), version, sha256: sha256(&content) };
        self.waiting.stored(bag, &receipt)
    }

    /// Puts every bag that waits, unless that takes too long.
    fn drain_within(&self, budget: Duration) -> io::Result<()> {
        let end = Instant::now() + budget;
        for name in self.waiting.names()? {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "bags still wait to be stored"));
            }
            self.send(&name, left).map_err(|error| self.stuck(&name, error))?;
        }
        Ok(())
    }

    /// Explains that a bag cannot be stored.
    fn stuck(&self, name: &str, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::other(format!(
                "{} is another bag than the one of this name that waits in {}; compare them, and move the wrong one away",
                self.place(name),
                self.waiting.path(name).display()
            )),
            _ => error,
        }
    }

    /// Puts an object after every bag that waits.
    fn put(&self, key: &str, content: &[u8]) -> io::Result<()> {
        self.drain_within(BRIEF)?;
        let stored = self.client.create(key, Bytes::copy_from_slice(content), self.client.patience)?;
        if stored.is_new { Ok(()) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    }

    /// What is in the store itself.
    fn roots(&self) -> io::Result<Vec<Item>> {
        let (folders, objects) = self.client.list("")?;
        let mut items = Vec::new();
        for name in folders {
            match name.as_str() {
                BAGS => self.bags(&mut items)?,
                log::LOGS => {
                    for log in self.logs()? {
                        let length = self.log_length(&log)?.unwrap_or_default();
                        items.push(Item { name: log, kind: Kind::Object(length) });
                    }
                }
                _ => items.push(Item { name, kind: Kind::Folder }),
            }
        }
        let objects = objects.into_iter().filter(|(name, _)| name != PROBE);
        items.extend(objects.map(|(name, size)| Item { name, kind: Kind::Object(size) }));
        items.extend(self.waiting.names()?.into_iter().map(|name| Item { name, kind: Kind::Folder }));
        Ok(items)
    }

    fn bags(&self, items: &mut Vec<Item>) -> io::Result<()> {
        let (folders, objects) = self.client.list_history(BAGS)?;
        for (name, _) in objects {
            items.push(match name.strip_suffix(ENDING) {
                Some(name) => Item { name: name.to_owned(), kind: Kind::Folder },
                None => Item { name: join(BAGS, &name), kind: Kind::Foreign("not a bag") },
            });
        }
        let foreign = |name: String| Item { name: join(BAGS, &name), kind: Kind::Foreign("not a bag") };
        items.extend(folders.into_iter().map(foreign));
        Ok(())
    }

    /// Removes every object below a key.
    fn remove_below(&self, key: &str) -> io::Result<()> {
        let (folders, objects) = self.client.list_history(key)?;
        for folder in folders {
            self.remove_below(&join(key, &folder))?;
        }
        objects.iter().try_for_each(|(name, _)| self.client.remove(&join(key, name)))
    }
}

/// The object of a bag.
fn object(bag: &str) -> String {
    format!("{BAGS}/{bag}{ENDING}")
}

/// A key that is not that of a bag's object, or of a part of a log.
fn free(key: &str) -> io::Result<&str> {
    let first = checked(key)?.split('/').next().unwrap_or_default();
    if [BAGS, log::LOGS, PROBE].contains(&first) && key.contains('/') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{key:?} is reserved")));
    }
    Ok(key)
}

impl Storage for Objects {
    fn place(&self, key: &str) -> String {
        // The names of bags begin with the year.
        let key = match key.split_once('/') {
            _ if !key.starts_with(|first: char| first.is_ascii_digit()) => key.to_owned(),
            None => object(key),
            Some((bag, file)) => format!("{}/{file}", object(bag)),
        };
        join(self.client.place(), &key).trim_end_matches('/').to_owned()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let mut items = if folder.is_empty() {
            self.roots()?
        } else {
            let (first, inside) = free(folder)?.split_once('/').unwrap_or((folder, ""));
            if let Some(bag) = self.bag(first)? {
                return bag.list(inside);
            }
            let (folders, objects) = self.client.list_history(folder)?;
            let folders = folders.into_iter().map(|name| Item { name, kind: Kind::Folder });
            folders.chain(objects.into_iter().map(|(name, size)| Item { name, kind: Kind::Object(size) })).collect()
        };
        items.sort();
        items.dedup();
        Ok(items)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        let content = match free(key)?.split_once('/') {
            Some((first, file)) => {
                if let Some(bag) = self.bag(first)? {
                    return bag.get(file);
                }
                let content = self.client.get(key, LARGEST)?;
                self.loose().insert(first.to_owned());
                content
            }
            None => match self.client.get(key, LARGEST) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.read_from(key, 0)?.into(),
                content => content?,
            },
        };
        Ok(Box::new(Cursor::new(content)))
    }

    fn put_new(&self, key: &str, content: &[u8]) -> io::Result<()> {
        self.put(free(key)?, content)
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        free(key)?;
        if self.client.size(key)?.is_some() {
            return self.client.remove(key);
        }
        if !key.contains('/') {
            if let Some(bag) = self.waiting.lock(key, BRIEF)? {
                bag.remove()?;
            }
            self.open().retain(|open| open.bag != key);
            if self.client.size(&object(key))?.is_some() {
                return self.client.remove(&object(key));
            }
        }
        self.remove_below(key)
    }

    fn spool(&self, name: &str) -> io::Result<Spool> {
        let exists = || io::Error::from(io::ErrorKind::AlreadyExists);
        if self.waiting.has(free(name)?) {
            return Err(exists());
        }
        match self.client.size(&object(name)) {
            Ok(None) => {}
            Ok(Some(_)) => return Err(exists()),
            // That there is none is checked again when it is put.
            Err(error) if is_unreachable(&error) => {}
            Err(error) => return Err(error),
        }
        self.waiting.spool(name)
    }

    fn commit(&self, spool: Spool, seal: &str) -> io::Result<()> {
        let name = spool.name().to_owned();
        self.waiting.add(&spool, seal)?;
        drop(spool);
        match self.send(&name, BRIEF) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(bag) = self.waiting.lock(&name, BRIEF)? {
                    bag.remove()?;
                }
                Err(error)
            }
            Err(error) => {
                tracing::warn!(bag = self.place(&name), %error, "the bag cannot be stored yet and waits in the spool");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn look_every(&self) -> Duration {
        LOOK_EVERY
    }

    fn backlog(&self) -> io::Result<Backlog> {
        self.waiting.backlog()
    }

    fn receipts(&self) -> io::Result<Vec<Receipt>> {
        self.waiting.receipts()
    }

    fn forget_receipts(&self, receipts: &[Receipt]) -> io::Result<()> {
        self.waiting.forget(receipts)
    }

    fn version(&self, bag: &str) -> io::Result<Option<String>> {
        if self.waiting.has(bag) {
            return Ok(None);
        }
        if let Some(open) = self.open().iter().find(|open| open.bag == bag) {
            return Ok(open.version.clone());
        }
        // It may be something else than a bag by now.
        match self.client.said(&object(bag)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            said => Ok(said?.0),
        }
    }

    fn at_version(&self, bag: &str, version: &str) -> io::Result<Option<Arc<dyn Storage>>> {
        Ok(self.fetched(bag, Some(version))?.map(|open| open.archive as _))
    }

    fn is_stored(&self, bag: &str) -> io::Result<bool> {
        Ok(!self.waiting.has(bag) && self.client.size(&object(bag))?.is_some())
    }

    fn drain(&self) -> io::Result<()> {
        for name in self.waiting.names()? {
            let patience = self.client.patience + Duration::from_secs(self.waiting.size(&name) / SLOWEST);
            self.send(&name, patience).map_err(|error| self.stuck(&name, error))?;
        }
        Ok(())
    }
}

impl Log for Objects {
    fn length(&self, key: &str) -> io::Result<u64> {
        Ok(self.log_length(checked(key)?)?.unwrap_or_default())
    }

    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>> {
        self.log_bytes(checked(key)?, position)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn end(&self, key: &str) -> io::Result<(u64, Vec<u8>)> {
        self.log_end(checked(key)?)
    }

    fn append(&self, key: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        checked(key)?;
        self.drain_within(BRIEF)?;
        self.log_append(key, length, bytes)
    }
}
