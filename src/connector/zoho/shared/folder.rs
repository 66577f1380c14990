//! The access token of a client in a file that only its owner may read, beside the store.
//!
//! A file that others may read, that belongs to somebody else, or that cannot be understood counts as not there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

/// The rights of all accounts but the owner.
const OTHERS: u32 = 0o077;
/// The most that is read of a file, in bytes.
const LARGEST: u64 = 64 << 10;
/// How often the lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The file of a client.
#[derive(Debug)]
pub(super) struct TokenFile {
    folder: PathBuf,
    file: PathBuf,
    lock: PathBuf,
}

/// The right to read and replace the file: no other process does so meanwhile.
#[derive(Debug)]
pub(super) struct FileTurn<'a> {
    shared: &'a TokenFile,
    owner: Owner,
    /// Unlocked when it is closed.
    _lock: File,
}

/// The account that the folder belongs to.
#[derive(Debug, Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Whether only the owner may read and change a file.
    fn has_alone(self, metadata: &fs::Metadata) -> bool {
        metadata.uid() == self.user && metadata.mode() & OTHERS == 0
    }

    /// Leaves a file to the owner, if an administrator of the machine made it.
    fn take(self, file: &File, path: &Path) -> io::Result<()> {
        if file.metadata()?.uid() == self.user { Ok(()) } else { chown(path, Some(self.user), Some(self.group)) }
    }
}

impl TokenFile {
    /// The file of a client in a folder.
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let file = |extension| folder.join(format!("{name}.{extension}"));
        Self { folder: folder.to_owned(), file: file("json"), lock: file("lock") }
    }

    /// Waits until no other process reads or replaces the file. `None` if it cannot be used: then every process has a token
    /// of its own.
    pub(super) async fn turn(&self, wait: Duration) -> Option<FileTurn<'_>> {
        let (lock, owner) = match self.open_lock() {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(folder = %self.folder.display(), %error, "the access token is not shared");
                return None;
            }
        };
        let deadline = Instant::now() + wait;
        while lock.try_lock().is_err() {
            if Instant::now() >= deadline {
                tracing::debug!(file = %self.lock.display(), "another process holds the access token for too long");
                return None;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Some(FileTurn { shared: self, owner, _lock: lock })
    }

    fn open_lock(&self) -> io::Result<(File, Owner)> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let folder = fs::symlink_metadata(&self.folder)?;
        let owner = Owner { user: folder.uid(), group: folder.gid() };
        if !folder.is_dir() || !owner.has_alone(&folder) {
            return Err(io::Error::other("accounts other than its owner may read or change the folder"));
        }
        let lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.lock)?;
        owner.take(&lock, &self.lock)?;
        Ok((lock, owner))
    }
}

impl FileTurn<'_> {
    /// What is in the file; empty if there is none that can be used.
    pub(super) fn content(&self) -> Vec<u8> {
        let read = || {
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
                .open(&self.shared.file)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() || !self.owner.has_alone(&metadata) {
                return Err(io::Error::other("accounts other than its owner may read or change it"));
            }
            let mut text = Vec::new();
            file.take(LARGEST).read_to_end(&mut text)?;
            Ok(text)
        };
        match read() {
            Ok(content) => content,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %self.shared.file.display(), %error, "the shared access token is not used");
                }
                Vec::new()
            }
        }
    }

    /// Replaces the file.
    pub(super) fn replace(&self, content: &[u8]) {
        let file = &self.shared.file;
        let partial = file.with_extension("partial");
        let write = || {
            match fs::remove_file(&partial) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
            written.write_all(content)?;
            self.owner.take(&written, &partial)?;
            fs::rename(&partial, file)
        };
        if let Err(error) = write() {
            tracing::debug!(file = %file.display(), %error, "the access token cannot be shared");
        }
    }
}
