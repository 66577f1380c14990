//! A local folder in which a bag is written before it is committed.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// A bag that is being written. It is discarded if it is dropped before it is committed.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    name: String,
    is_committed: bool,
}

impl Spool {
    /// Creates the folder, which must not exist. Only its owner may read it: bags hold names and addresses.
    pub(super) fn create(folder: PathBuf, name: &str) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        Ok(Self { folder, name: name.to_owned(), is_committed: false })
    }

    /// The name under which the bag will be visible.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of a file, for messages.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Creates a new file, with the folders it is in.
    ///
    /// # Errors
    /// If it exists or cannot be created.
    pub fn file(&self, file: &str) -> io::Result<File> {
        let path = self.path(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create_new(path)
    }

    /// Renames a file.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(self.path(file))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the folder, which is the bag now.
    pub(super) fn committed(mut self) {
        self.is_committed = true;
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.is_committed {
            // If this fails, the next draft of the same name discards it.
            let _ = discard(&self.folder);
        }
    }
}

/// Removes a folder whose files and folders may be read-only.
pub(super) fn discard(folder: &Path) -> io::Result<()> {
    unlock(folder)?;
    fs::remove_dir_all(folder)
}

fn unlock(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        }
    }
    Ok(())
}
