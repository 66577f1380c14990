//! A bag that is being written: its files in a spool, their digests in manifests, until it is committed.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use flate2::{Compress, Compression, FlushCompress, Status};
use sha2::{Digest as _, Sha256, Sha512};

use super::{
    DECLARATION, SEALED, SIGNATURE,
    key::SigningKey,
    storage::{Spool, Storage},
};
use crate::digest::hex;

/// The window of gzip (RFC 1951: 32 KiB), as a power of two.
const WINDOW: u8 = 15;
/// Bytes of room for compressed content, in addition to a share of its size.
const CHUNK: usize = 1 << 12;

/// A bag could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A file or folder cannot be written.
    #[error("the evidence {path} cannot be written: {source}. Nothing is kept of this bag; earlier ones are untouched")]
    Write {
        /// The file or folder.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// There is a bag of this name.
    #[error("the bag {place} already exists; it is left unchanged")]
    Exists {
        /// The bag.
        place: String,
    },
    /// The key cannot sign.
    #[error("the evidence cannot be signed: {0}")]
    Sign(String),
}

/// The digests of a file, as hexadecimal digits, and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sealed {
    sha256: String,
    sha512: String,
    length: u64,
}

/// A bag that is being written. It is discarded if it is dropped before it is finished.
#[derive(Debug)]
pub struct Draft {
    spool: Spool,
    payload: Mutex<BTreeMap<String, Sealed>>,
    /// Compressors that are not in use.
    presses: Mutex<Vec<Press>>,
}

impl Draft {
    /// Starts a bag. A draft of the same name that a dead process left is discarded.
    ///
    /// # Errors
    /// [`DraftError::Exists`] if there is such a bag.
    pub fn begin(storage: &dyn Storage, name: &str) -> Result<Self, DraftError> {
        let spool = storage.spool(name).map_err(|error| failed(storage, name, error))?;
        Ok(Self { spool, payload: Mutex::default(), presses: Mutex::default() })
    }

    /// The name that the bag will have.
    pub fn name(&self) -> &str {
        self.spool.name()
    }

    /// Adds a file to the payload: its path below `data/`, of letters, digits, `.`, `-`, `_` and `/`.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn add(&self, path: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DraftError> {
        let path = format!("data/{path}");
        let sealed = self.write(&path, write)?;
        self.payload().insert(path, sealed);
        Ok(())
    }

    /// Adds a file, compressed by gzip, the same bytes for the same content.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn add_gzip(&self, path: &str, content: &[u8]) -> Result<(), DraftError> {
        let mut press = self.presses().pop().unwrap_or_default();
        let written = press.gzip(content).map_err(io::Error::other);
        let added = self.add(path, |writer| written.and_then(|()| writer.write_all(&press.packed)));
        self.presses().push(press);
        added
    }

    /// Gives files of the payload other names: from and to, below `data/`. Nothing may be in the place of a new name.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn rename(&self, moves: &[(String, String)]) -> Result<(), DraftError> {
        let mut payload = self.payload();
        for (from, to) in moves {
            let (from, to) = (format!("data/{from}"), format!("data/{to}"));
            debug_assert!(is_plain(&to) && !payload.contains_key(&to), "{to} is a new name");
            self.spool.rename(&from, &to).map_err(|source| self.failed(&from, source))?;
            if let Some(sealed) = payload.remove(&from) {
                payload.insert(to, sealed);
            }
        }
        Ok(())
    }

    /// Takes a file of the payload out again: its path below `data/`.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn take_out(&self, path: &str) -> Result<(), DraftError> {
        let path = format!("data/{path}");
        self.spool.remove(&path).map_err(|source| self.failed(&path, source))?;
        self.payload().remove(&path);
        Ok(())
    }

    /// Seals the bag with `bag-info.txt` and other files beside its payload, signs it if there is a key, and commits
    /// it. Returns the SHA-256 of [`SEALED`], by which the bag can be named elsewhere.
    ///
    /// # Errors
    /// [`DraftError`]; then there is no bag.
    pub fn finish(
        self,
        storage: &dyn Storage,
        info: &[(&str, String)],
        beside: &[(&str, String)],
        key: Option<&SigningKey>,
    ) -> Result<String, DraftError> {
        let payload = std::mem::take(&mut *self.payload());
        let info = bag_info(info, &payload);
        let mut tags = BTreeMap::new();
        for (name, content) in [
            ("bagit.txt", DECLARATION.to_owned()),
            ("bag-info.txt", info),
            ("manifest-sha256.txt", manifest(|sealed| &sealed.sha256, &payload)),
            ("manifest-sha512.txt", manifest(|sealed| &sealed.sha512, &payload)),
        ] {
            tags.insert(name.to_owned(), self.write(name, |writer| writer.write_all(content.as_bytes()))?);
        }
        for (name, content) in beside {
            tags.insert((*name).to_owned(), self.write(name, |writer| writer.write_all(content.as_bytes()))?);
        }
        self.write("tagmanifest-sha512.txt", |writer| {
            writer.write_all(manifest(|sealed| &sealed.sha512, &tags).as_bytes())
        })?;
        let sealed = manifest(|sealed| &sealed.sha256, &tags);
        let Sealed { sha256: name, .. } = self.write(SEALED, |writer| writer.write_all(sealed.as_bytes()))?;
        if let Some(key) = key {
            let signature = key.sign(sealed.as_bytes()).map_err(|error| DraftError::Sign(error.to_string()))?;
            self.write(SIGNATURE, |writer| writer.write_all(signature.as_bytes()))?;
        }
        let bag = self.spool.name().to_owned();
        storage.commit(self.spool, SEALED).map_err(|error| failed(storage, &bag, error))?;
        Ok(name)
    }

    fn presses(&self) -> MutexGuard<'_, Vec<Press>> {
        self.presses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payload(&self) -> MutexGuard<'_, BTreeMap<String, Sealed>> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, path: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Sealed, DraftError> {
        debug_assert!(is_plain(path), "{path} needs no encoding in a manifest");
        let written = (|| {
            let mut sealing = Sealing {
                file: BufWriter::with_capacity(1 << 16, self.spool.file(path)?),
                sha256: Sha256::new(),
                sha512: Sha512::new(),
                length: 0,
            };
            write(&mut sealing)?;
            sealing.file.flush()?;
            Ok(Sealed {
                sha256: hex(&sealing.sha256.finalize()),
                sha512: hex(&sealing.sha512.finalize()),
                length: sealing.length,
            })
        })();
        written.map_err(|source| self.failed(path, source))
    }

    fn failed(&self, file: &str, source: io::Error) -> DraftError {
        DraftError::Write { path: self.spool.path(file).display().to_string(), source }
    }
}

fn failed(storage: &dyn Storage, bag: &str, source: io::Error) -> DraftError {
    let place = storage.place(bag);
    match source.kind() {
        io::ErrorKind::AlreadyExists => DraftError::Exists { place },
        _ => DraftError::Write { path: place, source },
    }
}

/// The text of `bag-info.txt`.
fn bag_info(info: &[(&str, String)], payload: &BTreeMap<String, Sealed>) -> String {
    let mut text = String::new();
    for (name, value) in info {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {}", one_line(value));
    }
    let octets: u64 = payload.values().map(|sealed| sealed.length).sum();
    let _ = writeln!(text, "Payload-Oxum: {octets}.{}", payload.len());
    text
}

/// The text of a manifest.
fn manifest(digest: fn(&Sealed) -> &str, files: &BTreeMap<String, Sealed>) -> String {
    files.iter().fold(String::new(), |mut text, (path, sealed)| {
        let _ = writeln!(text, "{}  {path}", digest(sealed));
        text
    })
}

/// Whether a path needs no encoding in a manifest (RFC 8493, 2.1.3 encodes line ends and `%`) and stays inside the bag.
fn is_plain(path: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    path.chars().all(good) && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// A value for `bag-info.txt`: on one line.
pub(super) fn one_line(value: &str) -> String {
    value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A reused compressor. A new one for each file would fragment memory: four times as much for a large workspace (measured
/// with glibc's allocator).
#[derive(Debug)]
struct Press {
    state: Compress,
    packed: Vec<u8>,
}

impl Default for Press {
    fn default() -> Self {
        // Its header has neither a name nor a time: they would make two bags of the same answers differ.
        Self { state: Compress::new_gzip(Compression::fast(), WINDOW), packed: Vec::new() }
    }
}

impl Press {
    fn gzip(&mut self, content: &[u8]) -> Result<(), flate2::CompressError> {
        self.state.reset();
        self.packed.clear();
        loop {
            self.packed.reserve(content.len() / 4 + CHUNK);
            let read = usize::try_from(self.state.total_in()).unwrap_or(usize::MAX);
            let rest = content.get(read..).unwrap_or_default();
            if self.state.compress_vec(rest, &mut self.packed, FlushCompress::Finish)? == Status::StreamEnd {
                return Ok(());
            }
        }
    }
}

/// Digests what goes through.
struct Sealing {
    file: BufWriter<File>,
    sha256: Sha256,
    sha512: Sha512,
    length: u64,
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.sha512.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
