//! A bag as it is found: everything that was changed, added, removed or signed by another.

use std::{
    collections::BTreeMap,
    fmt, fs,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256, Sha512};

use super::{ALGORITHMS, DECLARATION, SEALED, SIGNATURE, key::Allowed};
use crate::ledger::{hex, sha256};

/// What says that a bag has its tag files.
const STANDARD: &str = "every bag has it";
/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A file is not there.
    Missing {
        /// The file, inside the bag.
        file: String,
        /// What says that it should be there.
        manifest: String,
    },
    /// A file is there that nobody sealed.
    Extra {
        /// The file, inside the bag.
        file: String,
        /// The manifest that does not have it.
        manifest: String,
    },
    /// A file has another content.
    Changed {
        /// The file, inside the bag.
        file: String,
        /// The manifest that says so.
        manifest: String,
    },
    /// A tag file cannot be understood.
    Malformed {
        /// The file, inside the bag.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The signature does not hold.
    Signature {
        /// Why not.
        why: String,
    },
    /// Something cannot be read.
    Unreadable {
        /// The file, inside the bag.
        file: String,
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { file, manifest } => write!(f, "{file} is part of this bag ({manifest}) and is not there"),
            Self::Extra { file, manifest } => write!(f, "{file} is there and is not part of this bag ({manifest})"),
            Self::Changed { file, manifest } => write!(f, "{file} is not what was sealed ({manifest})"),
            Self::Malformed { file, why } => write!(f, "{file} is not as BagIt has it: {why}"),
            Self::Signature { why } => write!(f, "the signature does not hold: {why}"),
            Self::Unreadable { file, why } => write!(f, "{file} cannot be read: {why}"),
        }
    }
}

/// What was found of a bag.
#[derive(Debug)]
pub struct Found {
    /// What is wrong; empty where it is as it was sealed.
    pub problems: Vec<Problem>,
    /// Who signed it; none where it is unsigned or the signature does not hold.
    pub signer: Option<String>,
    /// The SHA-256 of [`SEALED`].
    pub name: Option<String>,
}

/// Checks a bag against its own manifests and its signature against those whom one trusts. Without anybody whom one
/// trusts, a signature is a problem: it then proves nothing.
pub fn bag(folder: &Path, allowed: &Allowed) -> Found {
    let mut checker = Checker { folder, problems: Vec::new() };
    checker.declaration();
    let files = checker.files();
    for (kind, prefix) in [("manifest", "data/"), ("tagmanifest", "")] {
        for algorithm in ALGORITHMS {
            checker.manifest(&format!("{kind}-{algorithm}.txt"), algorithm, prefix, &files);
        }
    }
    checker.oxum(&files);
    let sealed = fs::read(folder.join(SEALED)).ok();
    let signer = checker.signature(sealed.as_deref(), allowed);
    let mut problems = checker.problems;
    problems.sort();
    problems.dedup();
    Found { problems, signer, name: sealed.map(|sealed| sha256(&sealed)) }
}

struct Checker<'a> {
    folder: &'a Path,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn malformed(&mut self, file: &str, why: impl Into<String>) {
        self.problems.push(Problem::Malformed { file: file.to_owned(), why: why.into() });
    }

    fn declaration(&mut self) {
        match fs::read_to_string(self.folder.join("bagit.txt")) {
            Ok(text) if text == DECLARATION => {}
            Ok(_) => self.malformed("bagit.txt", "it declares no BagIt 1.0 in UTF-8"),
            Err(error) => self.unreadable("bagit.txt", STANDARD, &error),
        }
    }

    fn unreadable(&mut self, file: &str, manifest: &str, error: &io::Error) {
        self.problems.push(if error.kind() == io::ErrorKind::NotFound {
            Problem::Missing { file: file.to_owned(), manifest: manifest.to_owned() }
        } else {
            Problem::Unreadable { file: file.to_owned(), why: error.to_string() }
        });
    }

    /// Every file, by its path inside the bag, and its length. What is neither file nor folder is a problem.
    fn files(&mut self) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(inside) = folders.pop() {
            let entries = match fs::read_dir(self.folder.join(&inside)) {
                Ok(entries) => entries,
                Err(error) => {
                    self.unreadable(&inside.display().to_string(), STANDARD, &error);
                    continue;
                }
            };
            for entry in entries.flatten() {
                let path = inside.join(entry.file_name());
                let shown = path.display().to_string();
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(path),
                    Ok(metadata) if metadata.is_file() => {
                        files.insert(shown, metadata.len());
                    }
                    Ok(_) => self.problems.push(Problem::Extra { file: shown, manifest: STANDARD.to_owned() }),
                    Err(error) => self.unreadable(&shown, STANDARD, &error),
                }
            }
        }
        files
    }

    /// Checks what a manifest lists, and that it lists all that it should.
    fn manifest(&mut self, name: &str, algorithm: &str, prefix: &str, files: &BTreeMap<String, u64>) {
        let text = match fs::read_to_string(self.folder.join(name)) {
            Ok(text) => text,
            Err(error) => return self.unreadable(name, STANDARD, &error),
        };
        let mut listed = BTreeMap::new();
        for line in text.lines() {
            let Some((digest, file)) = line.split_once("  ").filter(|(_, file)| file.starts_with(prefix)) else {
                self.malformed(name, format!("the line {line:?} names no digest and file"));
                continue;
            };
            if listed.insert(file, digest).is_some() {
                self.malformed(name, format!("it lists {file} twice"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            self.malformed(name, "its last line has no end");
        }
        for (file, digest) in &listed {
            match digest_of(&self.folder.join(file), algorithm) {
                Ok(found) if found == *digest => {}
                Ok(_) => {
                    self.problems.push(Problem::Changed { file: (*file).to_owned(), manifest: name.to_owned() });
                }
                Err(error) => self.unreadable(file, name, &error),
            }
        }
        let is_ours = |file: &str| match prefix {
            // What seals the others cannot be listed by itself.
            "" => !file.starts_with("data/") && ![SEALED, SIGNATURE, "tagmanifest-sha512.txt"].contains(&file),
            prefix => file.starts_with(prefix),
        };
        for file in files.keys().filter(|file| is_ours(file) && !listed.contains_key(file.as_str())) {
            self.problems.push(Problem::Extra { file: file.clone(), manifest: name.to_owned() });
        }
    }

    /// The payload's size and number of files, as `bag-info.txt` says them.
    fn oxum(&mut self, files: &BTreeMap<String, u64>) {
        let info = fs::read_to_string(self.folder.join("bag-info.txt")).unwrap_or_default();
        let payload = || files.iter().filter(|(file, _)| file.starts_with("data/"));
        let found = format!("{}.{}", payload().map(|(_, length)| length).sum::<u64>(), payload().count());
        match info.lines().find_map(|line| line.strip_prefix("Payload-Oxum: ")) {
            Some(said) if said == found => {}
            Some(said) => self.malformed("bag-info.txt", format!("it says Payload-Oxum {said}, and there is {found}")),
            None => self.malformed("bag-info.txt", "it has no Payload-Oxum"),
        }
    }

    fn signature(&mut self, sealed: Option<&[u8]>, allowed: &Allowed) -> Option<String> {
        let signature = match fs::read(self.folder.join(SIGNATURE)) {
            Ok(signature) => signature,
            Err(error) if error.kind() == io::ErrorKind::NotFound && allowed.is_empty() => return None,
            Err(error) => {
                self.unreadable(SIGNATURE, STANDARD, &error);
                return None;
            }
        };
        match allowed.verify(sealed?, &signature) {
            Ok(signer) => Some(signer),
            Err(why) => {
                self.problems.push(Problem::Signature { why });
                None
            }
        }
    }
}

fn digest_of(path: &Path, algorithm: &str) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let (mut short, mut long) = (Sha256::new(), Sha512::new());
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        if algorithm == ALGORITHMS[0] { short.update(&chunk[..length]) } else { long.update(&chunk[..length]) }
    }
    Ok(if algorithm == ALGORITHMS[0] { hex(&short.finalize()) } else { hex(&long.finalize()) })
}
