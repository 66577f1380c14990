//! What a store keeps of an audit to compare with the next.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Current, findings::known_findings};
use crate::access::matrix::MatrixRow;
use crate::model::{
    change::{Departed, KnownFinding, Untold},
    directory::{Directory, Profile, Role},
    id::{PersonId, ProfileId},
    policy::Policy,
    roster::RosterTerms,
    unread::{Fields, Unread},
    users::User,
};

/// All of an audit that is compared with the next, except the users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// The audit's id.
    pub id: String,
    /// When the last answer of its read arrived.
    pub finished_at: DateTime<Utc>,
    /// The primary user (super admin). `None` if the API did not report it.
    pub primary_zuid: Option<PersonId>,
    /// The primary user's address.
    pub primary_email: Option<String>,
    /// The master list of roles.
    pub roles: Vec<Role>,
    /// The master list of profiles, with what they permit.
    pub profiles: Vec<Profile>,
    /// The ids of administrator profiles.
    pub administrator_profiles: Vec<ProfileId>,
    /// How many users there were, of every status.
    pub users: u64,
    /// How many active users could administer.
    pub administrators: u64,
    /// What the rules had found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<KnownFinding>,
    /// What the rules had found at an earlier audit, about which this one knows nothing: a rule was not evaluated, or a field
    /// could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<KnownFinding>,
    /// What could not be read of the roles and profiles.
    #[serde(default, skip_serializing_if = "Unread::is_empty")]
    pub unread: Unread,
    /// The ids of users whose full power was new and not decided about.
    #[serde(default)]
    pub undecided: Vec<String>,
    /// What an earlier audit knew about who can administer and the API did not tell at this one.
    #[serde(default, skip_serializing_if = "Untold::is_empty")]
    pub untold: Untold<String>,
    /// Who had an account at an earlier audit and had none at this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departed: Vec<Departed>,
    /// The policy that it was judged by. `None` in the snapshots of an older rolecall.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// How many people of each roster worked here when it was last relied on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rosters: BTreeMap<String, u64>,
    /// Where each roster was, and how it was read and relied on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roster_terms: BTreeMap<String, RosterTerms>,
    /// The address that stands for a person in the roster, by the other addresses that users have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// What its report said. `None` in the snapshots of an older rolecall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// What a report says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The result in two or three words.
    pub state: String,
    /// How it is shown: `incomplete`, `act`, `review`, `clear` or `neutral`.
    pub class: String,
    /// The verdict.
    pub verdict: String,
}

impl SnapshotHeader {
    /// The findings that the next audit is compared with.
    pub(super) fn known(&self) -> Vec<&KnownFinding> {
        self.findings.iter().chain(&self.unknown).collect()
    }

    /// What is kept of an audit, but for [`SnapshotHeader::departed`], [`SnapshotHeader::unknown`] and
    /// [`SnapshotHeader::untold`], which the comparison finds, and for [`SnapshotHeader::said`].
    pub fn of(audit: Uuid, current: &Current<'_>) -> Self {
        Self { findings: known_findings(current).collect(), ..Self::without_findings(audit, current) }
    }

    /// The same without the findings, which [`known_findings`] gives one at a time.
    pub fn without_findings(audit: Uuid, current: &Current<'_>) -> Self {
        let seen = &current.seen;
        let directory = seen.matrix.directory();
        Self {
            id: audit.to_string(),
            finished_at: directory.reading.finished_at,
            primary_zuid: directory.organization.primary_zuid.clone(),
            primary_email: directory.organization.primary_email.clone(),
            roles: directory.roles.clone(),
            profiles: directory.profiles.clone(),
            administrator_profiles: seen.administrator_profiles.to_vec(),
            users: directory.users.len() as u64,
            administrators: seen.matrix.rows().filter(MatrixRow::can_administer).count() as u64,
            findings: Vec::new(),
            unknown: Vec::new(),
            unread: directory.unread.clone(),
            undecided: current.undecided.iter().map(|user| directory.users.get(*user).id().to_owned()).collect(),
            untold: Untold::default(),
            departed: Vec::new(),
            policy: Some(seen.policy.clone()),
            rosters: BTreeMap::new(),
            roster_terms: BTreeMap::new(),
            aliases: BTreeMap::new(),
            said: None,
        }
    }
}

/// A user as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotUser<'a> {
    /// The user's id.
    pub id: Cow<'a, str>,
    /// The display name.
    pub full_name: Option<Cow<'a, str>>,
    /// The address.
    pub email: Option<Cow<'a, str>>,
    /// The status as the API wrote it.
    pub status: Cow<'a, str>,
    /// Whether the invitation was accepted. `None` if the API did not report it.
    pub confirmed: Option<bool>,
    /// The role's id.
    pub role_id: Option<Cow<'a, str>>,
    /// The profile's id.
    pub profile_id: Option<Cow<'a, str>>,
    /// The fields whose values are unknown because they could not be read.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub unread: Fields,
}

impl<'a> From<User<'a>> for SnapshotUser<'a> {
    fn from(user: User<'a>) -> Self {
        Self {
            id: user.id().into(),
            full_name: user.full_name().map(Into::into),
            email: user.email().map(Into::into),
            status: user.status().word().into(),
            confirmed: user.confirmed(),
            role_id: user.role().map(|role| role.id.as_str().into()),
            profile_id: user.profile().map(|profile| profile.id.as_str().into()),
            unread: user.unread(),
        }
    }
}

impl SnapshotUser<'_> {
    /// How a person would name this user: the name, else the address, else the id.
    pub fn label(&self) -> &str {
        let text = |text: &&str| !text.trim().is_empty();
        let name = self.full_name.as_deref().filter(text);
        name.or(self.email.as_deref().filter(text)).unwrap_or(&self.id)
    }
}

/// The users of a directory as a store keeps them, by id as a number.
pub fn snapshot_users(directory: &Directory) -> impl ExactSizeIterator<Item = SnapshotUser<'_>> {
    directory.users.iter().map(SnapshotUser::from)
}
