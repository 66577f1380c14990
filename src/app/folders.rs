//! The folders that rolecall writes to, tried before they are needed.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::config::settings::{EvidencePlace, Settings, StorePlace};

/// Less room than this is too little: a run writes more.
const LEAST_ROOM: u64 = 1 << 20;

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something else has its name.
    #[error("`{key}`: {} is not a folder; name another place, or move it away", path.display())]
    NotAFolder {
        /// The key of the configuration.
        key: &'static str,
        /// What is there.
        path: PathBuf,
    },
    /// It has the name of a file.
    #[error("`{key}`: {} is a folder, and the store is a file; name a file in it", path.display())]
    NotAFile {
        /// The key of the configuration.
        key: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// Nothing can be written to it.
    #[error("`{key}`: {} cannot be written to: {source}; let the account that runs rolecall write there", path.display())]
    NotWritable {
        /// The key of the configuration.
        key: &'static str,
        /// The folder, or the nearest one above it that exists.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its disk is full.
    #[error("`{key}`: the disk of {} has {kib} KiB left; make room", path.display())]
    Full {
        /// The key of the configuration.
        key: &'static str,
        /// The folder.
        path: PathBuf,
        /// What is left.
        kib: u64,
    },
}

/// What is wrong with the folders of a configuration.
#[derive(Debug, Default)]
pub struct Folders {
    /// Those that cannot be used.
    pub errors: Vec<FolderError>,
    /// Those that other accounts on this machine can read, with the key of each.
    pub exposed: Vec<(&'static str, PathBuf)>,
}

/// Tries each folder. A folder that does not exist is not created; what is above it must be writable.
pub fn try_folders(settings: &Settings) -> Folders {
    let mut folders = Folders::default();
    if let StorePlace::File(path) = &settings.store.place
        && path.is_dir()
    {
        folders.errors.push(FolderError::NotAFile { key: "store.url", path: path.clone() });
    }
    for (key, path) in written(settings) {
        if let Err(error) = try_folder(key, path) {
            folders.errors.push(error);
        } else if is_exposed(path) {
            folders.exposed.push((key, path.to_owned()));
        }
    }
    folders
}

/// The folders, each with the key that names it.
fn written(settings: &Settings) -> Vec<(&'static str, &Path)> {
    let mut written = Vec::new();
    if let StorePlace::File(path) = &settings.store.place {
        written.push(("store.url", path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))));
    }
    match settings.evidence.as_ref().map(|evidence| &evidence.place) {
        Some(EvidencePlace::Folder(path)) => written.push(("evidence.directory", path)),
        Some(EvidencePlace::Bucket(bucket)) => written.push(("evidence.spool", &bucket.spool)),
        None => {}
    }
    written
}

fn try_folder(key: &'static str, path: &Path) -> Result<(), FolderError> {
    let Some(path) = path.ancestors().find(|path| path.exists()) else { return Ok(()) };
    if !path.is_dir() {
        return Err(FolderError::NotAFolder { key, path: path.to_owned() });
    }
    // A system that does not say how much room there is has to be believed when it writes.
    if let Ok(disk) = rustix::fs::statvfs(path)
        && disk.f_blocks > 0
    {
        let room = disk.f_bavail.saturating_mul(disk.f_frsize);
        if room < LEAST_ROOM {
            return Err(FolderError::Full { key, path: path.to_owned(), kib: room / 1024 });
        }
    }
    // Only writing tells: permissions, mounts and sandboxes may each forbid it.
    let probe = path.join(format!(".rolecall-check-{}", Uuid::new_v4()));
    let tried = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    tried.map_err(|source| FolderError::NotWritable { key, path: path.to_owned(), source })
}

/// Whether accounts other than the owner and the group can list a folder.
fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_yet_is_judged_by_what_is_above_it_and_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        try_folder("evidence.directory", &path).unwrap();
        assert!(!folder.path().join("a").exists());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is left of the try");
    }

    #[test]
    fn a_file_in_its_place_and_a_folder_that_forbids_writing_are_named_with_their_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("evidence");
        fs::write(&file, "").unwrap();
        let error = try_folder("evidence.directory", &file.join("bags")).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("`evidence.directory`: {} is not a folder; name another place, or move it away", file.display())
        );
        let error = try_folder("store.url", Path::new("/proc/self")).unwrap_err();
        assert!(matches!(error, FolderError::NotWritable { key: "store.url", .. }), "{error}");
    }

    #[test]
    fn only_a_folder_that_everybody_can_list_is_exposed() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, exposed) in [(0o700, false), (0o750, false), (0o755, true)] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(folder.path()), exposed, "{mode:o}");
        }
    }
}
