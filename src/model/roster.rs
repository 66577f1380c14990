//! Who works for the company: what was read of rosters, and how they are read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::word::Word;

/// Everyone in the rosters of a policy, as read once for an audit.
///
/// Evidence keeps it: a field that it does not have has its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Roster {
    /// Where the rows come from, in the order of the policy.
    pub sources: Vec<Source>,
    /// One record for each row about a person, in an order that does not depend on that of the rows.
    pub records: Vec<Record>,
}

impl Roster {
    /// The part with these rosters. `None` if one of them is not in it.
    pub fn of(mut self, names: &[String]) -> Option<Self> {
        if !names.iter().all(|name| self.sources.iter().any(|source| source.name == *name)) {
            return None;
        }
        self.sources.retain(|source| names.contains(&source.name));
        self.records.retain(|record| names.iter().any(|name| record.roster == *name.as_str()));
        Some(self)
    }
}

/// One roster of the configuration, and what was read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// The file or the address, without secrets.
    pub place: String,
    /// What is expected of it.
    #[serde(flatten)]
    pub bounds: Bounds,
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// When its content was last changed: the time of the file, or what the server says. `None` if it was not read.
    #[serde(default)]
    pub as_of: Option<DateTime<Utc>>,
    /// The SHA-256 of the bytes that were read. `None` if it was not read.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The encoding of its text.
    #[serde(default)]
    pub encoding: Option<String>,
    /// The columns that were kept, by field, as the source names them.
    #[serde(default)]
    pub columns: BTreeMap<Field, Vec<String>>,
    /// Why it cannot be relied on. `None` if it was read.
    #[serde(default)]
    pub problem: Option<String>,
    /// What its owner should look at.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Where a roster is and how it is read and relied on, to compare with the next audit. The digest of a policy does not cover it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterTerms {
    /// The file or the address, without secrets.
    pub place: String,
    /// What is expected of it.
    #[serde(flatten)]
    pub bounds: Bounds,
    /// The columns that were kept, by field. Empty if it could not be read.
    #[serde(default)]
    pub columns: BTreeMap<Field, Vec<String>>,
}

impl From<&Source> for RosterTerms {
    fn from(source: &Source) -> Self {
        Self { place: source.place.clone(), bounds: source.bounds, columns: source.columns.clone() }
    }
}

/// What is expected of a roster before it is relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The most days since its content was changed.
    pub max_age_days: u32,
    /// The largest share of the people who work here that may be missing since the last audit, in percent.
    pub max_shrink_percent: u32,
    /// Where its days begin and end.
    pub time_zone: Tz,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_age_days: 31, max_shrink_percent: 20, time_zone: Tz::UTC }
    }
}

/// What is kept of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The address at work.
    Email,
    /// Other addresses.
    Aliases,
    /// The employee number.
    Id,
    /// The name.
    Name,
    /// The first name, if the source has no column for the whole name.
    First,
    /// The last name, likewise.
    Last,
    /// Whether the person works here.
    Status,
    /// The department.
    Department,
    /// The job title.
    Title,
    /// The manager.
    Manager,
    /// The first day.
    Start,
    /// The last day.
    End,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 12] = [
        Self::Email,
        Self::Aliases,
        Self::Id,
        Self::Name,
        Self::First,
        Self::Last,
        Self::Status,
        Self::Department,
        Self::Title,
        Self::Manager,
        Self::Start,
        Self::End,
    ];

    /// As written in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Aliases => "aliases",
            Self::Id => "id",
            Self::Name => "name",
            Self::First => "first",
            Self::Last => "last",
            Self::Status => "status",
            Self::Department => "department",
            Self::Title => "title",
            Self::Manager => "manager",
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// What a row says about a person. Only mapped columns are in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The name of the roster.
    pub roster: Word,
    /// The addresses, that at work first.
    pub addresses: Vec<String>,
    /// The employee number. Empty if there is none, as with all texts here.
    pub id: String,
    /// The name.
    pub name: String,
    /// The status as written.
    pub status: Word,
    /// What the status means.
    pub meaning: Meaning,
    /// The department.
    pub department: Word,
    /// The job title.
    pub title: Word,
    /// The manager: an address where the source says it, else as written.
    pub manager: Word,
    /// The first day.
    pub start: Option<NaiveDate>,
    /// The last day, on which the person still works here.
    pub end: Option<NaiveDate>,
}

/// What the word of a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// The roster has no status: only the dates say it.
    #[default]
    Unsaid,
    /// Works here, also while on leave.
    Current,
    /// Does not work here yet.
    Joining,
    /// Does not work here any more.
    Left,
    /// A word that neither the configuration nor rolecall knows.
    Unknown,
}

/// How a roster is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Rows of text with a separator.
    Csv,
    /// A JSON list of objects.
    Json,
    /// SCIM 2.0 users.
    Scim,
}

impl Format {
    /// As written in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Scim => "scim",
        }
    }
}

/// How a roster is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How it is written.
    pub format: Format,
    /// The columns that the configuration names; the usual names stand for the others.
    pub columns: BTreeMap<Field, String>,
    /// How its dates are written. `None` if they explain themselves.
    pub date_format: Option<String>,
    /// The words of a status that mean that a person works here. `None` for the usual ones.
    pub current: Option<Vec<String>>,
    /// The encoding of its text. `None` if the text shows it.
    pub encoding: Option<String>,
}

/// Who may hold what, by the roster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpectedAccess {
    /// The pattern of the department. `None` for any.
    pub department: Option<String>,
    /// The pattern of the job title. `None` for any.
    pub title: Option<String>,
    /// Patterns of the profiles that are expected. `None` for any.
    pub profiles: Option<Vec<String>>,
    /// Patterns of the roles that are expected. `None` for any.
    pub roles: Option<Vec<String>>,
}

/// How a roster was used in an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JudgedRoster {
    /// Its sources.
    pub sources: Vec<JudgedSource>,
    /// Users with an address, without the deleted ones.
    pub users: u64,
    /// Those of them whose address is in the roster.
    pub matched: u64,
    /// Why it could not be relied on. Empty if it was.
    pub unreliable: Vec<String>,
    /// The address that stands for a person, by the other addresses that users have. Empty if it was not relied on.
    pub aliases: BTreeMap<String, String>,
}

/// How many people a source of a roster has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JudgedSource {
    /// Its name in the configuration.
    pub name: String,
    /// People.
    pub people: u64,
    /// Those who work here.
    pub current: u64,
    /// Those who have left.
    pub left: u64,
    /// The number that the next audit compares with. `None` if there is none yet.
    pub kept: Option<u64>,
}
