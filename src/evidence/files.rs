//! The files of a folder as they are found, held against lists of digests: nothing changed, nothing missing, nothing added.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Sha256, Sha512};

use crate::digest::hex;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A file is not there.
    Missing {
        /// The file, inside the folder.
        file: String,
        /// What says that it should be there.
        list: String,
    },
    /// A file is there that nobody sealed.
    Extra {
        /// The file, inside the folder.
        file: String,
        /// The list that does not have it.
        list: String,
    },
    /// Something is there that cannot be sealed: a link, a device, a folder without a file.
    NoFile {
        /// It, inside the folder.
        file: String,
        /// What it is.
        what: &'static str,
    },
    /// A file has another content.
    Changed {
        /// The file, inside the folder.
        file: String,
        /// The list that says so.
        list: String,
    },
    /// A file that describes the others cannot be understood.
    Malformed {
        /// The file, inside the folder.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// There is no signature, and somebody whom one trusts should have signed.
    Unsigned {
        /// The file with the signature.
        file: String,
    },
    /// The signature does not hold.
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
            Self::Missing { file, list } => write!(f, "{file} was sealed ({list}) and is not there"),
            Self::Extra { file, list } => write!(f, "{file} is there and was not sealed ({list})"),
            Self::NoFile { file, what } => write!(f, "{file} is {what}: nobody can have sealed it"),
            Self::Changed { file, list } => write!(f, "{file} is not what was sealed ({list})"),
            Self::Malformed { file, why } => write!(f, "{file} is not as it was written: {why}"),
            Self::Unsigned { file } => write!(f, "{file} is not there: nobody signed, or the signature was taken away"),
            Self::Signature { why } => write!(f, "the signature does not hold: {why}"),
            Self::Unreadable { file, why } => write!(f, "{file} cannot be read: {why}"),
        }
    }
}

/// How a digest is made of a whole file.
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
    folder: &'a Path,
    /// Every file, by its path inside the folder, and its length.
    pub(super) lengths: BTreeMap<String, u64>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Files<'a> {
    /// Everything in a folder, also what is hidden. What is neither a file nor a folder with files is a problem.
    pub(super) fn of(folder: &'a Path) -> Self {
        let mut files = Self { folder, lengths: BTreeMap::new(), problems: Vec::new() };
        let mut folders = vec![PathBuf::new()];
        while let Some(inside) = folders.pop() {
            files.walk(&inside, &mut folders);
        }
        files
    }

    fn walk(&mut self, inside: &Path, folders: &mut Vec<PathBuf>) {
        let shown = |path: &Path| match path.display().to_string() {
            shown if shown.is_empty() => ".".to_owned(),
            shown => shown,
        };
        let entries = fs::read_dir(self.folder.join(inside)).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&shown(inside), &error),
        };
        if entries.is_empty() {
            self.problems.push(Problem::NoFile { file: shown(inside), what: "an empty folder" });
        }
        for entry in entries {
            let path = inside.join(entry.file_name());
            // Of a link itself, and not of what it leads to.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) if metadata.is_file() => {
                    self.lengths.insert(shown(&path), metadata.len());
                }
                Ok(_) => self.problems.push(Problem::NoFile { file: shown(&path), what: "neither file nor folder" }),
                Err(error) => self.unreadable(&shown(&path), &error),
            }
        }
    }

    pub(super) fn malformed(&mut self, file: &str, why: impl Into<String>) {
        self.problems.push(Problem::Malformed { file: file.to_owned(), why: why.into() });
    }

    fn unreadable(&mut self, file: &str, error: &io::Error) {
        self.problems.push(Problem::Unreadable { file: file.to_owned(), why: error.to_string() });
    }

    /// The content of a file that should be there, as a list says. What is no file is not opened: reading it may never end.
    pub(super) fn read(&mut self, file: &str, list: &str) -> Option<Vec<u8>> {
        if !self.lengths.contains_key(file) {
            self.problems.push(Problem::Missing { file: file.to_owned(), list: list.to_owned() });
            return None;
        }
        fs::read(self.folder.join(file)).map_err(|error| self.unreadable(file, &error)).ok()
    }

    /// Holds the files against a list as `sha256sum` writes it, in the order of their names. It must list each file that is
    /// its business, and be written the only way that it can be: nothing else may cover it.
    pub(super) fn check(&mut self, list: &str, algorithm: Algorithm, needed: &str, covers: impl Fn(&str) -> bool) {
        let Some(bytes) = self.read(list, needed) else { return };
        let Ok(text) = String::from_utf8(bytes) else { return self.malformed(list, "it is not UTF-8") };
        let mut listed = BTreeMap::new();
        let mut before = "";
        for line in text.split_inclusive('\n') {
            let parts = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
            let Some((digest, file)) = parts.filter(|(digest, _)| is_digest(digest, algorithm)) else {
                self.malformed(list, format!("the line {line:?} names no digest and file"));
                continue;
            };
            if file <= before {
                self.malformed(list, format!("{file} is in it twice, or not in its place"));
            }
            before = file;
            listed.insert(file, digest);
            if !covers(file) {
                self.malformed(list, format!("{file} cannot be in it"));
            }
        }
        for (file, digest) in &listed {
            if !self.lengths.contains_key(*file) {
                self.problems.push(Problem::Missing { file: (*file).to_owned(), list: list.to_owned() });
                continue;
            }
            match digest_of(&self.folder.join(file), algorithm) {
                Ok(found) if found == *digest => {}
                Ok(_) => self.problems.push(Problem::Changed { file: (*file).to_owned(), list: list.to_owned() }),
                Err(error) => self.unreadable(file, &error),
            }
        }
        let extra = self.lengths.keys().filter(|file| covers(file) && !listed.contains_key(file.as_str()));
        let extra = extra.map(|file| Problem::Extra { file: file.clone(), list: list.to_owned() });
        self.problems.extend(extra.collect::<Vec<_>>());
    }

    /// What is wrong, each thing once.
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

fn digest_of(path: &Path, algorithm: Algorithm) -> io::Result<String> {
    match algorithm {
        Algorithm::Sha256 => digest::<Sha256>(path),
        Algorithm::Sha512 => digest::<Sha512>(path),
    }
}

fn digest<D: sha2::Digest>(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut digest = D::new();
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(&chunk[..length]),
        }
    }
}

/// The content of a file, where it is one: a link is not followed, and nothing is opened that may never end.
pub(super) fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    if fs::symlink_metadata(path)?.is_file() {
        fs::read(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
    }
}
