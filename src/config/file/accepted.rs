//! Exceptions, planned fixes and separations as written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, value::Datetime};

/// An accepted finding: who approved it, why, until when.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Exception {
    /// The rule's name.
    #[schemars(with = "String")]
    pub(in crate::config) rule: Spanned<String>,
    /// A user's id or address, a role's or profile's id or name, `workspace`, or a pattern: `svc-*`, `/regex/`.
    #[schemars(with = "String")]
    pub(in crate::config) subject: Spanned<String>,
    /// The workspace it applies to; without it, all.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) workspace: Option<Spanned<String>>,
    /// Who approved it.
    #[schemars(with = "String")]
    pub(in crate::config) approved_by: Spanned<String>,
    /// Why it was approved.
    #[schemars(with = "String")]
    pub(in crate::config) reason: Spanned<String>,
    /// The last day on which it applies, such as 2027-03-31.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(in crate::config) until: Spanned<Datetime>,
    /// Where it was requested, such as SEC-142.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) ticket: Option<Spanned<String>>,
    /// Who looks after it.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) owner: Option<Spanned<String>>,
}

/// A finding that is known and will be fixed by a date. It stays open, with that date.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PlannedFix {
    /// The rule's name.
    #[schemars(with = "String")]
    pub(in crate::config) rule: Spanned<String>,
    /// What it is about, as in an exception.
    #[schemars(with = "String")]
    pub(in crate::config) subject: Spanned<String>,
    /// The workspace it applies to; without it, all.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) workspace: Option<Spanned<String>>,
    /// Who fixes it.
    #[schemars(with = "String")]
    pub(in crate::config) owner: Spanned<String>,
    /// What will be done.
    #[schemars(with = "String")]
    pub(in crate::config) reason: Spanned<String>,
    /// The day by which it is fixed, such as 2027-03-31.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(in crate::config) until: Spanned<Datetime>,
    /// Where it is tracked, such as SEC-142.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) ticket: Option<Spanned<String>>,
}

/// Two rights that one person must not hold together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Separation {
    /// Its name in reports.
    #[schemars(with = "String")]
    pub(in crate::config) name: Spanned<String>,
    /// One of the two: a permission, profile or role.
    #[schemars(with = "Right")]
    pub(in crate::config) first: Spanned<Right>,
    /// The other.
    #[schemars(with = "Right")]
    pub(in crate::config) second: Spanned<Right>,
    /// The severity of its findings (default high).
    #[schemars(with = "Option<String>")]
    pub(in crate::config) severity: Option<Spanned<String>>,
}

/// A right: one of `permission`, `profile` and `role`, by name or pattern.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Right {
    /// A permission, by name or label.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) permission: Option<Spanned<String>>,
    /// A profile, by id or name.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) profile: Option<Spanned<String>>,
    /// A role, by id or name.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) role: Option<Spanned<String>>,
}
