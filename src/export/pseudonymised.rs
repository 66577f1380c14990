//! An export without names: people are replaced by keyed pseudonyms, and what cannot be searched for names (answers as they
//! came, mails, pages, workbooks) is left out. It is sealed anew and names the digest of every file that it comes from, so
//! that the company can show any one of them later.

mod mapping;
mod people;
mod replace;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::Path,
};

use askama::Template;
use serde::{Deserialize, Serialize};

pub use self::mapping::{Mapping, MappingError};
use self::{people::People, replace::Replacer, text::Kind};
use super::{Export, ExportError, defect, unreadable};
use crate::{
    digest::sha256,
    evidence::{
        NAMESPACE, PRINCIPAL,
        attestation::Attestation,
        export::{self, Making, Source},
        key::SigningKey,
        seal::SUMS,
        storage::{self, Storage, join, read},
    },
    words::count,
};

/// The file that says what an export without names comes from.
pub const ORIGIN: &str = "origin.json";
/// The digests of the files that it comes from, as `sha256sum` reads them.
const ORIGIN_SUMS: &str = "origin-SHA256SUMS";

/// The files of a bag that are searched for names and kept.
const KEPT: [&str; 16] = [
    "data/attestations.csv",
    "data/completeness.json",
    "data/decisions.csv",
    "data/directory/profiles.json",
    "data/directory/roles.json",
    "data/occasion.json",
    "data/past.json",
    "data/policy.json",
    "data/remediation.csv",
    "data/reports/access-matrix.csv",
    "data/reports/changes.csv",
    "data/reports/findings.csv",
    "data/reports/report.json",
    "data/review.json",
    "data/rules.json",
    "data/failure.json",
];

/// The files beside the bags that are searched for names and kept.
fn is_kept(name: &str) -> bool {
    name == "period.json" || (name.strip_suffix(".csv").is_some() && !name.contains('/'))
}

/// What an export without names says of its origin.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    /// The name of the export that it comes from.
    export: &'a str,
    /// The SHA-256 of that export's list of digests, which is `origin-SHA256SUMS` here.
    sums_sha256: String,
    /// The number of the last entry of the ledger, and the SHA-256 of its line.
    ledger: &'a crate::ledger::Head,
    /// The key that signed the ledger; null if none did.
    signed_by: Option<&'a str>,
    /// How many people have a pseudonym.
    people: usize,
    /// The program that made it.
    made_by: &'a str,
}

#[derive(Template)]
#[template(path = "evidence/pseudonymised/README.txt")]
struct Readme<'a> {
    from: String,
    to: String,
    people: String,
    bags: String,
    version: &'static str,
    origin: &'a str,
    principal: &'static str,
    namespace: &'static str,
    sums: &'static str,
    signed: bool,
}

/// Keeps a mapping.
pub type Save<'a> = &'a mut dyn FnMut(&Mapping) -> io::Result<()>;

/// An export without names that is ready to be written.
pub struct Pseudonymised {
    /// The name of its folder, and of its file without the ending.
    pub name: String,
    /// How many people have a pseudonym in it.
    pub people: usize,
    contents: Vec<(String, Source)>,
    /// The texts in which names are replaced when they are written.
    texts: BTreeMap<String, (Kind, Source)>,
    replacer: Replacer,
}

impl fmt::Debug for Pseudonymised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonymised").field("name", &self.name).field("people", &self.people).finish_non_exhaustive()
    }
}

impl Export {
    /// Prepares an export without names of this one. The mapping learns the people who are in it.
    ///
    /// # Errors
    /// [`ExportError`]
    pub fn pseudonymise(
        &self,
        storage: &dyn Storage,
        attestation: &Attestation,
        mapping: &mut Mapping,
        is_signed: bool,
        made_by: &str,
    ) -> Result<Pseudonymised, ExportError> {
        let files = self.files(storage).map_err(unreadable(storage, ""))?;
        let content = |source: &Source| content(storage, source).map_err(unreadable(storage, ""));
        // Twice, one file after another: everybody must be known before the first text is written.
        let mut people = People::default();
        for key in &files.lists {
            let bytes = people::unpacked(key, content(&Source::Object(key.clone()))?).map_err(defect)?;
            people.learn(&bytes).map_err(defect)?;
        }
        for (_, kind, source) in &files.kept {
            people.learn_kept(*kind, &content(source)?).map_err(defect)?;
        }
        let replacer = Replacer::new(&people, mapping).map_err(defect)?;
        let sums = export::sums(storage, &self.contents).map_err(unreadable(storage, ""))?;
        let count_of_people = people.len();
        let origin = Origin {
            export: &self.name,
            sums_sha256: sha256(sums.as_bytes()),
            ledger: &attestation.checkpoint.as_ref().ok_or(ExportError::Nothing)?.head,
            signed_by: attestation.signed.as_ref().map(|signed| signed.signer.as_str()),
            people: count_of_people,
            made_by,
        };
        let (from, to) = self.period.days();
        let readme = Readme {
            from: from.to_string(),
            to: to.to_string(),
            people: count(count_of_people, "person").replace("persons", "people"),
            bags: count(self.bags, "bag"),
            version: env!("CARGO_PKG_VERSION"),
            origin: &self.name,
            principal: PRINCIPAL,
            namespace: NAMESPACE,
            sums: SUMS,
            signed: is_signed,
        };
        let own = [
            ("README.txt", readme.render().map_err(defect)? + "\n"),
            (ORIGIN, serde_json::to_string_pretty(&origin).map_err(defect)? + "\n"),
            (ORIGIN_SUMS, sums),
        ];
        let own = own.map(|(name, text)| (name.to_owned(), Source::Text(text.into_bytes())));
        let made = files.kept.iter().map(|(name, ..)| (name.clone(), Source::Made));
        Ok(Pseudonymised {
            name: format!("{}_pseudonymised", self.name),
            people: count_of_people,
            contents: made.chain(own).collect(),
            texts: files.kept.into_iter().map(|(name, kind, source)| (name, (kind, source))).collect(),
            replacer,
        })
    }

    /// The files that are kept, and those that say who there is.
    fn files(&self, storage: &dyn Storage) -> io::Result<Files> {
        let mut files = Files::default();
        for (name, source) in &self.contents {
            match source {
                Source::Text(_) if is_kept(name) => files.keep(name.clone(), source.clone()),
                Source::Folder(bag) => files.bag(storage, bag)?,
                Source::Text(_) | Source::Object(_) | Source::Made => {}
            }
        }
        Ok(files)
    }
}

/// The bytes of a file of an export.
fn content(storage: &dyn Storage, source: &Source) -> io::Result<Vec<u8>> {
    match source {
        Source::Text(text) => Ok(text.clone()),
        Source::Object(key) | Source::Folder(key) => read(storage, key),
        Source::Made => Ok(Vec::new()),
    }
}

#[derive(Default)]
struct Files {
    kept: Vec<(String, Kind, Source)>,
    /// The keys of lists of people that are not kept.
    lists: Vec<String>,
}

impl Files {
    fn keep(&mut self, name: String, source: Source) {
        if let Some(kind) = Kind::of(&name) {
            self.kept.push((name, kind, source));
        }
    }

    fn bag(&mut self, storage: &dyn Storage, bag: &str) -> io::Result<()> {
        for file in KEPT {
            let key = join(bag, file);
            if storage::has(storage, &key)? {
                self.keep(key.clone(), Source::Object(key));
            }
        }
        for file in people::SOURCES {
            let key = join(bag, file);
            if storage::has(storage, &key)? {
                self.lists.push(key);
            }
        }
        Ok(())
    }
}

/// What is wrong between an export without names and the digests of its origin that are in it: it has every file that the
/// origin had and that is kept, and no other. Empty if nothing is.
///
/// # Errors
/// If a file cannot be read.
pub fn check_origin(storage: &dyn Storage) -> io::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Stated {
        sums_sha256: String,
    }
    let named = |sums: &[u8]| -> BTreeSet<String> {
        let text = String::from_utf8_lossy(sums).into_owned();
        text.lines().filter_map(|line| line.split_once("  ")).map(|(_, file)| file.to_owned()).collect()
    };
    let origin_sums = read(storage, ORIGIN_SUMS)?;
    let stated: Stated = serde_json::from_slice(&read(storage, ORIGIN)?)?;
    if sha256(&origin_sums) != stated.sums_sha256 {
        return Ok(vec![format!("{ORIGIN_SUMS} is not the list whose digest {ORIGIN} has")]);
    }
    let (here, origin) = (named(&read(storage, SUMS)?), named(&origin_sums));
    let is_of_bag = |file: &str| KEPT.iter().any(|kept| file.strip_suffix(kept).is_some_and(|bag| bag.ends_with('/')));
    let kept: BTreeSet<String> = origin.into_iter().filter(|file| is_kept(file) || is_of_bag(file)).collect();
    let own = ["README.txt", ORIGIN, ORIGIN_SUMS];
    let added = here.difference(&kept).filter(|file| !own.contains(&file.as_str()));
    let added = added.map(|file| format!("{file} is not of the origin: {ORIGIN_SUMS} does not have it"));
    let missing = kept.difference(&here).map(|file| format!("{file} is missing, although {ORIGIN_SUMS} has it"));
    Ok(added.chain(missing).collect())
}

impl Pseudonymised {
    /// Writes the zip, whole or not at all. The mapping learns whom no list has; `save` keeps it before the zip gets its name,
    /// because pseudonyms that nobody can resolve would be worth nothing.
    ///
    /// # Errors
    /// [`ExportError::Write`], also if the file exists; [`ExportError::NameLeft`] if a name would be left.
    pub fn write(
        &self,
        storage: &dyn Storage,
        path: &Path,
        key: Option<&SigningKey>,
        (mapping, save): (&mut Mapping, Save<'_>),
    ) -> Result<(), ExportError> {
        let mut replacing = Replacing { made: self, storage, mapping, save, left: None };
        let written = export::write_making(storage, path, &self.name, &self.contents, (key, &mut replacing));
        match (written, replacing.left) {
            (Err(_), Some(left)) => Err(left),
            (written, _) => written.map_err(|source| ExportError::Write { path: path.to_owned(), source }),
        }
    }
}

/// Replaces names in one text after another.
struct Replacing<'a> {
    made: &'a Pseudonymised,
    storage: &'a dyn Storage,
    mapping: &'a mut Mapping,
    save: Save<'a>,
    /// The name that would be left.
    left: Option<ExportError>,
}

impl Making for Replacing<'_> {
    fn make(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let Some((kind, source)) = self.made.texts.get(name) else { return Err(io::ErrorKind::NotFound.into()) };
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
        let text = content(self.storage, source).and_then(|bytes| self.made.replacer.file(*kind, &bytes, self.mapping));
        let text = text.map_err(named)?;
        if let Some(pseudonym) = self.made.replacer.left(&text) {
            self.left = Some(ExportError::NameLeft { file: name.to_owned(), pseudonym });
            return Err(io::Error::other("a name would be left"));
        }
        Ok(text.into_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        (self.save)(self.mapping)
    }
}
