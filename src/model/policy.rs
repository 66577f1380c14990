//! What a company holds to be right: a checked policy.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::finding::Severity;

/// A checked policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Names or ids of the profiles that make an administrator.
    pub administrator_profiles: Vec<String>,
    /// Comparable addresses of those who may administer; none where nobody wrote a list.
    pub approved_administrators: Option<BTreeSet<String>>,
    /// The company's domains, lower case; empty where nobody wrote any.
    pub company_domains: Vec<String>,
    /// More active administrators than this are too many.
    pub max_administrators: usize,
    /// A larger share of active users than this, in percent, is too much.
    pub max_administrator_percent: f64,
    /// An invitation older than this many days should be withdrawn.
    pub unconfirmed_days: i64,
    /// Local parts of addresses that more than one person reads.
    pub shared_mailboxes: BTreeSet<String>,
    /// Permissions that deserve an administrator's care: fragments of permission names or labels, lower case.
    pub dangerous_permissions: Vec<String>,
    /// Rules switched off, or of another severity than their own.
    pub rules: BTreeMap<String, RuleSetting>,
    /// Accepted findings.
    pub exceptions: Vec<Exception>,
}

impl Default for Policy {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Self {
            administrator_profiles: owned(&["Administrator"]),
            approved_administrators: None,
            company_domains: Vec::new(),
            max_administrators: 5,
            max_administrator_percent: 20.0,
            unconfirmed_days: 14,
            shared_mailboxes: owned(&SHARED_MAILBOXES).into_iter().collect(),
            dangerous_permissions: owned(&DANGEROUS_PERMISSIONS),
            rules: BTreeMap::new(),
            exceptions: Vec::new(),
        }
    }
}

/// Local parts that name a function and not a person (RFC 2142 and common use).
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

/// Fragments of permission names and labels that administer, export or delete in bulk.
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

/// What a policy says of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSetting {
    /// It does not run, and every report says so.
    Off,
    /// Its findings have this severity.
    Severity(Severity),
}

/// An accepted finding: who approved it, why, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule's name.
    pub rule: String,
    /// The subject: a user's id or address, a role's or profile's id or name, or `workspace`.
    pub subject: String,
    /// The workspace that it is for; none for every one.
    pub workspace: Option<String>,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub until: NaiveDate,
}
