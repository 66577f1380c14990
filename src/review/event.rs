//! What can happen to a review. The ledger has these events as they are.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    item::{ItemId, Named},
    person::Address,
};
pub use crate::model::reviewed::Shown;
use crate::model::{actor::Actor, bag::BagName, reviewed::Wanted};

/// Which accounts are reviewed, of those that can sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// Those with full power, or that may have it.
    Privileged,
    /// Those that are new or can do something else than at the review before.
    Changed,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::All, Self::Privileged, Self::Changed];

    /// Its name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Privileged => "privileged",
            Self::Changed => "changed",
        }
    }
}

/// Days from a decision until it has to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemediationDays {
    /// For any account.
    pub default: u32,
    /// For a privileged account.
    pub administrator: u32,
    /// For the account of someone who has left.
    pub leaver: u32,
}

impl Default for RemediationDays {
    fn default() -> Self {
        Self { default: 14, administrator: 3, leaver: 1 }
    }
}

/// The audit of one workspace that a review is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The workspace.
    pub workspace: String,
    /// The audit.
    pub audit: Uuid,
    /// Its bag.
    pub bag: BagName,
    /// When its read ended.
    pub read_at: DateTime<Utc>,
}

/// The opening of a review. It fixes what is reviewed, by whom, and by when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The name in the configuration.
    pub name: String,
    /// The job whose audits it is about.
    pub job: String,
    /// Which accounts.
    pub scope: Scope,
    /// The audits, one for each workspace.
    pub bases: Vec<Basis>,
    /// Who opens, assigns and closes.
    pub owner: Address,
    /// When every decision is due.
    pub due: DateTime<Utc>,
    /// The scheduled time that it was opened for; `None` if it was opened on demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_at: Option<DateTime<Utc>>,
    /// Whether a removal is to be carried out by another person than who decided it.
    pub four_eyes: bool,
    /// Until when a decision has to be carried out.
    pub remediation_days: RemediationDays,
    /// Who is told when it is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_to: Option<Address>,
    /// Who opened it.
    pub by: Actor,
    /// How many accounts.
    pub items: u32,
    /// The SHA-256 of the canonical JSON of its [`Population`](super::item::Population).
    pub population_sha256: String,
}

/// The role or profile that an account is to get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A role.
    Role(Named),
    /// A profile.
    Profile(Named),
}

impl Target {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Role(named) | Self::Profile(named) => &named.id,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(named) => write!(f, "the role “{named}”"),
            Self::Profile(named) => write!(f, "the profile “{named}”"),
        }
    }
}

/// What is to become of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum Decision {
    /// It stays as it is.
    Keep,
    /// It gets another role or profile.
    Change {
        /// Which.
        to: Target,
    },
    /// It is removed.
    Remove,
}

impl Decision {
    /// Its name.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Change { .. } => "change",
            Self::Remove => "remove",
        }
    }

    /// What is wanted of the account.
    pub fn wanted(&self) -> Wanted {
        match self {
            Self::Keep => Wanted::Keep,
            Self::Remove => Wanted::Remove,
            Self::Change { to: Target::Role(Named { id, name }) } => {
                Wanted::Role { id: id.clone(), name: name.clone() }
            }
            Self::Change { to: Target::Profile(Named { id, name }) } => {
                Wanted::Profile { id: id.clone(), name: name.clone() }
            }
        }
    }

    /// Whether something has to be done in the workspace.
    pub fn is_work(&self) -> bool {
        *self != Self::Keep
    }
}

/// How a person's word reached rolecall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Someone with a shell on the machine said who it is.
    CommandLine,
    /// A spreadsheet that was imported.
    Spreadsheet,
    /// A spreadsheet with a valid signature of the person.
    SignedSpreadsheet,
    /// The console, after a one-time link by mail.
    MailLink,
    /// The console, after a one-time link that someone with a shell on the machine made.
    ConsoleLink,
    /// The console, after signing in at the identity provider.
    Console,
}

impl Via {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::CommandLine => "command-line",
            Self::Spreadsheet => "spreadsheet",
            Self::SignedSpreadsheet => "signed-spreadsheet",
            Self::MailLink => "mail-link",
            Self::ConsoleLink => "console-link",
            Self::Console => "console",
        }
    }
}

/// An item as the person who decides saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenItem {
    /// The item.
    pub item: ItemId,
    /// Its version.
    pub version: u32,
    /// The SHA-256 that identifies the bag of the audit that it is from.
    pub bag: String,
    /// The SHA-256 of what a page of the console showed of it. `None` if no page did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A spreadsheet that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The fingerprint of the person's key that signed the file. `None` if it was not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
}

/// A decision about one item, or the same one about several at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The items. More than one is a batch.
    pub items: Vec<SeenItem>,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided.
    pub by: Address,
    /// How it was said.
    pub via: Via,
    /// The spreadsheet that said it. `None` if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
}

/// A person confirms the decisions about the items of one or more reviewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// Who.
    pub by: Address,
    /// The reviewers of the items: the person's own, or for the owner any.
    pub of: Vec<Address>,
    /// How it was said.
    pub via: Via,
    /// What is confirmed.
    pub statement: String,
    /// The SHA-256 of the decisions that are confirmed ([`Review::decisions_sha256`](super::state::Review::decisions_sha256)).
    pub decisions_sha256: String,
}

/// The end of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Who closed it.
    pub by: Address,
    /// How it was said.
    pub via: Via,
    /// The day of the next review.
    pub next_review: NaiveDate,
    /// Whether every account stays as it is.
    pub no_change_needed: bool,
}

/// A later complete audit shows that a decision was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The item.
    pub item: ItemId,
    /// The audit.
    pub audit: Uuid,
    /// Its bag; `None` if no evidence was kept.
    pub bag: Option<BagName>,
    /// When its read began.
    pub read_at: DateTime<Utc>,
    /// What it shows.
    pub shown: Shown,
}

/// Something that happens to a review. When is said by the entry that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It is opened.
    Opened(Opening),
    /// An item gets another reviewer.
    Assigned {
        /// The item.
        item: ItemId,
        /// The reviewer.
        to: Address,
        /// Why.
        reason: String,
        /// Who said it.
        by: Actor,
    },
    /// A program proposes a decision. A proposal decides nothing.
    Proposed {
        /// The item.
        item: ItemId,
        /// The decision.
        #[serde(flatten)]
        decision: Decision,
        /// Why.
        reason: String,
        /// Which program.
        by: Actor,
    },
    /// A person decides.
    Decided(Decided),
    /// A person confirms.
    Attested(Attested),
    /// It is closed.
    Closed(Closed),
    /// It is cancelled.
    Cancelled {
        /// Who cancelled it.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A decision was carried out.
    Proven(Proven),
}
