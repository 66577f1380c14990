//! What the credentials of a workspace can reach, found without reading all users.

use chrono::TimeDelta;

use super::directory::{Organization, Profile, Role, Source, UserRecord};

/// What the credentials reach.
#[derive(Debug)]
pub struct Survey {
    /// Where it was read.
    pub source: Source,
    /// The organization; `None` if the credentials do not reach it.
    pub organization: Option<Organization>,
    /// The user that the credentials belong to; `None` if they do not reach users.
    pub current_user: Option<UserRecord>,
    /// The master list of roles; `None` if the credentials do not reach it.
    pub roles: Option<Vec<Role>>,
    /// The master list of profiles, without permissions; `None` if the credentials do not reach it.
    pub profiles: Option<Vec<Profile>>,
    /// What the credentials may do, as far as calls that change nothing can find out.
    pub grants: Vec<Grant>,
    /// How far the server's clock is ahead of this machine's, in whole seconds; `None` if no answer had a date.
    pub clock_ahead: Option<TimeDelta>,
    /// Calls that the vendor still allows today; `None` if it did not say.
    pub credits_left: Option<u64>,
    /// What prevents an audit beside missing grants, in sentences.
    pub obstacles: Vec<String>,
}

/// What a grant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An audit needs it.
    Audit,
    /// Offboarding needs it, and an audit does not.
    Offboarding,
    /// rolecall does not need it.
    Nothing,
}

/// Something that credentials may or may not be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its name: a scope, or a resource.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether they may.
    pub state: GrantState,
}

/// Whether credentials may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantState {
    /// They may: a call that needs it was answered, or the token answer named it.
    Granted,
    /// They may not; why, in words.
    Lacking(String),
    /// Not known: finding out would change something, or the call failed; why, in words.
    Unknown(String),
}
