//! What is reviewed: accounts as they were when the review was opened.

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::person::Address;
use crate::{
    access::{power::Power, roster::Addresses},
    digest::sha256,
};

/// The number of an item in its review: the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u32);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ItemId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.map(Self).ok_or("expected the number of an item as `rolecall review show` prints it")
    }
}

/// A role or profile, by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name; `None` if the master list does not have it.
    pub name: Option<String>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name.as_deref().unwrap_or(&self.id))
    }
}

/// An open finding about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// The rule.
    pub rule: String,
    /// The sentence.
    pub message: String,
}

/// What was decided about an account in the review before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The review.
    pub review: Uuid,
    /// The decision: `keep`, `change` or `remove`.
    pub decision: String,
    /// Who decided.
    pub by: Address,
    /// When.
    pub at: DateTime<Utc>,
    /// The role then.
    pub role: Option<Named>,
    /// The profile then.
    pub profile: Option<Named>,
}

/// One account in one workspace, as it was when the review was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number.
    pub item: ItemId,
    /// The workspace.
    pub workspace: String,
    /// The user's id.
    pub user_id: String,
    /// The display name.
    pub full_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Other addresses of the same person: from a roster, or equal by the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Address>,
    /// The status as the API wrote it.
    pub status: String,
    /// The role.
    pub role: Option<Named>,
    /// The profile.
    pub profile: Option<Named>,
    /// How much power the account has.
    pub power: Power,
    /// Whether the person has left, according to a roster.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_left: bool,
    /// The open findings about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Flag>,
    /// The SHA-256 of what the account can do: role, profile, and what the profile permits.
    pub access: String,
    /// What was decided about it last time; `None` if it was not reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// Whether it is new, or can do something else than last time. True if there was no review before.
    pub changed: bool,
    /// Who is to decide.
    pub reviewer: Address,
    /// Who else may be asked, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternates: Vec<Address>,
}

impl Item {
    /// Whether it has full power, or may have it.
    pub fn is_privileged(&self) -> bool {
        self.power.is_full() || self.power == Power::Unknown
    }

    /// Why a decision about it needs attention of its own: a reason, and no batch. `None` if it does not.
    pub fn special(&self) -> Option<&'static str> {
        if self.is_privileged() {
            Some("it is privileged")
        } else if self.findings.is_empty() {
            None
        } else {
            Some("it has open findings")
        }
    }

    /// How a person would name it.
    pub fn label(&self) -> &str {
        let text = |text: &&str| !text.trim().is_empty();
        self.email.as_deref().filter(text).or(self.full_name.as_deref().filter(text)).unwrap_or(&self.user_id)
    }
}

/// What holds for a whole workspace: its roles and profiles, for decisions to change one, and which addresses are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masters {
    /// The roles.
    pub roles: Vec<Named>,
    /// The profiles.
    pub profiles: Vec<Named>,
    /// The domains of the company, on which `+tag` is no part of an address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub company_domains: Vec<String>,
    /// Domains that stand for another one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domain_aliases: BTreeMap<String, String>,
}

impl Masters {
    /// When two addresses are the same.
    pub(super) fn addresses(&self) -> Addresses<'_> {
        Addresses::new(&self.company_domains, &self.domain_aliases)
    }
}

/// Everything that is reviewed. It never changes; its digest is in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The roles and profiles of each workspace.
    pub masters: BTreeMap<String, Masters>,
    /// The accounts, numbered from 1 without a gap.
    pub items: Vec<Item>,
}

impl Population {
    /// An item. `None` if there is none with this number.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.get((id.0 as usize).checked_sub(1)?)
    }

    /// The SHA-256 of its canonical JSON (RFC 8785).
    pub fn sha256(&self) -> String {
        canonical_sha256(self)
    }
}

/// The SHA-256 of the canonical JSON of a value of this room. These types have no maps with other keys than
/// texts and no floating-point numbers, so they can always be written.
pub(super) fn canonical_sha256(value: &impl Serialize) -> String {
    sha256(&canonical(value))
}

/// The canonical JSON (RFC 8785) of a value of this room.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}
