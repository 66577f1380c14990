//! The files of a sealed bag, if they are as they were sealed.

use std::{collections::BTreeMap, io};

use super::{
    SEALED,
    storage::{Storage, bounded, join, read},
};
use crate::{digest::sha256, model::bag::BagName};

/// The manifest of the payload.
const MANIFEST: &str = "manifest-sha256.txt";
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// A bag whose manifests are those that were sealed. Each file is compared with its digest when it is read.
#[derive(Debug)]
pub struct SealedBag<'a> {
    storage: &'a dyn Storage,
    /// Its name: the folder, and the digest that covers everything in it.
    pub name: BagName,
    /// The digests of its files.
    digests: BTreeMap<String, String>,
}

impl<'a> SealedBag<'a> {
    /// Opens a bag.
    ///
    /// # Errors
    /// If it is missing, or if its manifest or seal is not the one that was sealed.
    pub fn open(storage: &'a dyn Storage, name: &BagName) -> io::Result<Self> {
        let bytes = |file: &str| read(storage, &join(&name.folder, file));
        let seal = bytes(SEALED)?;
        if sha256(&seal) != name.sha256 {
            return Err(changed(SEALED));
        }
        let mut digests = digests(&seal);
        let manifest = bytes(MANIFEST)?;
        if digests.get(MANIFEST) != Some(&sha256(&manifest)) {
            return Err(changed(MANIFEST));
        }
        digests.extend(self::digests(&manifest));
        Ok(Self { storage, name: name.clone(), digests })
    }

    /// The SHA-256 of a file as it was sealed; `None` if the bag was sealed without it.
    pub fn sha256(&self, file: &str) -> Option<&str> {
        self.digests.get(file).map(String::as_str)
    }

    /// The bytes of a file; `None` if the bag was sealed without it.
    ///
    /// # Errors
    /// If it is missing, or not the one that was sealed.
    pub fn read(&self, file: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(expected) = self.digests.get(file) else { return Ok(None) };
        let found = bounded(self.storage.get(&join(&self.name.folder, file))?, LARGEST)?;
        if sha256(&found) == *expected { Ok(Some(found)) } else { Err(changed(file)) }
    }
}

/// The bytes of a file of a bag; `None` if the bag was sealed without it.
///
/// # Errors
/// If the bag is missing, or the file, the manifest or the seal is not the one that was sealed.
pub fn file(storage: &dyn Storage, bag: &BagName, path: &str) -> io::Result<Option<Vec<u8>>> {
    SealedBag::open(storage, bag)?.read(path)
}

fn changed(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{file} is not as it was sealed"))
}

/// The digests in a manifest, by file.
fn digests(manifest: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(manifest).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(digest, name)| (name.trim_start().to_owned(), digest.to_owned())).collect()
}
