//! The format of `report.json`, version 1. Docstrings become the descriptions of the schema.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::from_audit::Rows;

/// The report of one rolecall audit. A value is null where the API did not give it, or where it has no meaning for its subject.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "rolecall report", deny_unknown_fields)]
pub(super) struct Report<'a> {
    /// The version of this format.
    pub(super) schema_version: &'static str,
    /// What made the report.
    pub(super) generator: Generator,
    /// The audit's id.
    pub(super) audit_id: String,
    /// The job that the audit belongs to.
    pub(super) job: Option<&'a str>,
    /// The workspace's name in the configuration.
    pub(super) workspace: &'a str,
    /// The fire time that the audit answers, and what went wrong before it; null where it was asked for by hand.
    #[serde(rename = "occasion")]
    pub(super) trigger: Option<Trigger<'a>>,
    /// When the audit was judged.
    pub(super) judged_at: DateTime<Utc>,
    /// Whether every check of the read agreed in the end. Where false, what is not reported may still exist.
    pub(super) complete: bool,
    /// The answer in words and numbers.
    pub(super) summary: Summary,
    /// Where it was read.
    pub(super) source: Source<'a>,
    /// The organization.
    pub(super) organization: Organization<'a>,
    /// The account that it was read with.
    pub(super) read_account: ReadAccount<'a>,
    /// How it was read, and how completely.
    pub(super) reading: Reading<'a>,
    /// What the API tells of nobody, and so was not evaluated.
    pub(super) not_available: [&'static str; 2],
    /// One row for each user, by user id as a number.
    #[schemars(with = "Vec<Row<'a>>")]
    pub(super) access_matrix: Rows<'a>,
    /// What the rules found, the gravest first.
    pub(super) findings: Vec<Finding<'a>>,
    /// The audit that was compared with; null for the first one.
    pub(super) previous: Option<Previous<'a>>,
    /// What changed since then, the weightiest first.
    pub(super) changes: Vec<Change<'a>>,
    /// The role hierarchy, depth first, each role of the master list once.
    pub(super) roles: Vec<Role<'a>>,
    /// The profiles of the master list.
    pub(super) profiles: Vec<Profile<'a>>,
    /// What came of each rule.
    pub(super) rules: Vec<Rule<'a>>,
    /// The policy that was applied.
    pub(super) policy: Policy<'a>,
}

/// The fire time that an audit answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Occasion")]
pub(super) struct Trigger<'a> {
    /// When it was due.
    pub(super) fire_at: DateTime<Utc>,
    /// When somebody first took it up.
    pub(super) began_at: DateTime<Utc>,
    /// How often it was taken up: more than 1 where it was resumed or tried again.
    pub(super) attempt: u32,
    /// What went wrong since somebody last received a report, the oldest first.
    #[serde(rename = "lapses")]
    pub(super) incidents: Vec<Incident<'a>>,
}

/// Something that should have happened and did not.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Lapse")]
pub(super) struct Incident<'a> {
    /// The kind: skipped, overdue, failed, incomplete, undelivered, `clock_set_back`.
    pub(super) kind: &'static str,
    /// The job.
    pub(super) job: &'a str,
    /// The workspace; null where it is about the job as a whole.
    pub(super) workspace: Option<&'a str>,
    /// The run; null where there was none.
    pub(super) run: Option<String>,
    /// The fire time, or the first of several.
    pub(super) at: DateTime<Utc>,
    /// What is known of it: an error, a recipient, a reason.
    pub(super) detail: &'a str,
}

/// What made a report.
#[derive(Serialize, JsonSchema)]
pub(super) struct Generator {
    /// The program.
    pub(super) name: &'static str,
    /// Its version.
    pub(super) version: &'static str,
}

/// The answer in words and numbers.
#[derive(Serialize, JsonSchema)]
pub(super) struct Summary {
    /// What kind of answer it is.
    pub(super) state: State,
    /// The answer in words.
    pub(super) verdict: String,
    /// Users, deleted ones included.
    pub(super) users: usize,
    /// Users by the API's own status word; together they are all users.
    pub(super) users_by_status: BTreeMap<String, usize>,
    /// Active users who did not accept the invitation yet.
    pub(super) unconfirmed: usize,
    /// Active users with an administrator profile.
    pub(super) administrators: usize,
    /// Open findings by severity.
    pub(super) open_findings: BTreeMap<&'static str, usize>,
    /// Open findings that the previous audit did not have; null where there was none.
    pub(super) new_findings: Option<usize>,
    /// Findings that somebody accepted.
    pub(super) excepted_findings: usize,
    /// Changes since the previous audit.
    pub(super) changes: usize,
    /// Rules that could not be evaluated, or not for everything.
    pub(super) rules_not_evaluated: usize,
    /// Rules that the policy switches off.
    pub(super) rules_switched_off: usize,
}

/// What kind of answer an audit gives.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// The read is incomplete: what was not found proves nothing.
    Incomplete,
    /// There are open findings of severity critical or high.
    Act,
    /// There are open findings, none above medium.
    Review,
    /// There is no open finding above info.
    Clear,
}

/// Where a directory was read.
#[derive(Serialize, JsonSchema)]
pub(super) struct Source<'a> {
    /// The connector's name.
    pub(super) connector: &'static str,
    /// The API's base address.
    pub(super) api_url: &'a str,
    /// The vendor's data centre.
    pub(super) data_center: Option<&'a str>,
    /// The scopes that the token answer named.
    pub(super) scopes: Option<&'a [String]>,
}

/// The organization that a workspace belongs to.
#[derive(Serialize, JsonSchema)]
pub(super) struct Organization<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) company_name: Option<&'a str>,
    pub(super) zgid: Option<&'a str>,
    pub(super) domain_name: Option<&'a str>,
    pub(super) primary_zuid: Option<&'a str>,
    pub(super) primary_email: Option<&'a str>,
    pub(super) country_code: Option<&'a str>,
    pub(super) time_zone: Option<&'a str>,
    pub(super) iso_code: Option<&'a str>,
    pub(super) currency_locale: Option<&'a str>,
    pub(super) paid_type: Option<&'a str>,
    pub(super) users_license_purchased: Option<u64>,
}

/// The account that a directory was read with.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReadAccount<'a> {
    /// The user's id.
    pub(super) user_id: &'a str,
    /// The display name.
    pub(super) full_name: Option<&'a str>,
    /// The address.
    pub(super) email: Option<&'a str>,
    /// The profile's id.
    pub(super) profile_id: Option<&'a str>,
}

/// The record of one read.
#[derive(Serialize, JsonSchema)]
pub(super) struct Reading<'a> {
    /// When the first call was made.
    pub(super) started_at: DateTime<Utc>,
    /// When the last answer had come.
    pub(super) finished_at: DateTime<Utc>,
    /// How often the user list was read: 1 unless a check disagreed.
    pub(super) attempts: u32,
    /// Pages of users in the read that counts.
    pub(super) pages: u32,
    /// Users that a page was asked to hold.
    pub(super) per_page: u32,
    /// Users that came on those pages, repeated ones included.
    pub(super) rows: u64,
    /// Distinct users among them.
    pub(super) users: u64,
    /// Calls made, repeated ones included.
    pub(super) requests: u64,
    /// Calls repeated after a failure or a rate limit.
    pub(super) retries: u64,
    /// Bytes of the answers' bodies, after decompression.
    pub(super) bytes: u64,
    /// The query of the user list, as sent, without the page number.
    pub(super) query: &'a str,
    /// Each check and what came of it.
    pub(super) checks: Vec<Check<'a>>,
}

/// One check of a read.
#[derive(Serialize, JsonSchema)]
pub(super) struct Check<'a> {
    /// What was compared, in words.
    #[serde(rename = "check")]
    pub(super) title: &'static str,
    /// `agrees`, `repaired`, `disagrees` or `not evaluated`.
    pub(super) outcome: &'static str,
    /// What there is to say beyond the word.
    pub(super) detail: &'a str,
}

/// One row of the access matrix.
#[derive(Serialize, JsonSchema)]
pub(super) struct Row<'a> {
    /// The user's id.
    pub(super) user_id: &'a str,
    /// The person's id across the vendor's products.
    pub(super) zuid: Option<&'a str>,
    /// The display name.
    pub(super) full_name: Option<&'a str>,
    /// The address, which is the login.
    pub(super) email: Option<&'a str>,
    /// The API's own word.
    pub(super) status: &'a str,
    /// Whether the invitation was accepted.
    pub(super) confirmed: Option<bool>,
    /// The role; null where the user has none.
    pub(super) role: Option<Held<'a>>,
    /// The profile; null where the user has none.
    pub(super) profile: Option<Held<'a>>,
    /// Whether the profile makes an administrator, decided by profile id.
    pub(super) administrator: bool,
    /// The rules that found something about this user.
    #[schemars(with = "Vec<String>")]
    pub(super) findings: super::from_audit::RuleNames<'a>,
    /// When the user record was created.
    pub(super) created_time: Option<DateTime<Utc>>,
    /// When it last changed.
    pub(super) modified_time: Option<DateTime<Utc>>,
}

/// A role or profile that a user holds.
#[derive(Serialize, JsonSchema)]
pub(super) struct Held<'a> {
    /// The id in the user record.
    pub(super) id: &'a str,
    /// The name on the master list; null where the id is not there.
    pub(super) name: Option<&'a str>,
    /// The name in the user record, which may be stale.
    pub(super) name_in_record: Option<&'a str>,
}

/// One thing that a rule found.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    /// `critical`, `high`, `medium`, `low` or `info`.
    pub(super) severity: &'static str,
    /// The rule's name.
    pub(super) rule: &'a str,
    /// The Trust Services Criterion that the rule supports.
    pub(super) criterion: Option<Cow<'a, str>>,
    /// `workspace`, `user`, `role` or `profile`.
    pub(super) subject_type: &'static str,
    /// The subject's id.
    pub(super) subject_id: String,
    /// The subject as a person would name it.
    pub(super) subject: String,
    /// What was found.
    pub(super) message: &'a str,
    /// `open` or `excepted`.
    pub(super) status: &'static str,
    /// Whether the previous audit had it too; null where there was none.
    pub(super) continuing: Option<bool>,
    /// The exception that covers it.
    pub(super) exception: Option<Exception<'a>>,
}

/// An accepted finding.
#[derive(Serialize, JsonSchema)]
pub(super) struct Exception<'a> {
    /// The rule's name.
    pub(super) rule: &'a str,
    /// The subject, as the policy writes it.
    pub(super) subject: &'a str,
    /// The workspace that it is for; null for every one.
    pub(super) workspace: Option<&'a str>,
    /// Who approved it.
    pub(super) approved_by: &'a str,
    /// Why.
    pub(super) reason: &'a str,
    /// The last day on which it counts.
    pub(super) until: NaiveDate,
}

/// The audit that was compared with.
#[derive(Serialize, JsonSchema)]
pub(super) struct Previous<'a> {
    /// Its id.
    pub(super) audit_id: &'a str,
    /// When it had been read.
    pub(super) finished_at: DateTime<Utc>,
    /// How many users it had.
    pub(super) users: u64,
    /// How many of them were active administrators.
    pub(super) administrators: u64,
}

/// One change.
#[derive(Serialize, JsonSchema)]
pub(super) struct Change<'a> {
    /// What kind of change, as in `changes.csv`.
    #[serde(rename = "change")]
    pub(super) kind: &'static str,
    /// `user`, `role`, `profile`, `organization` or `finding`.
    pub(super) subject_type: &'static str,
    /// The subject's id.
    pub(super) subject_id: &'a str,
    /// The subject as a person would name it.
    pub(super) subject: &'a str,
    /// What changed of it; empty where it came or went.
    pub(super) field: &'static str,
    /// The value before; empty where there was none.
    pub(super) before: &'a str,
    /// The value now; empty where there is none.
    pub(super) after: &'a str,
    /// The change as a sentence.
    pub(super) sentence: String,
}

/// A role at its depth in the hierarchy.
#[derive(Serialize, JsonSchema)]
pub(super) struct Role<'a> {
    /// The role's id.
    pub(super) id: &'a str,
    /// The name.
    pub(super) name: &'a str,
    /// How far below the top, 0 at the top.
    pub(super) depth: usize,
    /// The role above, as the API states it.
    pub(super) reporting_to: Option<&'a str>,
    /// Why it stands at the top although it reports to somebody: `missing-parent` or `cycle`.
    pub(super) broken: Option<&'static str>,
    /// Whether the role carries administrative power.
    pub(super) admin_user: Option<bool>,
    /// Whether holders see their peers' records.
    pub(super) share_with_peers: Option<bool>,
    /// The description.
    pub(super) description: Option<&'a str>,
    /// Users who hold it and are not deleted.
    pub(super) holders: usize,
}

/// A profile.
#[derive(Serialize, JsonSchema)]
pub(super) struct Profile<'a> {
    /// The profile's id.
    pub(super) id: &'a str,
    /// The name.
    pub(super) name: &'a str,
    /// Whether it makes an administrator.
    pub(super) administrator: bool,
    /// Whether somebody made it, other than the vendor.
    pub(super) custom: Option<bool>,
    /// The description.
    pub(super) description: Option<&'a str>,
    /// When it last changed.
    pub(super) modified_time: Option<DateTime<Utc>>,
    /// Users who hold it and are not deleted.
    pub(super) holders: usize,
    /// What it permits; null where the API did not say.
    pub(super) permissions: Option<Vec<Permission<'a>>>,
    /// Why the permissions are unknown; null where they are known.
    pub(super) permissions_unknown_because: Option<&'a str>,
}

/// One permission of a profile.
#[derive(Serialize, JsonSchema)]
pub(super) struct Permission<'a> {
    /// The API's name of it.
    pub(super) name: &'a str,
    /// The module that it is about; null for the whole workspace.
    pub(super) module: Option<&'a str>,
    /// The words that the product shows for it.
    pub(super) label: Option<&'a str>,
    /// Whether the profile has it.
    pub(super) enabled: bool,
}

/// What came of one rule.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rule<'a> {
    /// The rule's name.
    #[serde(rename = "rule")]
    pub(super) name: &'a str,
    /// The rule as a short heading.
    pub(super) title: Option<&'a str>,
    /// The Trust Services Criterion that it supports.
    pub(super) criterion: Option<Cow<'a, str>>,
    /// `passed`, `failed`, `not-evaluated` or `switched-off`.
    pub(super) result: &'static str,
    /// Findings that count.
    pub(super) open: usize,
    /// Findings that somebody accepted.
    pub(super) excepted: usize,
    /// What it could not look at, and why; null where it looked at everything.
    pub(super) not_evaluated: Option<&'a str>,
}

/// The policy that was applied.
#[derive(Serialize, JsonSchema)]
pub(super) struct Policy<'a> {
    /// Names or ids of the profiles that make an administrator.
    pub(super) administrator_profiles: &'a [String],
    /// The profiles that those are on the master list.
    pub(super) administrator_profile_ids: Vec<&'a str>,
    /// Addresses of those who may administer; null where nobody wrote a list.
    pub(super) approved_administrators: Option<Vec<&'a str>>,
    /// The company's domains.
    pub(super) company_domains: &'a [String],
    /// More active administrators than this are too many.
    pub(super) max_administrators: usize,
    /// A larger share of active users than this, in percent, is too much.
    pub(super) max_administrator_percent: f64,
    /// An invitation older than this many days should be withdrawn.
    pub(super) unconfirmed_days: i64,
    /// Local parts of addresses that more than one person reads.
    pub(super) shared_mailboxes: Vec<&'a str>,
    /// Fragments of the names of permissions that deserve care.
    pub(super) dangerous_permissions: &'a [String],
    /// Rules that are `off`, or have another severity than their own.
    pub(super) rules: BTreeMap<&'a str, &'static str>,
    /// Accepted findings, whether or not they cover one of this audit.
    pub(super) exceptions: Vec<Exception<'a>>,
}
