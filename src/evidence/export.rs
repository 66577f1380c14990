//! One file for the auditor: the same evidence gives the same bytes.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    key::SigningKey,
    seal::{SUMS, SUMS_SIGNATURE},
    storage::{Kind, Storage, join},
};
use crate::digest::{hex, sha256, sha256_of};

/// Bytes from which on a file gets the longer fields of Zip64.
const LARGE: u64 = 3 << 30;

/// Something that goes into an export.
#[derive(Debug, Clone)]
pub enum Source {
    /// A text that is made for it.
    Text(Vec<u8>),
    /// An object as it is, by its key.
    Object(String),
    /// A folder with everything in it, by its key.
    Folder(String),
    /// A text that is made when it is written, so that one is in memory at a time.
    Made,
}

/// Makes texts while an export is written.
pub trait Making {
    /// The text with a name.
    ///
    /// # Errors
    /// If it cannot be made; then nothing is written.
    fn make(&mut self, name: &str) -> io::Result<Vec<u8>>;

    /// All texts are made, and the export gets its name next.
    ///
    /// # Errors
    /// If that must not be; then nothing is written.
    fn finish(&mut self) -> io::Result<()>;
}

/// Nothing is made.
struct Ready;

impl Making for Ready {
    fn make(&mut self, name: &str) -> io::Result<Vec<u8>> {
        Err(unmade(name))
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unmade(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is only made when it is written"))
}

/// Writes an export: a zip with one folder in it, sealed by a list of the digests of all files and, if there is a key,
/// by its signature; whole or not at all.
///
/// # Errors
/// If something cannot be read, written or signed, or if the file exists.
pub fn write(
    storage: &dyn Storage,
    path: &Path,
    folder: &str,
    contents: &[(String, Source)],
    key: Option<&SigningKey>,
) -> io::Result<()> {
    write_making(storage, path, folder, contents, (key, &mut Ready))
}

/// The same, with texts that are made meanwhile.
///
/// # Errors
/// As [`write()`], and those of the texts.
pub fn write_making(
    storage: &dyn Storage,
    path: &Path,
    folder: &str,
    contents: &[(String, Source)],
    (key, making): (Option<&SigningKey>, &mut dyn Making),
) -> io::Result<()> {
    let draft = path.with_added_extension("part");
    let written = (|| {
        if path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "this file already exists"));
        }
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let file = zip(storage, file, folder, contents, (key, making))?;
        file.sync_all()?;
        making.finish()?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        // If this fails, the next export overwrites it.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// The digests of all files of an export, as its list has them.
///
/// # Errors
/// If something cannot be read.
pub fn sums(storage: &dyn Storage, contents: &[(String, Source)]) -> io::Result<String> {
    let mut sums = String::new();
    for (name, source, _) in files(storage, contents)? {
        let digest = match source {
            Source::Text(text) => sha256(&text),
            Source::Object(key) | Source::Folder(key) => sha256_of(storage.get(&key)?)?,
            Source::Made => return Err(unmade(&name)),
        };
        sums = sums + &digest + "  " + &name + "\n";
    }
    Ok(sums)
}

/// The files of an export in their order, with their sizes as far as they are known.
fn files(storage: &dyn Storage, contents: &[(String, Source)]) -> io::Result<Vec<(String, Source, u64)>> {
    let mut files = Vec::new();
    for (name, source) in contents {
        match source {
            Source::Folder(key) => list(storage, key, name, &mut files)?,
            source => files.push((name.clone(), source.clone(), 0)),
        }
    }
    files.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(files)
}

fn zip(
    storage: &dyn Storage,
    file: File,
    folder: &str,
    contents: &[(String, Source)],
    (key, making): (Option<&SigningKey>, &mut dyn Making),
) -> io::Result<File> {
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let mut sums = String::new();
    for (name, source, size) in files(storage, contents)? {
        let source = if matches!(source, Source::Made) { Source::Text(making.make(&name)?) } else { source };
        // The digest of the bytes that go in, and not of what the file may hold when it is read again.
        let digest = add(storage, &mut zip, &format!("{folder}/{name}"), &source, size)?;
        sums = sums + &digest + "  " + &name + "\n";
    }
    let signature = key.map(|key| key.sign(sums.as_bytes())).transpose().map_err(io::Error::other)?;
    for (name, text) in [(SUMS, Some(sums)), (SUMS_SIGNATURE, signature)] {
        if let Some(text) = text {
            add(storage, &mut zip, &format!("{folder}/{name}"), &Source::Text(text.into_bytes()), 0)?;
        }
    }
    let mut file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.flush()?;
    Ok(file)
}

/// Writes one folder as a zip to a stream.
///
/// # Errors
/// If something cannot be read or written.
pub fn stream(storage: &dyn Storage, folder: &str, out: impl Write) -> io::Result<()> {
    let mut files = Vec::new();
    list(storage, folder, folder, &mut files)?;
    files.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut zip = ZipWriter::new_stream(out);
    for (name, source, size) in files {
        add(storage, &mut zip, &name, &source, size)?;
    }
    zip.finish()?.into_inner().flush()
}

/// The objects below a key, with their names in the export and their sizes.
fn list(storage: &dyn Storage, key: &str, name: &str, files: &mut Vec<(String, Source, u64)>) -> io::Result<()> {
    for item in storage.list(key)? {
        let (key, name) = (join(key, &item.name), join(name, &item.name));
        match item.kind {
            Kind::Folder => list(storage, &key, &name, files)?,
            Kind::Object(size) => files.push((name, Source::Object(key), size)),
            Kind::Draft | Kind::Foreign(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{key} is not a file of evidence")));
            }
        }
    }
    Ok(())
}

/// Adds a file; gives the SHA-256 of what was added.
fn add<W: Write + Seek>(
    storage: &dyn Storage,
    zip: &mut ZipWriter<W>,
    name: &str,
    source: &Source,
    size: u64,
) -> io::Result<String> {
    // Neither the time nor the permissions of a file: they say nothing about the evidence.
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_packed = ["gz", "zst", "xlsx"].contains(&extension);
    let options = SimpleFileOptions::default()
        .compression_method(if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated })
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(if extension == "sh" { 0o755 } else { 0o644 })
        .large_file(size > LARGE);
    zip.start_file(name, options)?;
    match source {
        Source::Text(text) => {
            zip.write_all(text)?;
            Ok(sha256(text))
        }
        Source::Object(key) | Source::Folder(key) => {
            let mut object = storage.get(key)?;
            let mut digesting = Digesting { zip, digest: Sha256::new() };
            io::copy(&mut object, &mut digesting)?;
            Ok(hex(&digesting.digest.finalize()))
        }
        Source::Made => Err(unmade(name)),
    }
}

/// Digests what goes into the zip.
struct Digesting<'a, W: Write + Seek> {
    zip: &'a mut ZipWriter<W>,
    digest: Sha256,
}

impl<W: Write + Seek> Write for Digesting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}
