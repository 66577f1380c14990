//! `people.json`, under a published schema. Docstrings become the descriptions of the schema.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::PeopleInput;
use crate::{
    access::power::Power,
    people::{self, People, Standing},
};

/// The version of the format, as `schema_version` in every file.
pub const SCHEMA_VERSION: &str = "1.1";

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// Everybody across the workspaces of a job. A value is null if the API did not give it, or if it has no meaning.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "rolecall people", deny_unknown_fields)]
struct Document<'a> {
    /// The version of this format.
    schema_version: &'static str,
    /// The job.
    job: Option<&'a str>,
    /// When the view was made.
    made_at: DateTime<Utc>,
    /// The answer in a few sentences.
    verdict: String,
    /// The workspaces, by name.
    workspaces: Vec<Workspace<'a>>,
    /// Who holds, in different workspaces, rights that one person must not hold together (rule `conflicting-access`).
    findings: Vec<Finding<'a>>,
    /// What could not be decided about that.
    not_evaluated: &'a [String],
    /// The people, by address; then accounts without an address, each as a person of its own.
    #[schemars(with = "Vec<Person<'a>>")]
    people: Persons<'a>,
}

/// A person who holds rights that must be separate.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Finding<'a> {
    /// The rule.
    rule: &'static str,
    /// How severe it is.
    severity: &'static str,
    /// The separation's name.
    separation: &'a str,
    /// The address that stands for the person; null if the account has none.
    person: Option<&'a str>,
    /// Name, else address, else id.
    name: &'a str,
    /// Which right the person holds where.
    message: &'a str,
    /// `open`, or `excepted` if an exception accepts it.
    status: &'static str,
    /// Who accepted it; null if it is open.
    approved_by: Option<&'a str>,
    /// The last day of the exception; null if it is open.
    until: Option<NaiveDate>,
}

/// One workspace of the job.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Workspace<'a> {
    /// Its name in the configuration.
    name: &'a str,
    /// `complete`, `incomplete` or `missing`. Nothing follows from what an incomplete or missing workspace does not list.
    read: &'static str,
    /// Why it is missing.
    reason: Option<&'a str>,
    /// When the last answer of its read arrived.
    read_at: Option<DateTime<Utc>>,
}

/// One person: an address and its aliases, or one account without an address.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Person<'a> {
    /// The address that stands for the person.
    address: Option<&'a str>,
    /// Name, else address, else id.
    name: &'a str,
    /// The workspaces in which the person can administer.
    administers: Vec<&'a str>,
    /// Whether an account stayed active in one workspace after those in another one were removed or disabled.
    left_behind: bool,
    /// The accounts.
    accounts: Vec<Account<'a>>,
}

/// One account.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Account<'a> {
    /// The workspace.
    workspace: &'a str,
    /// The user's id; null for an account that is not listed any more.
    user_id: Option<&'a str>,
    /// The display name.
    full_name: Option<&'a str>,
    /// The address.
    email: Option<&'a str>,
    /// The status as the API wrote it; `removed` for an account that is not listed any more.
    status: &'a str,
    /// What the status means: `active`, `inactive`, `removed` or `unknown`.
    access: &'static str,
    /// Whether the invitation was accepted.
    confirmed: Option<bool>,
    /// The role's name; its id if the role list does not have it.
    role: Option<&'a str>,
    /// The profile's name; its id if the profile list does not have it.
    profile: Option<&'a str>,
    /// How much power it gives; null for an account that is not listed any more.
    power: Option<Power>,
    /// When an audit first did not list it; null for an account that is listed.
    missed_at: Option<DateTime<Utc>>,
}

/// The people, one at a time.
struct Persons<'a>(&'a People);

impl Serialize for Persons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.persons.iter().map(|one| person(self.0, one)))
    }
}

/// The JSON Schema of `people.json` (draft 2020-12).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document<'_>).to_value()
}

pub(super) fn write(input: &PeopleInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let people = input.people;
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    let document = Document {
        schema_version: SCHEMA_VERSION,
        job: input.job,
        made_at: input.at,
        verdict: people.verdict(),
        workspaces: people.workspaces.iter().map(workspace).collect(),
        findings: people.conflicts.iter().map(|conflict| finding(people, conflict)).collect(),
        not_evaluated: &people.undecided,
        people: Persons(people),
    };
    serde_json::to_writer(&mut out, &document)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn finding<'a>(people: &'a People, conflict: &'a people::Conflict) -> Finding<'a> {
    let person = &people.persons[conflict.person];
    Finding {
        rule: people::RULE,
        severity: conflict.severity.word(),
        separation: &conflict.separation,
        person: person.address.as_deref(),
        name: &person.label,
        message: &conflict.sentence,
        status: if conflict.accepted.is_some() { "excepted" } else { "open" },
        approved_by: conflict.accepted.as_ref().map(|exception| exception.approved_by.as_str()),
        until: conflict.accepted.as_ref().map(|exception| exception.until),
    }
}

fn workspace(workspace: &people::Workspace) -> Workspace<'_> {
    let (read, reason) = match &workspace.standing {
        Standing::Complete => ("complete", None),
        Standing::Incomplete => ("incomplete", None),
        Standing::Missing(reason) => ("missing", Some(reason.as_str())),
    };
    Workspace { name: &workspace.name, read, reason, read_at: workspace.read_at }
}

fn person<'a>(people: &'a People, person: &'a people::Person) -> Person<'a> {
    Person {
        address: person.address.as_deref(),
        name: &person.label,
        administers: people.names(&person.administers()),
        left_behind: person.is_left_behind(),
        accounts: person.accounts.iter().map(|one| account(people, one)).collect(),
    }
}

fn account<'a>(people: &'a People, account: &'a people::Account) -> Account<'a> {
    let is_listed = account.missed_at.is_none();
    Account {
        workspace: people.name(account.workspace),
        user_id: is_listed.then_some(&*account.id),
        full_name: account.name.as_deref(),
        email: account.email.as_deref(),
        status: &account.status,
        access: account.activity.word(),
        confirmed: account.confirmed,
        role: account.role.map(|_| people.role(account)),
        profile: account.profile.map(|_| people.profile(account)),
        power: is_listed.then_some(account.power),
        missed_at: account.missed_at,
    }
}
