//! What the configuration says of one workspace, in a form that every kind of connector reads.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{commons::Commons, error::ConnectorError, shelf::TokenShelf};

/// The value of a key of a workspace.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// A text.
    Text(String),
    /// A secret.
    Secret(SecretString),
    /// An address.
    Address(Url),
    /// What things are called, by their usual name.
    Names(BTreeMap<String, String>),
}

/// The limits of a connector's calls.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls in flight at once.
    pub concurrency: usize,
    /// Tries of one call before it has failed.
    pub attempts: u32,
    /// The longest wait before the second try; each further try doubles it.
    pub backoff: Duration,
    /// The longest wait that the server did not ask for.
    pub backoff_cap: Duration,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How large an answer may be, in bytes, decompressed.
    pub max_body: usize,
    /// How large all answers of a read may be, in bytes, decompressed: enough for two million users.
    pub max_read: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 4,
            attempts: 6,
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_mins(1),
            call_timeout: Duration::from_mins(1),
            max_body: 16 << 20,
            max_read: 4 << 30,
        }
    }
}

/// How a connector calls, and how often it reads.
#[derive(Debug, Clone)]
pub struct Pacing {
    /// The limits of each call.
    pub limits: Limits,
    /// How often everything is read before a disagreement is reported.
    pub reads: u32,
    /// The wait between two reads, in which a list that changes can come to rest.
    pub pause_between_reads: Duration,
}

/// What the configuration says of one workspace. The keys are those of its kind
/// ([`ConnectorKind::keys`](crate::model::kind::ConnectorKind::keys)), which the configuration has checked.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The values by key.
    pub values: BTreeMap<&'static str, Parameter>,
    /// How it calls and reads.
    pub pacing: Pacing,
    /// Where processes share access tokens; `None` if this connector keeps its own.
    pub tokens: Option<SharedTokens>,
    /// What it has in common with the other workspaces of this process.
    pub commons: Commons,
}

/// Where processes share access tokens.
#[derive(Debug, Clone)]
pub struct SharedTokens {
    /// The place.
    pub place: TokenPlace,
    /// Whether the connector begins with a new token, to see whether the credentials are accepted.
    pub is_fresh: bool,
}

/// A place that processes share.
#[derive(Debug, Clone)]
pub enum TokenPlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A shelf that other machines use, too.
    Shelf(Arc<dyn TokenShelf>),
}

impl Parameters {
    /// A text.
    ///
    /// # Errors
    /// [`Cause::Setup`](super::Cause::Setup) if it is missing.
    pub fn text(&self, key: &str) -> Result<&str, ConnectorError> {
        match self.values.get(key) {
            Some(Parameter::Text(text)) => Ok(text),
            _ => Err(missing(key)),
        }
    }

    /// A secret.
    ///
    /// # Errors
    /// [`Cause::Setup`](super::Cause::Setup) if it is missing.
    pub fn secret(&self, key: &str) -> Result<SecretString, ConnectorError> {
        match self.values.get(key) {
            Some(Parameter::Secret(secret)) => Ok(secret.clone()),
            _ => Err(missing(key)),
        }
    }

    /// An address; `None` if the configuration does not give one.
    pub fn address(&self, key: &str) -> Option<Url> {
        match self.values.get(key) {
            Some(Parameter::Address(url)) => Some(url.clone()),
            _ => None,
        }
    }

    /// What a thing is called in this workspace: its usual name unless the configuration gives another.
    pub fn name(&self, key: &str, usual: &str) -> String {
        let given = match self.values.get(key) {
            Some(Parameter::Names(names)) => names.get(usual),
            _ => None,
        };
        given.map_or(usual, String::as_str).to_owned()
    }
}

fn missing(key: &str) -> ConnectorError {
    ConnectorError::setup(format!("the workspace has no `{key}`"))
}
