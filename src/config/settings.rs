//! A checked configuration, which the rest of the program relies on.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use url::Url;

use super::{
    applied::applied,
    file::Attach,
    mask::{is_variable, looks_like_secret},
};
use crate::{
    model::{
        finding::Severity,
        kind::ConnectorKind,
        mail::{Security, When},
        policy::Policy,
    },
    schedule::{Missed, Schedule},
};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// By name.
    pub workspaces: BTreeMap<String, Workspace>,
    /// `[policy]`, the base of every policy.
    pub(super) policy: Arc<Policy>,
    /// By name.
    pub jobs: BTreeMap<String, Job>,
    /// `None` if no mail is sent.
    pub smtp: Option<Smtp>,
    /// The database.
    pub store: Store,
    /// Settings of `rolecall daemon`.
    pub daemon: Daemon,
    /// `None` if no evidence is kept.
    pub evidence: Option<Evidence>,
    /// The text of the configuration as written.
    pub text: String,
}

impl Settings {
    /// The policy of a workspace in a job, or outside any job: look-ups, and audits on demand. This is the only place
    /// that decides it. Today `[policy]` applies to all of them.
    pub fn policy_for(&self, _job: Option<&str>, _workspace: &str) -> &Arc<Policy> {
        &self.policy
    }
}

/// Where evidence is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The folder of bags.
    pub directory: PathBuf,
    /// The private key; `None` if bags are not signed.
    pub signing_key: Option<PathBuf>,
    /// Days to keep bags; `None` keeps them forever.
    pub keep_days: Option<u64>,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The SQLite file.
    pub path: PathBuf,
    /// How long snapshots are kept.
    pub keep: Duration,
}

/// The daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Address of the status page; `None` if there is none.
    pub listen: Option<SocketAddr>,
    /// Maximum number of concurrent runs, and of concurrent deliveries.
    pub workers: usize,
    /// Time after which another daemon takes over a run whose process is dead.
    pub lease: Duration,
    /// Time that a stopping daemon lets work continue.
    pub grace_period: Duration,
}

/// A workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The kind of connector that reads it.
    pub kind: ConnectorKind,
    /// The values of the keys that depend on its kind. Every key that the kind requires is there.
    pub values: BTreeMap<&'static str, Value>,
    /// Maximum number of concurrent API calls.
    pub concurrency: usize,
    /// Maximum duration of a read.
    pub deadline: Duration,
    /// Whether `offboard` may remove users.
    pub allow_offboarding: bool,
    /// The expected organization, by id or name; `None` accepts any.
    pub organization: Option<String>,
}

/// The value of a key that depends on the kind of connector.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// Where a secret is.
    Secret(SecretSource),
    /// An address that a token is sent to.
    Address(Url),
    /// Names of things that differ from the default, by the default name.
    Names(BTreeMap<String, String>),
}

/// Where a secret is. Its `Display` names the place, unless the name looks like the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(PathBuf),
}

/// A secret that cannot be read. The secret is never part of the message.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not UTF-8.
    #[error("{0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("cannot read {place}: {source}")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is empty.
    #[error("{0} is empty")]
    Empty(String),
    /// It contains a control character.
    #[error("{0} contains a line break or another control character; expected one line")]
    Control(String),
}

impl SecretSource {
    /// The secret, without the line break at its end.
    ///
    /// # Errors
    /// [`SecretError`]
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::NotSet(self.to_string()))?,
            Self::File(path) => fs::read_to_string(path)
                .map_err(|source| SecretError::Unreadable { place: self.to_string(), source })?,
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.trim().is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        if secret.chars().any(char::is_control) {
            return Err(SecretError::Control(self.to_string()));
        }
        Ok(secret.into())
    }

    /// Whether accounts other than its owner can read the file.
    pub fn is_open_to_others(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let Self::File(path) = self else { return false };
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o007 != 0)
    }
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) if looks_like_secret(name) || !is_variable(name) => f.write_str("an environment variable"),
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) if path.file_name().is_some_and(|name| looks_like_secret(&name.to_string_lossy())) => {
                f.write_str("a file")
            }
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The names of its workspaces, in their order.
    pub workspaces: Vec<String>,
    /// When it is due.
    pub schedule: Schedule,
    /// What happens to runs missed while the daemon was down.
    pub missed: Missed,
    /// An audit exits with 3 if there are open findings at or above this severity.
    pub fail_on: Option<Severity>,
    /// Who receives the report; `None` if nobody.
    pub email: Option<Email>,
    /// The URL to call at start, success and failure. A secret, because anyone who knows it can report success.
    pub heartbeat: Option<SecretSource>,
}

/// Who receives the report.
#[derive(Debug, Clone)]
pub struct Email {
    /// The recipients.
    pub to: Vec<String>,
    /// What is attached.
    pub attach: Vec<Attach>,
    /// When a report is mailed.
    pub when: When,
}

/// The mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// The server's name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Encryption of the connection.
    pub security: Security,
    /// The account.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretSource>,
    /// The sender.
    pub from: String,
    /// Maximum duration of one delivery.
    pub timeout: Duration,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    /// The configuration as kept in evidence: without comments, and with every known secret masked that was written
    /// into it by mistake.
    pub fn applied(&self) -> String {
        // A secret that cannot be read was not used.
        let secrets: Vec<SecretString> = self.secrets().iter().filter_map(|(_, secret)| secret.read().ok()).collect();
        // The settings were read from it, so it is valid TOML.
        applied(&self.text, &secrets).unwrap_or_default()
    }

    /// Every secret that the configuration names, with its key.
    pub fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut secrets = Vec::new();
        for (name, workspace) in &self.workspaces {
            for (key, value) in &workspace.values {
                if let Value::Secret(secret) = value {
                    secrets.push((format!("workspaces.{name}.{key}"), secret));
                }
            }
        }
        for (name, job) in &self.jobs {
            if let Some(heartbeat) = &job.heartbeat {
                secrets.push((format!("jobs.{name}.heartbeat"), heartbeat));
            }
        }
        if let Some(password) = self.smtp.as_ref().and_then(|smtp| smtp.password.as_ref()) {
            secrets.push(("smtp.password".to_owned(), password));
        }
        secrets
    }
}

/// A path of the configuration, relative to the folder of its file.
pub(super) fn relative(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}
