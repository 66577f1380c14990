//! The file with the mapping of pseudonyms, which its owner alone may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::unreadable;
use crate::{cli::output::Failure, export::Mapping};

/// The mapping in a file; a new one with a new key if there is no such file.
pub(super) fn of(path: &Path) -> Result<Mapping, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Mapping::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Mapping::new(rand::random())),
        Err(error) => Err(unreadable(&path.display().to_string(), &error)),
    }
}

/// Writes it, whole or not at all.
pub(super) fn save(mapping: &Mapping, path: &Path) -> io::Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| io::Error::other(format!("{} cannot be written: {error}", path.display()));
    let text = mapping.text().map_err(|error| failed(&error))?;
    let draft = path.with_added_extension("part");
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    })();
    written.map_err(|error: io::Error| failed(&error))
}
