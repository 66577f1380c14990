//! What may be in a folder of evidence: this list, and nothing else. What is not in it is a problem, so that nothing can be
//! laid beside the evidence and be taken for it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    SEALED, draft,
    ledger::{LEDGER, is_checkpoint},
    mail,
};

/// Files that may be there, beside the checkpoints and what an aborted process left of one.
const FILES: [&str; 2] = [
    LEDGER,
    // The public keys, which may stand beside what they signed.
    "allowed_signers",
];
/// Folders that may be there, beside the bags and drafts of bags.
const FOLDERS: [&str; 2] = [
    mail::FOLDER,
    // A file system's own, where the directory is where one is mounted.
    "lost+found",
];

/// What is in a folder of evidence.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Folders that are bags, or should be; the oldest first by their names.
    pub folders: Vec<PathBuf>,
    /// The names of what is not in the list.
    pub strays: Vec<String>,
}

/// Looks at what is in a folder. Links are not followed.
///
/// # Errors
/// Where the folder cannot be read.
pub fn of(folder: &Path) -> io::Result<Inventory> {
    let mut inventory = Inventory::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            inventory.strays.push(path.display().to_string());
            continue;
        };
        if kind.is_dir() {
            if !FOLDERS.contains(&name.as_str()) && !name.starts_with(draft::PREFIX) {
                inventory.folders.push(path);
            }
        } else if !kind.is_file() || !is_known(&name) {
            inventory.strays.push(name);
        }
    }
    inventory.folders.sort();
    inventory.strays.sort();
    Ok(inventory)
}

fn is_known(name: &str) -> bool {
    // A checkpoint that is being written is hidden, and so is its signature.
    FILES.contains(&name) || is_checkpoint(name.strip_prefix('.').unwrap_or(name))
}

/// Whether a folder is meant as a bag: also where its declaration was taken away.
pub fn is_bag(folder: &Path) -> bool {
    let has = |file| fs::symlink_metadata(folder.join(file)).is_ok_and(|metadata| metadata.is_file());
    has("bagit.txt") || has(SEALED)
}

/// The bags of a folder, the oldest first by their names.
///
/// # Errors
/// Where the folder cannot be read.
pub fn bags(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut bags = of(folder)?.folders;
    bags.retain(|path| is_bag(path));
    Ok(bags)
}
