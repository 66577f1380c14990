//! The format of `report.json`, version 1. Docstrings become the descriptions of the schema.

mod directory;
mod judged;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use self::{
    directory::{Check, Organization, Permission, Profile, ReadAccount, Reading, Reduction, Role, Source},
    judged::{
        Account, CustomRule, Exception, ExpectedAccess, Finding, PlannedFix, Policy, Right, Roster, RosterSource, Rule,
        Separation,
    },
};
use super::rows::{Row, Rows};

/// The report of one rolecall audit. A value is null if the API did not give it, or if it has no meaning for its subject.
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
    /// The scheduled time that the audit belongs to, and the incidents before it; null if it was run on demand.
    #[serde(rename = "occasion")]
    pub(super) trigger: Option<Trigger<'a>>,
    /// When the audit was judged.
    pub(super) judged_at: DateTime<Utc>,
    /// The earlier audit of which this report judges again what was read; only in such a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) judged_again: Option<JudgedAgain<'a>>,
    /// Whether every check of the read agreed in the end. If false, what is not reported may still exist.
    pub(super) complete: bool,
    /// The answer in words and numbers.
    pub(super) summary: Summary,
    /// The API that it was read from.
    pub(super) source: Source<'a>,
    /// The organization.
    pub(super) organization: Organization<'a>,
    /// The account that read it.
    pub(super) read_account: ReadAccount<'a>,
    /// How it was read, and how completely.
    pub(super) reading: Reading<'a>,
    /// What the API exposes for no user, so that it was not evaluated.
    pub(super) not_available: [&'static str; 2],
    /// One row for each user, ordered by user id as a number.
    #[schemars(with = "Vec<Row<'a>>")]
    pub(super) access_matrix: Rows<'a>,
    /// What the rules found, the most severe first.
    pub(super) findings: Vec<Finding<'a>>,
    /// The audit that was compared with; null for the first one.
    pub(super) previous: Option<Previous<'a>>,
    /// What changed since then, the most important first.
    pub(super) changes: Vec<Change<'a>>,
    /// The role hierarchy, depth first, each role of the master list once.
    pub(super) roles: Vec<Role<'a>>,
    /// The profiles of the master list.
    pub(super) profiles: Vec<Profile<'a>>,
    /// The result of each rule.
    pub(super) rules: Vec<Rule<'a>>,
    /// The policy that was applied.
    pub(super) policy: Policy<'a>,
    /// The roster that it was judged by; null if the policy has none.
    pub(super) roster: Option<Roster<'a>>,
}

/// The earlier audit of which a report judges again what was read.
#[derive(Serialize, JsonSchema)]
pub(super) struct JudgedAgain<'a> {
    /// Its id.
    pub(super) audit_id: String,
    /// The name of the policy that judged it.
    pub(super) policy: &'a str,
}

/// The scheduled time that an audit belongs to.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Occasion")]
pub(super) struct Trigger<'a> {
    /// The scheduled time.
    pub(super) fire_at: DateTime<Utc>,
    /// When the first attempt began.
    pub(super) began_at: DateTime<Utc>,
    /// The number of the attempt: more than 1 if it was resumed or tried again.
    pub(super) attempt: u32,
    /// What went wrong since a report was last delivered, the oldest first.
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
    /// The workspace; null if it concerns the whole job.
    pub(super) workspace: Option<&'a str>,
    /// The run; null if there was none.
    pub(super) run: Option<String>,
    /// The scheduled time, or the first of several.
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
    /// Active users who can administer: with full power, however they hold it.
    pub(super) administrators: usize,
    /// Those among them who hold it by no administrator profile: by a profile that equals one, or by an administrative role.
    pub(super) administrators_equivalent: usize,
    /// Users of whom the status, profile or role could not be read, or the API does not tell what the profile or role
    /// permits, so that they may be administrators too: then `administrators` is a minimum. Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrators_unknown: Option<usize>,
    /// Open findings by severity.
    pub(super) open_findings: BTreeMap<&'static str, usize>,
    /// Open findings that the previous audit did not have; null for a first audit.
    pub(super) new_findings: Option<usize>,
    /// Findings that an exception accepts.
    pub(super) excepted_findings: usize,
    /// Changes since the previous audit.
    pub(super) changes: usize,
    /// Rules that could not be evaluated, or not for everything.
    pub(super) rules_not_evaluated: usize,
    /// Open findings of an earlier audit that this one could not look for: they are neither open nor resolved. Absent if there
    /// are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) findings_not_looked_for: Option<usize>,
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

/// The audit that was compared with.
#[derive(Serialize, JsonSchema)]
pub(super) struct Previous<'a> {
    /// Its id.
    pub(super) audit_id: &'a str,
    /// When it had been read.
    pub(super) finished_at: DateTime<Utc>,
    /// How many users it had.
    pub(super) users: u64,
    /// How many of them could administer.
    pub(super) administrators: u64,
}

/// One change.
#[derive(Serialize, JsonSchema)]
pub(super) struct Change<'a> {
    /// What kind of change, as in `changes.csv`.
    #[serde(rename = "change")]
    pub(super) kind: &'static str,
    /// `user`, `role`, `profile`, `organization`, `policy` or `finding`.
    pub(super) subject_type: &'static str,
    /// The subject's id.
    pub(super) subject_id: &'a str,
    /// The subject as a person would name it.
    pub(super) subject: &'a str,
    /// The field that changed; empty if the subject was added or removed.
    pub(super) field: &'static str,
    /// The value before; empty if there was none.
    pub(super) before: &'a str,
    /// The value now; empty if there is none.
    pub(super) after: &'a str,
    /// The change as a sentence.
    pub(super) sentence: String,
}
