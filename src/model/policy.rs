//! What a company expects of a workspace: a checked policy.

mod applied;
mod custom_rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::custom_rules::{CustomRule, ForEach, RuleTest, TestValue};
pub use super::{
    account::{Account, AccountKind},
    exception::{Exception, PlannedFix},
};
use super::{
    email::comparable, finding::Severity, framework::Framework, roster::ExpectedAccess, separation::Separation,
};

/// The name of `[policy]`, which every named policy takes from what it does not say itself.
pub const BASE: &str = "base";

/// What an audit judges by, and which findings are accepted.
///
/// Snapshots keep it: a field that they do not have has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Its name in the configuration; [`BASE`] for `[policy]`.
    pub name: String,
    /// Names or ids of the profiles that make an administrator.
    pub administrator_profiles: Vec<String>,
    /// Addresses of approved administrators, in the form of [`comparable`]. `None` if the
    /// policy has no list.
    pub approved_administrators: Option<BTreeSet<String>>,
    /// The company's domains, lower case. Empty if the policy lists none.
    pub company_domains: Vec<String>,
    /// The most active administrators that are allowed.
    pub max_administrators: usize,
    /// The largest share of active users that may be administrators, in percent.
    pub max_administrator_percent: f64,
    /// How many days an invitation may be pending.
    pub unconfirmed_days: i64,
    /// How many days from now an exception may last at most.
    pub max_exception_days: i64,
    /// Local parts of addresses that several people read.
    pub shared_mailboxes: BTreeSet<String>,
    /// Fragments of names or labels of permissions that only administrators should have, lower case.
    pub dangerous_permissions: Vec<String>,
    /// Rules that are switched off or have another severity than their own, by name.
    pub rules: BTreeMap<String, RuleSetting>,
    /// Why rules are off, by rule. Only those that are off.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub off_reasons: BTreeMap<String, String>,
    /// The frameworks whose criteria reports name; at least one.
    pub frameworks: Vec<Framework>,
    /// Accounts that are not people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// Accepted findings.
    pub exceptions: Vec<Exception>,
    /// The protected rules whose findings an exception may accept.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub may_except: BTreeSet<String>,
    /// Findings that are known and will be fixed by a date.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub planned_fixes: Vec<PlannedFix>,
    /// Rights that one person must not hold together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub separations: Vec<Separation>,
    /// Rules of the company's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_rules: Vec<CustomRule>,
    /// The names of the rosters, joined. Empty if the policy has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<String>,
    /// Domains that stand for another one, in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub domain_aliases: BTreeMap<String, String>,
    /// Who may hold what, by the roster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_access: Vec<ExpectedAccess>,
}

impl Policy {
    /// Whether the list of approved administrators has an address; no address is on no list. `None` if the policy has no
    /// list.
    pub fn approves(&self, address: Option<&str>) -> Option<bool> {
        let approved = self.approved_administrators.as_ref()?;
        Some(address.is_some_and(|address| approved.contains(&comparable(address))))
    }
}

/// What is said of a rule that is off without a reason.
const NO_REASON: &str = "no reason given";

impl Policy {
    /// The rules that are off, each with the reason for it.
    pub fn rules_off(&self) -> impl Iterator<Item = (&str, &str)> {
        let off = self.rules.iter().filter(|(_, setting)| **setting == RuleSetting::Off);
        off.map(|(rule, _)| (rule.as_str(), self.off_reason(rule)))
    }

    /// Why a rule is off.
    pub fn off_reason(&self, rule: &str) -> &str {
        self.off_reasons.get(rule).map_or(NO_REASON, String::as_str)
    }
}

impl Default for Policy {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Self {
            name: BASE.to_owned(),
            administrator_profiles: owned(&["Administrator"]),
            approved_administrators: None,
            company_domains: Vec::new(),
            max_administrators: 5,
            max_administrator_percent: 20.0,
            unconfirmed_days: 14,
            max_exception_days: 366,
            shared_mailboxes: owned(&SHARED_MAILBOXES).into_iter().collect(),
            dangerous_permissions: owned(&DANGEROUS_PERMISSIONS),
            rules: BTreeMap::new(),
            off_reasons: BTreeMap::new(),
            frameworks: vec![Framework::Soc2],
            accounts: Vec::new(),
            exceptions: Vec::new(),
            may_except: BTreeSet::new(),
            planned_fixes: Vec::new(),
            separations: Vec::new(),
            custom_rules: Vec::new(),
            roster: Vec::new(),
            domain_aliases: BTreeMap::new(),
            expected_access: Vec::new(),
        }
    }
}

/// Local parts that name a function rather than a person (RFC 2142 and common use).
pub const SHARED_MAILBOXES: [&str; 24] = [
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "contact",
    "finance",
    "hello",
    "help",
    "helpdesk",
    "hr",
    "info",
    "it",
    "mail",
    "marketing",
    "office",
    "postmaster",
    "root",
    "sales",
    "security",
    "support",
    "team",
    "webmaster",
];

/// Fragments of names and labels of permissions to administer, export or delete in bulk.
pub const DANGEROUS_PERMISSIONS: [&str; 16] = [
    "manage users",
    "manage profiles",
    "manage roles",
    "manage_users",
    "manage_profiles",
    "manage_roles",
    "manage_user",
    "export",
    "mass delete",
    "mass_delete",
    "bulk delete",
    "bulk_delete",
    "data administration",
    "data_administration",
    "data backup",
    "data_backup",
];

/// What a policy says about one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSetting {
    /// The rule does not run, and every report says so.
    Off,
    /// All findings of the rule have this severity.
    Severity(Severity),
}
