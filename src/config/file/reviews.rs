//! Reviews as written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::review::event::Scope;

/// A review: named people decide about every account of a job's latest complete audit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Review {
    /// The job whose latest complete audit it is opened from.
    #[schemars(with = "String")]
    pub(crate) job: Spanned<String>,
    /// When it is opened: a cron pattern, as for a job. Without it, `rolecall review open` opens it.
    #[schemars(with = "Option<String>")]
    pub(crate) schedule: Option<Spanned<String>>,
    /// The IANA time zone of the schedule (default UTC).
    #[schemars(with = "Option<String>")]
    pub(crate) time_zone: Option<Spanned<String>>,
    /// Which accounts of those that can sign in: all, privileged or changed.
    #[serde(default)]
    pub(crate) scope: Scope,
    /// Days from the opening until every decision is due, 1 to 365 (default 14).
    #[schemars(with = "Option<i64>")]
    pub(crate) due_days: Option<Spanned<i64>>,
    /// The address of who is responsible: opens, assigns and closes.
    #[schemars(with = "String")]
    pub(crate) owner: Spanned<String>,
    /// Who decides about which accounts: the first entry that matches.
    #[schemars(with = "Vec<ReviewersEntry>")]
    pub(crate) reviewers: Spanned<Vec<Spanned<ReviewersEntry>>>,
    /// Whether another person than who decided is to carry a removal out. `rolecall offboard` refuses the person who decided.
    #[serde(default)]
    pub(crate) four_eyes: bool,
    /// Days from a decision until an audit has to show that it was carried out.
    #[serde(default)]
    pub(crate) remediation_days: RemediationDays,
    /// The address of who is told when the review is overdue.
    #[schemars(with = "Option<String>")]
    pub(crate) escalate_to: Option<Spanned<String>>,
}

/// Who decides about the accounts that match all conditions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewersEntry {
    /// Condition: a workspace's name, or a pattern.
    #[schemars(with = "Option<String>")]
    pub(crate) workspace: Option<Spanned<String>>,
    /// Condition: a role's name or id, or a pattern such as `Sales*`.
    #[schemars(with = "Option<String>")]
    pub(crate) role: Option<Spanned<String>>,
    /// Condition: a profile's name or id, or a pattern.
    #[schemars(with = "Option<String>")]
    pub(crate) profile: Option<Spanned<String>>,
    /// Condition: a department of the roster, or a pattern.
    #[schemars(with = "Option<String>")]
    pub(crate) department: Option<Spanned<String>>,
    /// The address of who decides.
    #[schemars(with = "Option<String>")]
    pub(crate) reviewer: Option<Spanned<String>>,
    /// `manager`: the manager in the roster decides.
    #[schemars(with = "Option<String>")]
    pub(crate) roster: Option<Spanned<String>>,
    /// The address of who decides where the reviewer may not, for example about the reviewer's own account.
    #[schemars(with = "Option<String>")]
    pub(crate) alternate: Option<Spanned<String>>,
}

/// Days from a decision until an audit has to show that it was carried out, 1 to 365.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RemediationDays {
    /// For any account (default 14).
    #[schemars(with = "Option<i64>")]
    pub(crate) default: Option<Spanned<i64>>,
    /// For a privileged account (default 3).
    #[schemars(with = "Option<i64>")]
    pub(crate) administrator: Option<Spanned<i64>>,
    /// For the account of someone who has left, according to the roster (default 1).
    #[schemars(with = "Option<i64>")]
    pub(crate) leaver: Option<Spanned<i64>>,
}
