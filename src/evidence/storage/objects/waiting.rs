//! Bags that wait for the object store, as files: each a whole zip with the name that its object will have. A bag is there
//! before its object is put and until that is proven, so that a process may die at any time.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use uuid::Uuid;

use super::pack::pack;
use crate::evidence::storage::{Backlog, Receipt, Spool, folder::rename_new, spool::discard};

/// The ending of a bag's file, here and in the object store.
pub(super) const ENDING: &str = ".zip";
/// How long is waited before it is tried again whether somebody else still sends a bag.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// A draft that was not changed for this long belongs to a dead process: no read takes so long.
const ABANDONED: Duration = Duration::from_hours(48);

/// A local folder with bags that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    folder: PathBuf,
    /// The most bytes that may wait.
    most: u64,
}

/// A bag that waits and that no other process sends meanwhile.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Waiting {
    pub(super) fn new(folder: PathBuf, most: u64) -> Self {
        Self { folder, most }
    }

    fn bags(&self) -> PathBuf {
        self.folder.join("bags")
    }

    fn drafts(&self) -> PathBuf {
        self.folder.join("drafts")
    }

    /// The file of a bag.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.bags().join(format!("{name}{ENDING}"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The size of a bag that waits.
    pub(super) fn size(&self, name: &str) -> u64 {
        fs::metadata(self.path(name)).map_or(0, |metadata| metadata.len())
    }

    /// A folder in which a bag is written. Drafts of dead processes are discarded.
    pub(super) fn spool(&self, name: &str) -> io::Result<Spool> {
        let drafts = self.drafts();
        create(&drafts)?;
        for entry in fs::read_dir(&drafts)?.flatten() {
            let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            if changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > ABANDONED) {
                // A draft that cannot be removed does no harm.
                let _ = if entry.path().is_dir() { discard(&entry.path()) } else { fs::remove_file(entry.path()) };
            }
        }
        Spool::create(drafts.join(Uuid::now_v7().to_string()), name)
    }

    /// Lets a bag wait. It is durable when this returns.
    pub(super) fn add(&self, spool: &Spool, seal: &str) -> io::Result<()> {
        if !spool.path(seal).exists() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the bag has no {seal}")));
        }
        let (bags, part) = (self.bags(), self.drafts().join(format!("{}{ENDING}", Uuid::now_v7())));
        create(&bags)?;
        let added = self.place(spool, seal, &part);
        if added.is_err() {
            // If this fails, it is discarded later.
            let _ = fs::remove_file(&part);
        }
        added
    }

    fn place(&self, spool: &Spool, seal: &str, part: &Path) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
        pack(spool.folder(), spool.name(), seal, file)?;
        let (bytes, waits) = (fs::metadata(part)?.len(), self.backlog()?);
        if waits.bags > 0 && waits.bytes + bytes > self.most {
            let Backlog { bags, bytes, .. } = waits;
            let (most, folder) = (self.most, self.folder.display());
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "{bags} bags of {bytes} bytes wait in {folder} for the object store; `spool_megabytes` allows {most} bytes"
                ),
            ));
        }
        rename_new(part, &self.path(spool.name()))?;
        File::open(self.bags())?.sync_all()
    }

    /// The names of the bags that wait, oldest first.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let names = self.entries()?.into_iter().map(|(name, _)| name);
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        Ok(names)
    }

    fn receipt(&self, bag: &str) -> PathBuf {
        self.folder.join("stored").join(format!("{bag}.json"))
    }

    /// A bag is stored. The receipt is kept first, so that it is known also if the process dies here.
    pub(super) fn stored(&self, bag: Locked, receipt: &Receipt) -> io::Result<()> {
        let (path, part) = (self.receipt(&receipt.bag), self.drafts().join(Uuid::now_v7().to_string()));
        create(&self.drafts())?;
        create(&self.folder.join("stored"))?;
        fs::write(&part, serde_json::to_vec(receipt)?)?;
        fs::rename(part, path)?;
        bag.remove()
    }

    /// The receipts of bags that were stored.
    pub(super) fn receipts(&self) -> io::Result<Vec<Receipt>> {
        let entries = match fs::read_dir(self.folder.join("stored")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut receipts = Vec::new();
        for entry in entries {
            match fs::read(entry?.path()) {
                // Another process has recorded it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                read => receipts.push(serde_json::from_slice::<Receipt>(&read?)?),
            }
        }
        receipts.sort_by(|one, other| one.bag.cmp(&other.bag));
        Ok(receipts)
    }

    /// Forgets them.
    pub(super) fn forget(&self, receipts: &[Receipt]) -> io::Result<()> {
        receipts.iter().try_for_each(|receipt| match fs::remove_file(self.receipt(&receipt.bag)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
    }

    /// How much waits.
    pub(super) fn backlog(&self) -> io::Result<Backlog> {
        let mut backlog = Backlog::default();
        for (_, metadata) in self.entries()? {
            backlog.bags += 1;
            backlog.bytes += metadata.len();
            let since = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            backlog.since = Some(backlog.since.map_or(since, |oldest| oldest.min(since)));
        }
        Ok(backlog)
    }

    fn entries(&self) -> io::Result<Vec<(String, fs::Metadata)>> {
        let entries = match fs::read_dir(self.bags()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            match (name.strip_suffix(ENDING), entry.metadata()) {
                (Some(name), Ok(metadata)) if metadata.is_file() => found.push((name.to_owned(), metadata)),
                // Not a bag; or another process has sent it meanwhile.
                _ => {}
            }
        }
        Ok(found)
    }

    /// Takes a bag to send it, once nobody else does; `None` if it does not wait any more.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] if somebody still sends it after this time.
    pub(super) fn lock(&self, name: &str, patience: Duration) -> io::Result<Option<Locked>> {
        let (path, end) = (self.path(name), Instant::now() + patience);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(path.exists().then_some(Locked { path, _lock: file })),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(TRY_AGAIN),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!("the bag {name} is still being stored"),
                    ));
                }
            }
        }
    }
}

impl Locked {
    /// The zip.
    pub(super) fn content(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    /// It waits no longer.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Creates a folder that only its owner may read: bags hold names and addresses.
fn create(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}
