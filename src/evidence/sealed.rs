//! One file of a sealed bag, if it is as it was sealed.

use std::io;

use super::{
    SEALED,
    storage::{Storage, join, read},
};
use crate::{digest::sha256, model::bag::BagName};

/// The manifest of the payload.
const MANIFEST: &str = "manifest-sha256.txt";

/// The bytes of a file of a bag; `None` if the bag was sealed without it.
///
/// # Errors
/// If the bag is missing, or the file, the manifest or the seal is not the one that was sealed.
pub fn file(storage: &dyn Storage, bag: &BagName, path: &str) -> io::Result<Option<Vec<u8>>> {
    let changed = |file: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{file} is not as it was sealed"));
    let bytes = |file: &str| read(storage, &join(&bag.folder, file));
    let seal = bytes(SEALED)?;
    if sha256(&seal) != bag.sha256 {
        return Err(changed(SEALED));
    }
    let manifest = bytes(MANIFEST)?;
    if digest_of(&seal, MANIFEST) != Some(sha256(&manifest)) {
        return Err(changed(MANIFEST));
    }
    let Some(expected) = digest_of(&manifest, path) else { return Ok(None) };
    let found = bytes(path)?;
    if sha256(&found) == expected { Ok(Some(found)) } else { Err(changed(path)) }
}

/// The digest that a manifest has of a file.
fn digest_of(manifest: &[u8], file: &str) -> Option<String> {
    let text = std::str::from_utf8(manifest).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(digest, name)| (digest, name.trim_start())).find(|(_, name)| *name == file).map(|one| one.0.to_owned())
}
