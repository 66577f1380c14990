//! Evidence as files in a folder.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    fs::{Access, CWD, Mode, OFlags, RenameFlags},
    io::Errno,
};
use uuid::Uuid;

use super::{DRAFT, Item, Kind, Log, Look, Spool, Storage, checked, spool::discard};
use crate::digest::sha256;

/// A draft that was not changed for this long belongs to a dead process: no read takes so long.
const ABANDONED: Duration = Duration::from_hours(48);

/// How often a process looks for such drafts: the folder has an entry for each bag there ever was.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How long another process may hold a file that is to be written. A write takes far less; if it takes longer, both write
/// the same bytes in the same place.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Less room than this is too little: a bag has more.
const LEAST_ROOM: u64 = 1 << 20;

/// A folder of evidence.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// When abandoned drafts were last looked for.
    swept: Arc<Mutex<Option<Instant>>>,
}

impl Folder {
    /// Keeps evidence in a folder, which is created with the first object.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { root: path.into(), swept: Arc::default() }
    }

    /// Opens a folder that must exist.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self::new(path))
    }

    /// Whether the folder exists.
    pub fn exists(&self) -> bool {
        self.root.exists()
    }

    fn path(&self, key: &str) -> io::Result<PathBuf> {
        Ok(self.root.join(checked(key)?))
    }

    fn draft(&self, name: &str) -> PathBuf {
        self.root.join(format!("{DRAFT}{name}"))
    }

    /// Discards drafts of dead processes, at most once per hour.
    fn sweep(&self) {
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.is_some_and(|last| last.elapsed() < SWEEP_EVERY) {
                return;
            }
            *swept = Some(Instant::now());
        }
        let is_abandoned = |path: &Path| {
            let touched = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
            touched.and_then(|touched| touched.elapsed().ok()).is_some_and(|age| age > ABANDONED)
        };
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(DRAFT) && is_abandoned(&path) {
                // A draft that cannot be removed does no harm.
                let _ = discard(&path);
            }
        }
    }

    /// Writes a file into a draft folder and moves it to its place.
    fn place_file(&self, draft: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
        let file = draft.join("object");
        let mut written = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&file)?;
        written.write_all(content)?;
        written.sync_all()?;
        let parent = path.parent().unwrap_or(&self.root);
        if parent != self.root {
            create(parent)?;
            fs::set_permissions(parent, Permissions::from_mode(0o700))?;
        }
        rename_new(&file, path)?;
        File::open(parent)?.sync_all()
    }
}

impl Storage for Folder {
    fn place(&self, key: &str) -> String {
        if key.is_empty() { self.root.display().to_string() } else { self.root.join(key).display().to_string() }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let path = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut items = Vec::new();
        for entry in entries {
            let entry = entry?;
            // The kind of a link itself, not of its target.
            let metadata = match entry.metadata() {
                // Another writer has moved its draft into place or discarded it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let (name, is_text) = match entry.file_name().into_string() {
                Ok(name) => (name, true),
                Err(name) => (name.to_string_lossy().into_owned(), false),
            };
            let kind = if !is_text {
                Kind::Foreign("not named in UTF-8")
            } else if metadata.is_dir() {
                if folder.is_empty() && name.starts_with(DRAFT) { Kind::Draft } else { Kind::Folder }
            } else if metadata.is_file() {
                Kind::Object(metadata.len())
            } else {
                Kind::Foreign("neither a file nor a folder")
            };
            items.push(Item { name, kind });
        }
        items.sort();
        Ok(items)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_plain(&self.path(key)?)?))
    }

    fn look(&self, bag: &str) -> io::Result<Option<Look>> {
        let root = self.path(bag)?;
        let (mut lines, mut changed_at, mut folders) = (Vec::new(), (0, 0), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                // Of a link itself, not of its target.
                let metadata = entry.metadata()?;
                let changed = (metadata.ctime(), metadata.ctime_nsec());
                changed_at = changed_at.max(changed);
                // Whatever the name is, escaped.
                let path = entry.path();
                let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
                lines.push(format!(
                    "{name:?} {:o} {} {} {}.{:09} {}.{:09}\n",
                    metadata.mode(),
                    metadata.ino(),
                    metadata.len(),
                    metadata.mtime(),
                    metadata.mtime_nsec(),
                    changed.0,
                    changed.1,
                ));
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        lines.sort();
        let (seconds, nanoseconds) = changed_at;
        let since = Duration::new(seconds.unsigned_abs(), u32::try_from(nanoseconds).unwrap_or_default());
        let sha256 = sha256(lines.concat().as_bytes());
        Ok(Some(Look { sha256, changed_at: SystemTime::UNIX_EPOCH + since }))
    }

    fn probe(&self) -> io::Result<()> {
        // Folders that do not exist yet are created with the first object.
        let there = |path: &Path| path.ancestors().find(|path| path.exists()).map(Path::to_owned);
        let folder = there(&self.root).unwrap_or_else(|| PathBuf::from("."));
        if !folder.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
        }
        let disk = rustix::fs::statvfs(&folder)?;
        let room = disk.f_bavail.saturating_mul(disk.f_frsize);
        // A file system that does not know its own size has to be believed when it writes.
        if disk.f_blocks > 0 && room < LEAST_ROOM {
            let left = format!("its disk has {} KiB left", room / 1024);
            return Err(io::Error::new(io::ErrorKind::StorageFull, left));
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::open(&folder, flags, Mode::RUSR | Mode::WUSR) {
            Ok(nameless) => File::from(nameless).write_all(&[0; 4096]),
            // A file system without such files.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                Ok(rustix::fs::access(&folder, Access::WRITE_OK | Access::EXEC_OK)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn identity(&self) -> String {
        std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone()).display().to_string()
    }

    fn put_new(&self, key: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(key)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        create(&self.root)?;
        let draft = self.draft(&Uuid::now_v7().to_string());
        fs::create_dir(&draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o700))?;
        let placed = self.place_file(&draft, &path, content);
        // If this fails, it is swept later.
        let _ = fs::remove_dir_all(&draft);
        placed
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        let path = self.path(key)?;
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(metadata) if metadata.is_dir() => {
                // A bag disappears whole, also if this process dies while it removes the files.
                let draft = self.draft(&Uuid::now_v7().to_string());
                fs::rename(path, &draft)?;
                discard(&draft)
            }
            Ok(_) => fs::remove_file(path),
        }
    }

    fn spool(&self, name: &str) -> io::Result<Spool> {
        if fs::symlink_metadata(self.path(name)?).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let draft = self.draft(name);
        if draft.exists() {
            discard(&draft)?;
        }
        create(&self.root)?;
        self.sweep();
        let spool = Spool::create(draft, name).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::other("another process writes a bag of this name"),
            _ => error,
        })?;
        // Whoever wrote the draft that was discarded may have committed it at that moment.
        if fs::symlink_metadata(self.path(name)?).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(spool)
    }

    fn commit(&self, spool: Spool, seal: &str) -> io::Result<()> {
        let path = self.path(spool.name())?;
        if !spool.path(seal).exists() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the bag has no {seal}")));
        }
        lock(spool.folder())?;
        let folder = File::open(spool.folder())?;
        // One call for all files; hundreds of single ones would take longer than the read.
        rustix::fs::syncfs(&folder)?;
        // Make everything durable before the rename, so that a named bag is complete.
        rename_new(spool.folder(), &path)?;
        spool.committed();
        File::open(&self.root)?.sync_all()
    }
}

impl Log for Folder {
    fn length(&self, key: &str) -> io::Result<u64> {
        match open_plain(&self.path(key)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            file => Ok(file?.metadata()?.len()),
        }
    }

    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>> {
        let mut file = open_plain(&self.path(key)?)?;
        file.seek(SeekFrom::Start(position))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&self, key: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        let path = self.path(key)?;
        create(&self.root)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let is_locked = take_turn(&file)?;
        if file.metadata()?.len() != length {
            return Ok(false);
        }
        // At its place and not at the end: a process that stood still and goes on writes the same bytes over themselves.
        let written = file.write_all_at(bytes, length).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // If the disk is full, take back what was written of it, unless another process has written all of it meanwhile.
            let whole = length.saturating_add(bytes.len() as u64);
            if is_locked && file.metadata().is_ok_and(|now| now.len() < whole) {
                let _ = file.set_len(length);
            }
            return Err(error);
        }
        Ok(true)
    }
}

/// Locks a file. Returns whether it did: a process that stands still, or a machine that is gone, may hold the lock for ever,
/// and must not keep the others from writing.
fn take_turn(file: &File) -> io::Result<bool> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                tracing::warn!("another process holds a file of the evidence for too long; it is written all the same");
                return Ok(false);
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
}

/// Creates a folder that only its owner may read: evidence names everybody. A file in its place is not the same as an object
/// that exists.
fn create(folder: &Path) -> io::Result<()> {
    let above = folder.parent().map_or(Ok(()), fs::create_dir_all);
    let created = above.and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(folder));
    created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"),
        _ => error,
    })
}

/// Opens a regular file. A link is not followed, and nothing is opened that may never end.
fn open_plain(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// Renames unless the new name is taken.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot do it in one step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

/// Makes files and folders read-only, from the inside out.
fn lock(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            lock(&entry.path())?;
        } else {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o400))?;
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(0o500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_that_another_process_discarded_becomes_no_bag() {
        let place = tempfile::tempdir().unwrap();
        let (stopped, successor) = (Folder::new(place.path()), Folder::new(place.path()));
        let spool = stopped.spool("bag").unwrap();
        spool.file("data/answers/1.json").unwrap().write_all(b"{}").unwrap();
        drop(successor.spool("bag").unwrap());
        // It goes on where it stood still.
        assert_eq!(spool.file("data/reports/report.json").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(spool.file("seal").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(stopped.commit(spool, "seal").is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_probe_leaves_nothing_and_creates_no_folder() {
        let place = tempfile::tempdir().unwrap();
        Folder::new(place.path()).probe().unwrap();
        Folder::new(place.path().join("new/evidence")).probe().unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(Folder::new(file).probe().unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn the_folder_that_is_created_is_for_its_owner_alone_and_one_that_exists_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = place.path().join("above/evidence");
        assert!(Folder::new(&folder).append("ledger.jsonl", 0, b"one\n").unwrap());
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        assert!(Folder::new(&folder).append("ledger.jsonl", 4, b"two\n").unwrap());
        assert_eq!(mode(&folder), 0o750);
    }

    #[test]
    fn a_process_that_stands_still_in_a_write_keeps_no_other_from_writing() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        assert!(folder.append("ledger.jsonl", 0, b"one\n").unwrap());
        let still = OpenOptions::new().write(true).open(place.path().join("ledger.jsonl")).unwrap();
        still.lock().unwrap();
        assert!(folder.append("ledger.jsonl", 4, b"two\nthree\n").unwrap());
        // It goes on with what it had seen of the ledger.
        still.write_all_at(b"two\n", 4).unwrap();
        assert_eq!(folder.read_from("ledger.jsonl", 0).unwrap(), b"one\ntwo\nthree\n");
    }
}
