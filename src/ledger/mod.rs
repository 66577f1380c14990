//! The ledger: what was scheduled, done, kept, sent and left undone, one fact after another.
//!
//! Each entry is one line of canonical JSON (RFC 8785) and has the SHA-256 of the line before it: changing, removing,
//! inserting or moving one invalidates all later ones. The digest of one entry, which every mail states, therefore pins all
//! earlier ones. Nothing is read or written here: [`Head::link`] makes the next line, and [`chain`] finds the faults in
//! existing lines.

pub mod chain;
pub mod fact;
pub mod timeline;

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::sha256;

pub use self::fact::Fact;

/// What the first entry holds in place of an earlier one's digest.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: the first one is 1.
    pub number: u64,
    /// When it was written, to the millisecond.
    pub at: DateTime<Utc>,
    /// The SHA-256 of the line of the entry before, without its line end; [`GENESIS`] for the first.
    pub previous: String,
    /// What it says.
    #[serde(flatten)]
    pub fact: Fact,
}

/// The last entry of a ledger, or of a prefix of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The entry's number; 0 if there is none yet.
    pub number: u64,
    /// The SHA-256 of its line.
    pub sha256: String,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number and digest.
    pub head: Head,
    /// The line, without its end.
    pub text: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { number: 0, sha256: GENESIS.to_owned() }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.number, self.sha256)
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    /// As it is displayed: the number, a colon, the digest.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digest = |digest: &str| digest.len() == GENESIS.len() && digest.bytes().all(|b| b.is_ascii_hexdigit());
        text.split_once(':')
            .and_then(|(number, digest)| Some((number.parse().ok()?, digest.trim().to_ascii_lowercase())))
            .filter(|(_, digest)| is_digest(digest))
            .map(|(number, sha256)| Self { number, sha256 })
            .ok_or_else(|| {
                format!("invalid ledger entry {text:?}; expected its number, a colon and 64 hexadecimal digits")
            })
    }
}

impl Head {
    /// The entry that comes next, as a line.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which is a defect of rolecall.
    pub fn link(&self, at: DateTime<Utc>, fact: Fact) -> Result<Line, serde_json::Error> {
        let number = self.number + 1;
        let entry = Entry { number, at: at.trunc_subsecs(3), previous: self.sha256.clone(), fact };
        let text = serde_json_canonicalizer::to_string(&entry)?;
        Ok(Line { head: Self { number, sha256: sha256(text.as_bytes()) }, text })
    }
}
