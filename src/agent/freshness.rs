//! Where an answer comes from, and how old it is.

use chrono::{DateTime, SubsecRound as _, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::directory::Directory;

/// When and from where the data of an answer was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Freshness {
    /// The workspace's name in the configuration.
    workspace: String,
    /// When it was read.
    read_at: DateTime<Utc>,
    /// How long ago that is, in seconds. Calls within a short time are answered from one read.
    age_seconds: u64,
    /// Whether every user was read. If it is false, users may be missing here.
    complete: bool,
    /// Why it is not complete.
    incomplete_because: Vec<String>,
}

impl Freshness {
    pub(super) fn of(workspace: &str, directory: &Directory, now: DateTime<Utc>) -> Self {
        let reading = &directory.reading;
        Self {
            workspace: workspace.to_owned(),
            read_at: reading.finished_at.trunc_subsecs(3),
            age_seconds: seconds(reading.finished_at, now),
            complete: reading.is_complete(),
            incomplete_because: reading.problems().map(|(_, why)| why.to_owned()).collect(),
        }
    }
}

/// The seconds from one time to another; 0 where a clock was set back between them.
pub(super) fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    u64::try_from((to - from).num_seconds()).unwrap_or(0)
}
