//! A report.json read again: the directory that it was made of, and what was found in it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{
    directory::{Directory, Organization, Permission, Permissions, Profile, Role, Source, UserRecord},
    kind::ConnectorKind,
    reading::{Check, CheckKind, CheckOutcome, Reading},
    unread::Unread,
    users::{NewUser, TextTooLong, UserBlock, Users},
};

/// A report is not one that can be read again.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It is not a report.json.
    #[error("it is not a report.json of rolecall: {0}")]
    Json(#[from] serde_json::Error),
    /// A later rolecall made it.
    #[error("its schema_version is {0}; expected 1")]
    Version(String),
    /// It names a connector that this rolecall does not know.
    #[error("its connector `{0}` is not known")]
    Connector(String),
    /// A user record is too long.
    #[error(transparent)]
    User(#[from] TextTooLong),
}

/// What a report has that another policy can judge.
#[derive(Debug)]
pub struct KeptReport {
    /// The audit's id.
    pub id: Uuid,
    /// The workspace.
    pub workspace: String,
    /// Its job; `None` for an audit outside any job.
    pub job: Option<String>,
    /// When it was judged.
    pub judged_at: DateTime<Utc>,
    /// What was read.
    pub directory: Directory,
    /// What was found.
    pub recorded: Recorded,
}

/// What a report says was found.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    /// The findings.
    pub findings: Vec<RecordedFinding>,
    policy: PolicyName,
}

/// One finding of a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct RecordedFinding {
    /// The rule's name.
    pub rule: String,
    /// The severity; `None` if it was not kept.
    pub severity: Option<String>,
    /// `user`, `role`, `profile` or `workspace`.
    pub subject_type: String,
    /// The subject's id.
    pub subject_id: String,
    /// The subject as a person would name it.
    pub subject: String,
    /// The sentence.
    pub message: String,
    /// `open` or `excepted`.
    pub status: String,
}

#[derive(Debug, Deserialize)]
struct PolicyName {
    /// Reports of an older rolecall do not have it: there was only one.
    name: Option<String>,
}

impl Recorded {
    /// The name of the policy that it was judged by.
    pub fn policy(&self) -> &str {
        self.policy.name.as_deref().unwrap_or(crate::model::policy::BASE)
    }
}

/// What a report says was found.
///
/// # Errors
/// [`KeptError`]
pub fn recorded(text: &[u8]) -> Result<Recorded, KeptError> {
    Ok(serde_json::from_slice(text)?)
}

#[derive(Deserialize)]
struct Text {
    schema_version: String,
    audit_id: Uuid,
    job: Option<String>,
    workspace: String,
    judged_at: DateTime<Utc>,
    complete: bool,
    source: SourceText,
    organization: OrganizationText,
    read_account: ReadAccount,
    reading: ReadingText,
    access_matrix: Vec<Row>,
    roles: Vec<RoleText>,
    profiles: Vec<ProfileText>,
    #[serde(flatten)]
    recorded: Recorded,
}

#[derive(Deserialize)]
struct SourceText {
    connector: String,
    api_url: String,
    data_center: Option<String>,
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct OrganizationText {
    id: Option<String>,
    company_name: Option<String>,
    primary_zuid: Option<String>,
    primary_email: Option<String>,
}

#[derive(Deserialize)]
struct ReadAccount {
    user_id: String,
    full_name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct ReadingText {
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    users: u64,
}

#[derive(Deserialize)]
struct Row {
    user_id: String,
    zuid: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
    status: String,
    confirmed: Option<bool>,
    role: Option<HeldText>,
    profile: Option<HeldText>,
    created_time: Option<DateTime<Utc>>,
    modified_time: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct HeldText {
    id: String,
    name_in_record: Option<String>,
}

#[derive(Deserialize)]
struct RoleText {
    id: String,
    name: String,
    reporting_to: Option<String>,
    admin_user: Option<bool>,
    share_with_peers: Option<bool>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct ProfileText {
    id: String,
    name: String,
    custom: Option<bool>,
    description: Option<String>,
    modified_time: Option<DateTime<Utc>>,
    permissions: Option<Vec<Permission>>,
    permissions_unknown_because: Option<String>,
}

/// Reads a report again.
///
/// # Errors
/// [`KeptError`]
pub fn read(text: &[u8]) -> Result<KeptReport, KeptError> {
    let text: Text = serde_json::from_slice(text)?;
    if text.schema_version.split('.').next() != Some("1") {
        return Err(KeptError::Version(text.schema_version));
    }
    let connector = ConnectorKind::ALL.into_iter().find(|kind| kind.name() == text.source.connector);
    let connector = connector.ok_or_else(|| KeptError::Connector(text.source.connector.clone()))?;
    let mut block = UserBlock::default();
    text.access_matrix.iter().try_for_each(|row| block.push(&row.record()))?;
    let (users, _) = Users::from_blocks(vec![block]);
    let directory = Directory {
        source: Source {
            connector,
            api_url: text.source.api_url,
            data_center: text.source.data_center,
            scopes: text.source.scopes,
        },
        organization: Organization {
            id: text.organization.id,
            company_name: text.organization.company_name,
            primary_zuid: text.organization.primary_zuid.as_deref().map(Into::into),
            primary_email: text.organization.primary_email,
            ..Organization::default()
        },
        current_user: UserRecord {
            id: text.read_account.user_id.as_str().into(),
            full_name: text.read_account.full_name,
            email: text.read_account.email,
            status: None,
            confirmed: None,
            zuid: None,
            role: None,
            profile: None,
        },
        users,
        roles: text.roles.into_iter().map(role).collect(),
        profiles: text.profiles.into_iter().map(profile).collect(),
        unread: Unread::default(),
        reading: reading(&text.reading, text.complete),
    };
    Ok(KeptReport {
        id: text.audit_id,
        workspace: text.workspace,
        job: text.job,
        judged_at: text.judged_at,
        directory,
        recorded: text.recorded,
    })
}

impl Row {
    fn record(&self) -> NewUser<'_> {
        fn held(held: &HeldText) -> (&str, Option<&str>) {
            (&held.id, held.name_in_record.as_deref())
        }
        NewUser {
            id: &self.user_id,
            zuid: self.zuid.as_deref(),
            full_name: self.full_name.as_deref(),
            email: self.email.as_deref(),
            status: &self.status,
            confirmed: self.confirmed,
            role: self.role.as_ref().map(held),
            profile: self.profile.as_ref().map(held),
            created: self.created_time,
            modified: self.modified_time,
        }
    }
}

fn role(role: RoleText) -> Role {
    Role {
        id: role.id.as_str().into(),
        name: role.name,
        reporting_to: role.reporting_to.as_deref().map(Into::into),
        admin_user: role.admin_user,
        share_with_peers: role.share_with_peers,
        description: role.description,
    }
}

fn profile(profile: ProfileText) -> Profile {
    let unknown = || profile.permissions_unknown_because.unwrap_or_else(|| "the report has none".to_owned());
    Profile {
        id: profile.id.as_str().into(),
        name: profile.name,
        custom: profile.custom,
        description: profile.description,
        modified: profile.modified_time,
        permissions: profile.permissions.map_or_else(|| Permissions::Unknown(unknown()), Permissions::Known),
    }
}

/// The read as far as it decides what can be judged: when, and whether it was complete.
fn reading(text: &ReadingText, complete: bool) -> Reading {
    let detail = "the report says that the read was incomplete".to_owned();
    let incomplete =
        Check { kind: CheckKind::SourceComplete, outcome: CheckOutcome::Disagreed { detail }, figures: String::new() };
    let checks = if complete { Vec::new() } else { vec![incomplete] };
    Reading::kept(text.started_at, text.finished_at, text.users, checks)
}
