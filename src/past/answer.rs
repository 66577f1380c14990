//! Answers as rows, for people and for programs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{
    course::{Course, Period},
    look::{Held, Look, Read, State},
    stretches::Edge,
};
use crate::model::change::Change;

/// Where the stretch of each account ends, by the user's id.
type Edges = BTreeMap<String, Edge>;

/// A read that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReadRow {
    /// The audit's id.
    pub audit: Uuid,
    /// When the read ended.
    pub at: DateTime<Utc>,
    /// The folder of its evidence bag; null if no evidence was kept.
    pub bag: Option<String>,
}

impl From<&Read> for ReadRow {
    fn from(read: &Read) -> Self {
        Self { audit: read.audit, at: read.at, bag: read.bag.clone() }
    }
}

/// An account and its access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateRow {
    /// The display name.
    pub full_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The vendor's word for the status.
    pub status: String,
    /// The role's id.
    pub role_id: Option<String>,
    /// The role's name.
    pub role_name: Option<String>,
    /// The profile's id.
    pub profile_id: Option<String>,
    /// The profile's name.
    pub profile_name: Option<String>,
    /// How much power the user had, by the policy of that audit.
    pub power: &'static str,
    /// What the profile permitted; null if it is not known.
    pub permissions: Option<Vec<String>>,
}

impl From<&State> for StateRow {
    fn from(state: &State) -> Self {
        let id = |held: &Option<Held>| held.as_ref().map(|held| held.id.clone());
        let name = |held: &Option<Held>| held.as_ref().and_then(|held| held.name.clone());
        Self {
            full_name: state.full_name.clone(),
            email: state.email.clone(),
            status: state.status.clone(),
            role_id: id(&state.role),
            role_name: name(&state.role),
            profile_id: id(&state.profile),
            profile_name: name(&state.profile),
            power: state.power.word(),
            permissions: state.permissions.as_ref().map(|all| all.iter().cloned().collect()),
        }
    }
}

/// An account on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessRow {
    /// The workspace.
    pub workspace: String,
    /// The user's id.
    pub user_id: String,
    /// The access then.
    #[serde(flatten)]
    pub state: StateRow,
    /// The first read that saw this access without interruption.
    pub first_seen: ReadRow,
    /// The read before it, which saw something else: the change lies between the two. Null if there was no earlier read.
    pub changed_after: Option<ReadRow>,
    /// The last read that saw this access without interruption.
    pub last_seen: ReadRow,
    /// The read after it, which saw something else. Null if there is no later read.
    pub changed_before: Option<ReadRow>,
}

/// A workspace on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkspaceThen {
    /// The workspace.
    pub workspace: String,
    /// The last read up to the day, on which the answer rests. Null if there was none: nobody knows.
    pub read: Option<ReadRow>,
    /// The first read after the day. Null if there is none yet.
    pub next_read: Option<ReadRow>,
    /// The reads that were passed over because neither a snapshot nor evidence was kept.
    pub not_kept: u64,
    /// The accounts, by the user's id.
    pub accounts: Vec<AccessRow>,
}

/// The rows of some accounts of a look, between where their stretches begin and end.
pub(crate) fn rows(workspace: &str, look: &Look, ids: &[String], (back, on): (&Edges, &Edges)) -> Vec<AccessRow> {
    let row = |id: &String| {
        let (state, first, last) = (look.accounts.get(id)?, back.get(id)?, on.get(id)?);
        Some(AccessRow {
            workspace: workspace.to_owned(),
            user_id: id.clone(),
            state: state.into(),
            first_seen: (&first.seen).into(),
            changed_after: first.beyond.as_ref().map(Into::into),
            last_seen: (&last.seen).into(),
            changed_before: last.beyond.as_ref().map(Into::into),
        })
    };
    ids.iter().filter_map(row).collect()
}

/// A time in which every read saw the same of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PeriodRow {
    /// The workspace.
    pub workspace: String,
    /// The user's id.
    pub user_id: String,
    /// Whether the account was listed.
    pub listed: bool,
    /// The access; null if the account was not listed.
    pub access: Option<StateRow>,
    /// The first of these reads.
    pub first_seen: ReadRow,
    /// The last of these reads.
    pub last_seen: ReadRow,
    /// How many reads they are.
    pub reads: u64,
    /// The read before the first, which saw something else: the change lies between the two.
    pub changed_after: Option<ReadRow>,
    /// What changed since the period before.
    pub changes: Vec<String>,
}

/// The periods of an account, oldest first. The time before it was first listed is left out.
pub fn periods(workspace: &str, course: &Course) -> Vec<PeriodRow> {
    let mut before = None;
    let mut rows = Vec::new();
    for period in course.periods() {
        if !rows.is_empty() || period.state.is_some() {
            rows.push(PeriodRow {
                workspace: workspace.to_owned(),
                user_id: course.id().to_owned(),
                listed: period.state.is_some(),
                access: period.state.as_ref().map(Into::into),
                first_seen: (&period.first).into(),
                last_seen: (&period.last).into(),
                reads: period.reads,
                changed_after: before.map(|period: &Period| (&period.last).into()),
                changes: before.map(|then| differences(then.state.as_ref(), period.state.as_ref())).unwrap_or_default(),
            });
        }
        before = Some(period);
    }
    rows
}

/// What differs between two states of an account, one sentence each, to the single permission.
fn differences(then: Option<&State>, now: Option<&State>) -> Vec<String> {
    let (then, now) = match (then, now) {
        (Some(then), Some(now)) => (then, now),
        (None, Some(_)) => return vec!["the account is listed".to_owned()],
        (Some(_), None) => return vec!["the account is no longer listed".to_owned()],
        (None, None) => return Vec::new(),
    };
    let mut all = Vec::new();
    let mut changed = |what: &str, before: &str, after: &str| all.push(format!("{what}: {after} (was {before})"));
    if then.status != now.status {
        changed("status", &then.status, &now.status);
    }
    if id(then.role.as_ref()) != id(now.role.as_ref()) {
        changed("role", &held(then.role.as_ref()), &held(now.role.as_ref()));
    }
    if id(then.profile.as_ref()) != id(now.profile.as_ref()) {
        changed("profile", &held(then.profile.as_ref()), &held(now.profile.as_ref()));
    }
    if then.power.is_full() != now.power.is_full() {
        let word = |state: &State| if state.power.is_full() { "yes" } else { "no" };
        changed("full power", word(then), word(now));
    }
    if then.email != now.email {
        changed("email", text(then.email.as_ref()), text(now.email.as_ref()));
    }
    if then.full_name != now.full_name {
        changed("name", text(then.full_name.as_ref()), text(now.full_name.as_ref()));
    }
    match (&then.permissions, &now.permissions) {
        (Some(then), Some(now)) => {
            all.extend(now.difference(then).map(|permission| format!("may now: {permission}")));
            all.extend(then.difference(now).map(|permission| format!("may no longer: {permission}")));
        }
        (None, Some(_)) => all.push("what the profile permits is known again".to_owned()),
        (Some(_), None) => all.push("what the profile permits is no longer known".to_owned()),
        (None, None) => {}
    }
    all
}

fn held(held: Option<&Held>) -> String {
    held.map_or_else(|| "none".to_owned(), |held| held.name.clone().unwrap_or_else(|| held.id.clone()))
}

fn id(held: Option<&Held>) -> Option<&str> {
    held.map(|held| held.id.as_str())
}

fn text(text: Option<&String>) -> &str {
    text.map_or("unknown", String::as_str)
}

/// A change between two audits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeRow {
    /// What kind: `administrator-granted`, `user-added` and so on.
    pub change: &'static str,
    /// user, role, profile, organization, policy or finding.
    pub subject_type: &'static str,
    /// The subject's id.
    pub subject_id: String,
    /// The subject as a person would name it.
    pub subject: String,
    /// The field that changed; empty if the subject was added or removed.
    pub field: &'static str,
    /// The value before.
    pub before: String,
    /// The value now.
    pub after: String,
}

impl From<&Change> for ChangeRow {
    fn from(change: &Change) -> Self {
        Self {
            change: change.kind.word(),
            subject_type: change.subject_type,
            subject_id: change.subject_id.clone(),
            subject: change.subject.clone(),
            field: change.field,
            before: change.before.clone(),
            after: change.after.clone(),
        }
    }
}
