//! What was found, and by which policy.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// One thing that a rule found.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Finding<'a> {
    /// `critical`, `high`, `medium`, `low` or `info`.
    pub(in crate::report::json) severity: &'static str,
    /// The rule's name.
    pub(in crate::report::json) rule: &'a str,
    /// The Trust Services Criterion that the rule supports.
    pub(in crate::report::json) criterion: Option<Cow<'a, str>>,
    /// `workspace`, `user`, `role` or `profile`.
    pub(in crate::report::json) subject_type: &'static str,
    /// The subject's id.
    pub(in crate::report::json) subject_id: String,
    /// The subject as a person would name it.
    pub(in crate::report::json) subject: String,
    /// What was found.
    pub(in crate::report::json) message: &'a str,
    /// `open` or `excepted`.
    pub(in crate::report::json) status: &'static str,
    /// Whether the previous audit had it too; null for a first audit.
    pub(in crate::report::json) continuing: Option<bool>,
    /// The exception that covers it.
    pub(in crate::report::json) exception: Option<Exception<'a>>,
    /// When it is planned to be fixed, and by whom; null if that is not planned.
    pub(in crate::report::json) planned_fix: Option<PlannedFix<'a>>,
    /// The lines of the configuration that would accept it, once an approver and a reason are filled in; null if it is
    /// accepted, or if the policy does not allow that.
    pub(in crate::report::json) accept_with: Option<String>,
}

/// A finding that is planned to be fixed.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct PlannedFix<'a> {
    /// The rule's name.
    pub(in crate::report::json) rule: &'a str,
    /// The subject, as the policy writes it.
    pub(in crate::report::json) subject: &'a str,
    /// The workspace that it applies to; null for all.
    pub(in crate::report::json) workspace: Option<&'a str>,
    /// Who fixes it.
    pub(in crate::report::json) owner: &'a str,
    /// What will be done.
    pub(in crate::report::json) reason: &'a str,
    /// The day by which it is fixed.
    pub(in crate::report::json) until: NaiveDate,
    /// Where it is tracked.
    pub(in crate::report::json) ticket: Option<&'a str>,
    /// Whether that day was over when the audit was judged.
    pub(in crate::report::json) overdue: bool,
}

/// Rights that one person must not hold together.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Separation<'a> {
    /// Its name.
    pub(in crate::report::json) name: &'a str,
    /// One of the two.
    pub(in crate::report::json) first: Right<'a>,
    /// The other.
    pub(in crate::report::json) second: Right<'a>,
    /// The severity of its findings; null if it is that of the rule.
    pub(in crate::report::json) severity: Option<&'static str>,
}

/// A right, by name or pattern.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Right<'a> {
    /// `permission`, `profile` or `role`.
    pub(in crate::report::json) kind: &'static str,
    /// The name or pattern.
    pub(in crate::report::json) pattern: &'a str,
}

/// An accepted finding.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Exception<'a> {
    /// The rule's name.
    pub(in crate::report::json) rule: &'a str,
    /// The subject, as the policy writes it.
    pub(in crate::report::json) subject: &'a str,
    /// The workspace that it applies to; null for all.
    pub(in crate::report::json) workspace: Option<&'a str>,
    /// Who approved it.
    pub(in crate::report::json) approved_by: &'a str,
    /// Why.
    pub(in crate::report::json) reason: &'a str,
    /// The last day on which it is valid.
    pub(in crate::report::json) until: NaiveDate,
    /// Where it was requested.
    pub(in crate::report::json) ticket: Option<&'a str>,
    /// Who looks after it.
    pub(in crate::report::json) owner: Option<&'a str>,
}

/// Accounts that are declared as not being people.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Account<'a> {
    /// The subject, as the policy writes it: an address, an id or a pattern.
    pub(in crate::report::json) subject: &'a str,
    /// `service`, `shared` or `break-glass`.
    pub(in crate::report::json) kind: &'static str,
    /// Who is responsible for it.
    pub(in crate::report::json) owner: &'a str,
    /// Why it exists.
    pub(in crate::report::json) reason: &'a str,
    /// The last day on which the declaration applies.
    pub(in crate::report::json) until: NaiveDate,
    /// Whether that day was over.
    pub(in crate::report::json) expired: bool,
    /// The ids of the users that are such accounts.
    pub(in crate::report::json) user_ids: Vec<&'a str>,
}

/// The result of one rule.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Rule<'a> {
    /// The rule's name.
    #[serde(rename = "rule")]
    pub(in crate::report::json) name: &'a str,
    /// The rule as a short heading.
    pub(in crate::report::json) title: Option<&'a str>,
    /// The Trust Services Criterion that it supports.
    pub(in crate::report::json) criterion: Option<Cow<'a, str>>,
    /// `passed`, `failed`, `not-evaluated` or `switched-off`.
    pub(in crate::report::json) result: &'static str,
    /// Open findings.
    pub(in crate::report::json) open: usize,
    /// Findings that an exception accepts.
    pub(in crate::report::json) excepted: usize,
    /// What it could not evaluate, and why; null if it evaluated everything.
    pub(in crate::report::json) not_evaluated: Option<&'a str>,
    /// Why the policy switches it off; null if it does not.
    pub(in crate::report::json) off_because: Option<&'a str>,
}

/// The policy that was applied.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Policy<'a> {
    /// Its name in the configuration; `base` for `[policy]`.
    pub(in crate::report::json) name: &'a str,
    /// The SHA-256 of its canonical form, as `rolecall policy show` prints it.
    pub(in crate::report::json) sha256: String,
    /// The frameworks whose criteria the report names.
    pub(in crate::report::json) frameworks: Vec<&'static str>,
    /// Names or ids of the profiles that make an administrator.
    pub(in crate::report::json) administrator_profiles: &'a [String],
    /// The ids of those profiles on the master list.
    pub(in crate::report::json) administrator_profile_ids: Vec<&'a str>,
    /// Addresses of the approved administrators; null if the policy has no list.
    pub(in crate::report::json) approved_administrators: Option<Vec<&'a str>>,
    /// The company's domains.
    pub(in crate::report::json) company_domains: &'a [String],
    /// More active administrators than this are too many.
    pub(in crate::report::json) max_administrators: usize,
    /// A larger share of active users than this, in percent, is too much.
    pub(in crate::report::json) max_administrator_percent: f64,
    /// An invitation older than this many days should be withdrawn.
    pub(in crate::report::json) unconfirmed_days: i64,
    /// An exception that lasts more days than this is a finding.
    pub(in crate::report::json) max_exception_days: i64,
    /// Local parts of addresses that are shared mailboxes.
    pub(in crate::report::json) shared_mailboxes: Vec<&'a str>,
    /// Fragments of the names of dangerous permissions.
    pub(in crate::report::json) dangerous_permissions: &'a [String],
    /// Rules that are `off` or have another severity than their default.
    pub(in crate::report::json) rules: BTreeMap<&'a str, &'static str>,
    /// Why rules are off, by rule; a rule that is off without a reason is not among them.
    pub(in crate::report::json) off_reasons: BTreeMap<&'a str, &'a str>,
    /// The accounts of this workspace that are not people.
    pub(in crate::report::json) accounts: Vec<Account<'a>>,
    /// The exceptions, whether or not one covers a finding of this audit.
    pub(in crate::report::json) exceptions: Vec<Exception<'a>>,
    /// Rules that exceptions may accept only because they stand here.
    pub(in crate::report::json) may_except: Vec<&'a str>,
    /// Findings that are known and will be fixed by a date.
    pub(in crate::report::json) planned_fixes: Vec<PlannedFix<'a>>,
    /// Rights that one person must not hold together.
    pub(in crate::report::json) separations: Vec<Separation<'a>>,
    /// Rules of the company's own.
    pub(in crate::report::json) custom_rules: Vec<CustomRule<'a>>,
    /// The names of the rosters, joined; empty if the policy has none.
    pub(in crate::report::json) roster: &'a [String],
    /// Domains that stand for another one.
    pub(in crate::report::json) domain_aliases: &'a BTreeMap<String, String>,
    /// Who may hold what, by the roster.
    pub(in crate::report::json) expected_access: Vec<ExpectedAccess<'a>>,
}

/// A rule of the company's own.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct CustomRule<'a> {
    /// Its name.
    pub(in crate::report::json) name: &'a str,
    /// The rule as a short heading.
    pub(in crate::report::json) title: &'a str,
    /// Its severity, unless `rules` gives it another one.
    pub(in crate::report::json) severity: &'static str,
    /// The criteria that it supports.
    pub(in crate::report::json) criteria: &'a [String],
    /// `user`, `role`, `profile` or `workspace`.
    pub(in crate::report::json) for_each: &'static str,
    /// The condition, in CEL.
    pub(in crate::report::json) when: &'a str,
    /// The sentence of its findings, with placeholders.
    pub(in crate::report::json) message: &'a str,
    /// How to fix a finding.
    pub(in crate::report::json) fix: &'a str,
}

/// What the people of a department or with a title may hold; null for any.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct ExpectedAccess<'a> {
    /// The pattern of the department.
    pub(in crate::report::json) department: Option<&'a str>,
    /// The pattern of the job title.
    pub(in crate::report::json) title: Option<&'a str>,
    /// Patterns of profiles.
    pub(in crate::report::json) profiles: Option<&'a [String]>,
    /// Patterns of roles.
    pub(in crate::report::json) roles: Option<&'a [String]>,
}

/// Who works for the company, in numbers. The evidence bag has the roster itself.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Roster<'a> {
    /// Whether it could be relied on. If not, the rules that need it were not evaluated.
    pub(in crate::report::json) relied_on: bool,
    /// Why it could not be relied on; empty if it could.
    pub(in crate::report::json) problems: &'a [String],
    /// Users with an address, without deleted ones.
    pub(in crate::report::json) users: u64,
    /// Those of them whose address is in it.
    pub(in crate::report::json) matched: u64,
    /// The rosters that are joined.
    pub(in crate::report::json) sources: Vec<RosterSource<'a>>,
}

/// One roster.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct RosterSource<'a> {
    /// Its name in the configuration.
    pub(in crate::report::json) name: &'a str,
    /// When it was read.
    pub(in crate::report::json) read_at: DateTime<Utc>,
    /// When its content was last changed; null if it was not read.
    pub(in crate::report::json) as_of: Option<DateTime<Utc>>,
    /// The SHA-256 of its bytes; null if it was not read.
    pub(in crate::report::json) sha256: Option<&'a str>,
    /// Why it could not be read; null if it was.
    pub(in crate::report::json) problem: Option<&'a str>,
    /// People.
    pub(in crate::report::json) people: u64,
    /// Those who work for the company.
    pub(in crate::report::json) work_here: u64,
    /// Those who have left.
    pub(in crate::report::json) left: u64,
}
