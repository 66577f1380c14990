//! Reads the rosters of a policy from their files or over HTTPS, within bounds. A roster that cannot be read is said to be
//! so; it does not fail the audit.

mod http;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, SubsecRound as _, Utc};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    digest::hex,
    model::roster::{Bounds, Layout, Roster, Source},
    roster::{self, Contents},
};

/// The largest roster, in bytes.
const LARGEST: usize = 64 << 20;

/// Reads a secret when it is needed. An error says why it cannot be read.
pub type Token = Arc<dyn Fn() -> Result<SecretString, String> + Send + Sync>;

/// Where a roster is.
#[derive(Clone)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An address, and the token for it.
    Url(Url, Option<Token>),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string())
    }
}

impl fmt::Display for Place {
    /// Without a query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url, _) => {
                let mut url = url.clone();
                url.set_query(None);
                url.set_fragment(None);
                write!(f, "{url}")
            }
        }
    }
}

/// A roster of the configuration.
#[derive(Debug, Clone)]
pub struct RosterSetup {
    /// Where it is.
    pub place: Place,
    /// How it is read.
    pub layout: Layout,
    /// What is expected of it.
    pub bounds: Bounds,
}

/// The rosters of the configuration.
#[derive(Debug, Default)]
pub struct Rosters {
    setups: BTreeMap<String, RosterSetup>,
    /// What was loaded last, by name, for servers that say that it is unchanged.
    loaded: Mutex<BTreeMap<String, Loaded>>,
}

/// A roster as it was loaded over HTTP.
#[derive(Debug, Clone)]
struct Loaded {
    etag: String,
    as_of: Option<DateTime<Utc>>,
    sha256: String,
    contents: Arc<Contents>,
}

/// What a place answered.
enum Answer {
    /// The bytes, one part for each page, when they were last changed, and their tag.
    Bytes(Vec<Vec<u8>>, Option<DateTime<Utc>>, Option<String>),
    /// The same as last time.
    Unchanged(Loaded),
}

impl Rosters {
    /// The rosters of a configuration, by name.
    pub fn new(setups: BTreeMap<String, RosterSetup>) -> Self {
        Self { setups, loaded: Mutex::default() }
    }

    /// The names of all rosters.
    pub fn names(&self) -> Vec<String> {
        self.setups.keys().cloned().collect()
    }

    /// Reads rosters and joins them. `None` if there is none to read.
    pub async fn read(&self, names: &[String], now: DateTime<Utc>) -> Option<Roster> {
        let mut joined = Roster::default();
        for name in names {
            let Some(setup) = self.setups.get(name) else { continue };
            let (source, contents) = self.read_one(name, setup, now.trunc_subsecs(3)).await;
            joined.sources.push(source);
            // What a server may call unchanged next time is kept there; everything else moves.
            joined.records.extend(match contents.map(Arc::try_unwrap) {
                Some(Ok(contents)) => contents.records,
                Some(Err(shared)) => shared.records.clone(),
                None => Vec::new(),
            });
        }
        // Each is sorted.
        if names.len() > 1 {
            joined.records.sort();
        }
        (!names.is_empty()).then_some(joined)
    }

    async fn read_one(&self, name: &str, setup: &RosterSetup, now: DateTime<Utc>) -> (Source, Option<Arc<Contents>>) {
        let mut source = Source {
            name: name.to_owned(),
            place: setup.place.to_string(),
            bounds: setup.bounds,
            read_at: now,
            as_of: None,
            sha256: None,
            encoding: None,
            columns: BTreeMap::new(),
            problem: None,
            warnings: Vec::new(),
        };
        match self.load(name, setup).await {
            Ok(loaded) => {
                source.as_of = Some(loaded.as_of.unwrap_or(now));
                source.sha256 = Some(loaded.sha256);
                source.encoding = Some(loaded.contents.encoding.to_owned());
                source.columns.clone_from(&loaded.contents.columns);
                source.warnings.clone_from(&loaded.contents.warnings);
                (source, Some(loaded.contents))
            }
            Err(problem) => {
                tracing::warn!(roster = name, problem, "a roster cannot be read");
                source.problem = Some(problem);
                (source, None)
            }
        }
    }

    async fn load(&self, name: &str, setup: &RosterSetup) -> Result<Loaded, String> {
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(name).cloned();
        let answer = match &setup.place {
            Place::File(path) => from_file(path).map_err(|error| format!("{}: {error}", path.display()))?,
            Place::Url(url, token) => http::get(url, token.as_ref(), setup.layout.format, before).await?,
        };
        let (parts, as_of, etag) = match answer {
            Answer::Unchanged(loaded) => return Ok(loaded),
            Answer::Bytes(parts, as_of, etag) => (parts, as_of, etag),
        };
        let digest = parts.iter().fold(Sha256::new(), Sha256::chain_update);
        let (owner, layout) = (name.to_owned(), setup.layout.clone());
        // A large roster takes a while to read; other work goes on meanwhile.
        let read = tokio::task::spawn_blocking(move || roster::read(&owner, &parts, &layout)).await;
        let contents = read.map_err(|_| "reading it failed".to_owned())?.map_err(|error| error.to_string())?;
        let loaded = Loaded {
            etag: etag.unwrap_or_default(),
            as_of: as_of.map(|as_of| as_of.trunc_subsecs(3)),
            sha256: hex(&digest.finalize()),
            contents: Arc::new(contents),
        };
        if !loaded.etag.is_empty() {
            known().insert(name.to_owned(), loaded.clone());
        }
        Ok(loaded)
    }
}

/// The bytes of a regular file, and when it was last changed.
fn from_file(path: &Path) -> io::Result<Answer> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {LARGEST} bytes")));
    }
    Ok(Answer::Bytes(vec![bytes], metadata.modified().ok().map(DateTime::from), None))
}
