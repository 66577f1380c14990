//! A bag that is being written: in a folder of its own beside its place, until it is whole.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flate2::{Compress, Compression, FlushCompress, Status};
use sha2::{Digest as _, Sha256, Sha512};

use super::{DECLARATION, SEALED, SIGNATURE, key::SigningKey};
use crate::digest::hex;

/// The beginning of a draft's name; what is left of a process that died.
pub(super) const PREFIX: &str = ".draft-";
/// Longer than any read may take.
const ABANDONED: Duration = Duration::from_hours(48);

/// The window of gzip (RFC 1951: 32 KiB), as a power of two.
const WINDOW: u8 = 15;
/// Bytes of room for what is compressed, beside a share of it.
const CHUNK: usize = 1 << 12;

/// A bag could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A file or folder cannot be written.
    #[error("the evidence {path} cannot be written: {source}. Nothing is kept of this bag; earlier ones are untouched")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a bag of this name.
    #[error("there is evidence of this name already: {path}. It is left alone")]
    Exists {
        /// The bag.
        path: PathBuf,
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

/// A bag that is being written. One that is dropped leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    target: PathBuf,
    payload: Mutex<BTreeMap<String, Sealed>>,
    /// Those that nobody compresses with just now.
    presses: Mutex<Vec<Press>>,
    finished: bool,
}

impl Draft {
    /// Begins a bag in a folder of bags. A draft of the same name that a dead process left is thrown away.
    ///
    /// # Errors
    /// [`DraftError`], also where there is such a bag already.
    pub fn begin(bags: &Path, name: &str) -> Result<Self, DraftError> {
        let (folder, target) = (bags.join(format!("{PREFIX}{name}")), bags.join(name));
        if target.exists() {
            return Err(DraftError::Exists { path: target });
        }
        let failed = |source| DraftError::Write { path: folder.clone(), source };
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        fs::create_dir_all(bags).map_err(failed)?;
        sweep(bags);
        fs::create_dir(&folder).map_err(failed)?;
        // Names and addresses of people are nobody else's business.
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(Self { folder, target, payload: Mutex::default(), presses: Mutex::default(), finished: false })
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
            let failed = |source| DraftError::Write { path: self.folder.join(&from), source };
            fs::rename(self.folder.join(&from), self.folder.join(&to)).map_err(failed)?;
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
        let failed = |source| DraftError::Write { path: self.folder.join(&path), source };
        fs::remove_file(self.folder.join(&path)).map_err(failed)?;
        self.payload().remove(&path);
        Ok(())
    }

    /// Seals the bag, with `bag-info.txt` and other files beside its payload, signs it where there is a key, and puts it
    /// in its place, whole and on the disk. Returns the place
    /// and the SHA-256 of [`SEALED`], by which the bag can be named elsewhere.
    ///
    /// # Errors
    /// [`DraftError`]; then there is no bag.
    pub fn finish(
        mut self,
        info: &[(&str, String)],
        beside: &[(&str, String)],
        key: Option<&SigningKey>,
    ) -> Result<(PathBuf, String), DraftError> {
        let payload = std::mem::take(&mut *self.payload());
        let octets: u64 = payload.values().map(|sealed| sealed.length).sum();
        let mut text = String::new();
        for (name, value) in info {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}: {}", one_line(value));
        }
        let _ = writeln!(text, "Payload-Oxum: {octets}.{}", payload.len());
        let manifest = |digest: fn(&Sealed) -> &str, files: &BTreeMap<String, Sealed>| {
            files.iter().fold(String::new(), |mut text, (path, sealed)| {
                let _ = writeln!(text, "{}  {path}", digest(sealed));
                text
            })
        };
        let mut tags = BTreeMap::new();
        for (name, content) in [
            ("bagit.txt", DECLARATION.to_owned()),
            ("bag-info.txt", text),
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
        self.put_in_place()?;
        Ok((self.target.clone(), name))
    }

    fn presses(&self) -> MutexGuard<'_, Vec<Press>> {
        self.presses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payload(&self) -> MutexGuard<'_, BTreeMap<String, Sealed>> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, path: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Sealed, DraftError> {
        debug_assert!(is_plain(path), "{path} needs no encoding in a manifest");
        let file = self.folder.join(path);
        let written = (|| {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut sealing = Sealing {
                file: BufWriter::with_capacity(1 << 16, File::create_new(&file)?),
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
        written.map_err(|source| DraftError::Write { path: file, source })
    }

    /// Everything is on the disk before the name is, so that a bag that is there is whole; then it is read-only.
    fn put_in_place(&mut self) -> Result<(), DraftError> {
        let failed = |source| DraftError::Write { path: self.target.clone(), source };
        let bags = self.target.parent().unwrap_or(Path::new("."));
        let placed = (|| {
            lock_up(&self.folder)?;
            let folder = File::open(&self.folder)?;
            // One call for all files; hundreds of single ones would take longer than the read.
            rustix::fs::syncfs(&folder)?;
            fs::rename(&self.folder, &self.target)?;
            File::open(bags)?.sync_all()
        })();
        placed.map_err(failed)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is when a draft of this name is begun again.
            let _ = unlock(&self.folder).and_then(|()| fs::remove_dir_all(&self.folder));
        }
    }
}

/// Throws away drafts that nobody has touched for so long that nobody can still be at them.
fn sweep(bags: &Path) {
    let is_abandoned = |path: &Path| {
        let touched = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        touched.and_then(|touched| touched.elapsed().ok()).is_some_and(|age| age > ABANDONED)
    };
    for entry in fs::read_dir(bags).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&path) {
            // One that cannot be removed does no harm.
            let _ = unlock(&path).and_then(|()| fs::remove_dir_all(&path));
        }
    }
}

/// Takes away the right to write, from the inside out.
fn lock_up(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            lock_up(&entry.path())?;
        } else {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o400))?;
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(0o500))
}

/// Removes a bag, or what there is still of one.
///
/// # Errors
/// Where something of it cannot be removed.
pub fn remove(bag: &Path) -> io::Result<()> {
    unlock(bag)?;
    fs::remove_dir_all(bag)
}

/// Gives the right to remove back.
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

/// Whether a path stands in a manifest as it is (RFC 8493, 2.1.3 encodes line ends and `%`) and stays inside the bag.
fn is_plain(path: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    path.chars().all(good) && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// A value as `bag-info.txt` has it: on one line.
pub(super) fn one_line(value: &str) -> String {
    value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Compresses one content after another. A new one for each would leave holes among what stays in memory: four times
/// of it for a large workspace (measured with glibc's allocator).
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
