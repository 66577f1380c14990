//! The files of a folder as found, compared with lists of digests: nothing changed, nothing missing, nothing added.

use std::{collections::BTreeMap, fmt, io};

use sha2::{Sha256, Sha512};

use super::storage::{self, Kind, Storage, join};
use crate::digest::hex;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A file is missing.
    Missing {
        /// The file, inside the folder.
        file: String,
        /// What lists it.
        list: String,
    },
    /// A file was not sealed.
    Extra {
        /// The file, inside the folder.
        file: String,
        /// The list that does not have it.
        list: String,
    },
    /// Something that cannot be sealed: a link, a device, a folder without a file.
    NoFile {
        /// It, inside the folder.
        file: String,
        /// What it is.
        what: &'static str,
    },
    /// The content of a file changed.
    Changed {
        /// The file, inside the folder.
        file: String,
        /// The list with its digest.
        list: String,
    },
    /// A file that describes the others is malformed.
    Malformed {
        /// The file, inside the folder.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// There is no signature, although a trusted key should have signed.
    Unsigned {
        /// The file with the signature.
        file: String,
    },
    /// The signature is not valid.
    Signature {
        /// Why not.
        why: String,
    },
    /// Something cannot be read.
    Unreadable {
        /// The file, inside the folder.
        file: String,
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { file, list } => write!(f, "{file} was sealed ({list}) but is missing"),
            Self::Extra { file, list } => write!(f, "{file} was not sealed ({list})"),
            Self::NoFile { file, what } => write!(f, "{file} is {what}, which cannot be sealed"),
            Self::Changed { file, list } => write!(f, "{file} is not as it was sealed ({list})"),
            Self::Malformed { file, why } => write!(f, "{file} has been changed: {why}"),
            Self::Unsigned { file } => write!(f, "{file} is missing: it was not signed, or the signature was removed"),
            Self::Signature { why } => write!(f, "the signature is not valid: {why}"),
            Self::Unreadable { file, why } => write!(f, "{file} cannot be read: {why}"),
        }
    }
}

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Hexadecimal digits of a digest.
    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// The files of a folder, and what is wrong with them.
#[derive(Debug)]
pub(super) struct Files<'a> {
    storage: &'a dyn Storage,
    folder: &'a str,
    /// Every file, by its path inside the folder, and its length.
    pub(super) lengths: BTreeMap<String, u64>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Files<'a> {
    /// Everything in a folder, also what is hidden. What is neither a file nor a folder with files is a problem.
    pub(super) fn of(storage: &'a dyn Storage, folder: &'a str) -> Self {
        let mut files = Self { storage, folder, lengths: BTreeMap::new(), problems: Vec::new() };
        let mut folders = vec![String::new()];
        while let Some(inside) = folders.pop() {
            files.walk(&inside, &mut folders);
        }
        files
    }

    fn walk(&mut self, inside: &str, folders: &mut Vec<String>) {
        let shown = if inside.is_empty() { "." } else { inside };
        let items = match self.storage.list(&self.key(inside)) {
            Ok(items) => items,
            Err(error) => return self.unreadable(shown, &error),
        };
        if items.is_empty() {
            self.problems.push(Problem::NoFile { file: shown.to_owned(), what: "an empty folder" });
        }
        for item in items {
            let file = join(inside, &item.name);
            match item.kind {
                Kind::Folder => folders.push(file),
                Kind::Object(bytes) => {
                    self.lengths.insert(file, bytes);
                }
                Kind::Draft => self.problems.push(Problem::NoFile { file, what: "a draft" }),
                Kind::Foreign(what) => self.problems.push(Problem::NoFile { file, what }),
            }
        }
    }

    /// The key of a file.
    fn key(&self, file: &str) -> String {
        if file.is_empty() { self.folder.to_owned() } else { join(self.folder, file) }
    }

    pub(super) fn malformed(&mut self, file: &str, why: impl Into<String>) {
        self.problems.push(Problem::Malformed { file: file.to_owned(), why: why.into() });
    }

    fn unreadable(&mut self, file: &str, error: &io::Error) {
        self.problems.push(Problem::Unreadable { file: file.to_owned(), why: error.to_string() });
    }

    /// The content of a file that a list requires. What is not a regular file is not opened: reading it may never end.
    pub(super) fn read(&mut self, file: &str, list: &str) -> Option<Vec<u8>> {
        if !self.lengths.contains_key(file) {
            self.problems.push(Problem::Missing { file: file.to_owned(), list: list.to_owned() });
            return None;
        }
        storage::read(self.storage, &self.key(file)).map_err(|error| self.unreadable(file, &error)).ok()
    }

    /// Compares the files with a list as `sha256sum` writes it, sorted by name. It must list each file that it `covers`, and
    /// be written in the only possible way.
    pub(super) fn check(&mut self, list: &str, algorithm: Algorithm, needed: &str, covers: impl Fn(&str) -> bool) {
        let Some(bytes) = self.read(list, needed) else { return };
        let Ok(text) = String::from_utf8(bytes) else { return self.malformed(list, "it is not UTF-8") };
        let mut listed = BTreeMap::new();
        let mut before = "";
        for line in text.split_inclusive('\n') {
            let parts = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
            let Some((digest, file)) = parts.filter(|(digest, _)| is_digest(digest, algorithm)) else {
                self.malformed(list, format!("the line {line:?} has no digest and file"));
                continue;
            };
            if file <= before {
                self.malformed(list, format!("{file} is listed twice or out of order"));
            }
            before = file;
            listed.insert(file, digest);
            if !covers(file) {
                self.malformed(list, format!("{file} must not be listed"));
            }
        }
        for (file, digest) in &listed {
            if !self.lengths.contains_key(*file) {
                self.problems.push(Problem::Missing { file: (*file).to_owned(), list: list.to_owned() });
                continue;
            }
            match digest_of(self.storage, &self.key(file), algorithm) {
                Ok(found) if found == *digest => {}
                Ok(_) => self.problems.push(Problem::Changed { file: (*file).to_owned(), list: list.to_owned() }),
                Err(error) => self.unreadable(file, &error),
            }
        }
        let extra = self.lengths.keys().filter(|file| covers(file) && !listed.contains_key(file.as_str()));
        let extra = extra.map(|file| Problem::Extra { file: file.clone(), list: list.to_owned() });
        self.problems.extend(extra.collect::<Vec<_>>());
    }

    /// The problems, each once.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems;
        problems.sort();
        problems.dedup();
        problems
    }
}

fn is_digest(digits: &str, algorithm: Algorithm) -> bool {
    digits.len() == algorithm.digits() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn digest_of(storage: &dyn Storage, key: &str, algorithm: Algorithm) -> io::Result<String> {
    match algorithm {
        Algorithm::Sha256 => digest::<Sha256>(storage, key),
        Algorithm::Sha512 => digest::<Sha512>(storage, key),
    }
}

fn digest<D: sha2::Digest>(storage: &dyn Storage, key: &str) -> io::Result<String> {
    let mut file = storage.get(key)?;
    let mut chunk = vec![0; CHUNK];
    let mut digest = D::new();
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(&chunk[..length]),
        }
    }
}
