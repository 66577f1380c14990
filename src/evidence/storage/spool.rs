//! A local folder in which a bag is written before it is committed.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use uuid::Uuid;

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

    /// Creates a new file, with the folders it is in, but never the spool itself: another process has discarded it that took
    /// this one for dead, and a bag of what was written since would lack what was written before.
    ///
    /// # Errors
    /// If it exists or cannot be created.
    pub fn file(&self, file: &str) -> io::Result<File> {
        let mut folder = self.folder.clone();
        for name in Path::new(file).parent().into_iter().flat_map(Path::components) {
            folder.push(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        File::create_new(self.path(file))
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

/// Removes a folder whose files and folders may be read-only. It is moved away first: whoever still writes into it must not
/// commit what is left of it.
pub(super) fn discard(folder: &Path) -> io::Result<()> {
    let mut away = folder.as_os_str().to_owned();
    away.push(format!(".{}", Uuid::new_v4()));
    let away = PathBuf::from(away);
    match fs::rename(folder, &away) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    unlock(&away)?;
    fs::remove_dir_all(away)
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
