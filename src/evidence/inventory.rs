//! What may be in a storage of evidence: this list, and nothing else. Anything else is reported as a problem, so that
//! nothing can be placed beside the evidence and be mistaken for it.

use std::{collections::BTreeMap, io};

use super::{
    SEALED,
    ledger::{LEDGER, is_checkpoint},
    mail,
    storage::{Kind, Storage, each, has, join, read},
    timestamps,
};
use crate::digest::sha256;

/// Files that may be there, beside checkpoints.
const FILES: [&str; 2] = [
    LEDGER,
    // The public keys, which may stand beside what they signed.
    "allowed_signers",
];
/// A file system's own folder, if the directory is a mount point. Nothing may be in it.
const LOST: &str = "lost+found";

/// What is in a storage of evidence.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The names of folders that are bags, or should be, oldest first.
    pub folders: Vec<String>,
    /// The names of what is not in the list.
    pub strays: Vec<String>,
    /// What could not be looked at or does not count, in words.
    pub remarks: Vec<String>,
}

/// Looks at what is there.
///
/// # Errors
/// If the storage cannot be read.
pub fn of(storage: &dyn Storage) -> io::Result<Inventory> {
    let mut inventory = Inventory::default();
    for item in storage.list("")? {
        match item.kind {
            Kind::Draft => inventory.remarks.push(format!(
                "{} is not evidence: a bag that is being written, or that a process left when it died",
                item.name
            )),
            Kind::Folder if [mail::FOLDER, timestamps::FOLDER].contains(&item.name.as_str()) => {}
            Kind::Folder if item.name == LOST => match storage.list(LOST) {
                Ok(lost) => inventory.strays.extend(lost.into_iter().map(|item| join(LOST, &item.name))),
                Err(error) => {
                    inventory.remarks.push(format!("{LOST} belongs to the file system and was not looked at: {error}"));
                }
            },
            Kind::Folder => inventory.folders.push(item.name),
            Kind::Object(_) if is_known(&item.name) => {}
            Kind::Object(_) | Kind::Foreign(_) => inventory.strays.push(item.name),
        }
    }
    Ok(inventory)
}

fn is_known(name: &str) -> bool {
    FILES.contains(&name) || is_checkpoint(name)
}

/// Whether a folder is meant as a bag, also if its declaration was removed.
pub fn is_bag(storage: &dyn Storage, folder: &str) -> bool {
    ["bagit.txt", SEALED].iter().any(|file| has(storage, &join(folder, file)).unwrap_or(false))
}

/// The names of the bags, oldest first.
///
/// # Errors
/// If the storage cannot be read.
pub fn bags(storage: &dyn Storage) -> io::Result<Vec<String>> {
    let folders = of(storage)?.folders;
    let are_bags = each(storage, &folders, |folder| is_bag(storage, folder));
    Ok(folders.into_iter().zip(are_bags).filter_map(|(folder, is_bag)| is_bag.then_some(folder)).collect())
}

/// The bags, each with the SHA-256 of its sealed manifest, which is empty if it has none. Whether they are whole is for
/// verification.
///
/// # Errors
/// If the storage cannot be read.
pub fn digests(storage: &dyn Storage) -> io::Result<BTreeMap<String, String>> {
    let folders = of(storage)?.folders;
    let digests = each(storage, &folders, |folder| {
        let sealed = is_bag(storage, folder).then(|| read(storage, &join(folder, SEALED)));
        sealed.map(|sealed| sealed.map_or_else(|_| String::new(), |bytes| sha256(&bytes)))
    });
    Ok(folders.into_iter().zip(digests).filter_map(|(folder, digest)| Some((folder, digest?))).collect())
}
