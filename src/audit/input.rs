//! What is judged, against what, and when.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        drift::{SnapshotHeader, SnapshotUser},
        matrix::AccessMatrix,
    },
    model::{change::Change, id::ProfileId, policy::Policy, reviewed::Reviewed, roster::Roster, users::UserIndex},
};

/// The users of an audit that was kept, by id.
pub type PreviousUsers = HashMap<String, SnapshotUser<'static>>;

/// What an audit had, and what is kept of it does not have. Rules that need it are not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lacking {
    /// The previous audit.
    pub previous: bool,
    /// The roster.
    pub roster: bool,
    /// The names of roles and profiles in the records of users.
    pub stated_names: bool,
}

/// What is judged, against what, and when.
#[derive(Debug, Clone, Copy)]
pub struct JudgeInput<'a> {
    /// What was read, joined.
    pub matrix: &'a AccessMatrix<'a>,
    /// The profiles that make an administrator, resolved against the master list.
    pub administrator_profiles: &'a [ProfileId],
    /// The policy's names and ids of administrator profiles that match nothing on the master list.
    pub unmatched_administrator_profiles: &'a [String],
    /// What the company expects.
    pub policy: &'a Policy,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// Who works for the company. `None` if it was not read.
    pub roster: Option<&'a Roster>,
    /// What people decided in reviews. `None` if there is no review to look at.
    pub reviewed: Option<&'a Reviewed>,
    /// When it is judged: ages and the ends of exceptions are measured from here.
    pub now: DateTime<Utc>,
    /// What is kept of the previous audit. `None` for the first one.
    pub previous: Option<&'a SnapshotHeader>,
    /// The users of the previous audit by id. `None` if no rule needs them.
    pub previous_users: Option<&'a PreviousUsers>,
    /// The active users whose full power is new and that the policy does not approve.
    pub undecided: &'a [UserIndex],
    /// What changed in who can do what since the previous audit.
    pub changes: &'a [Change],
    /// What the audit had and is not here, if an earlier audit is judged again.
    pub lacking: Lacking,
}
