//! A checked configuration: what the rest of the program may rely on.

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
    file::{Attach, Missed, Security, When},
};
use crate::{
    model::{finding::Severity, policy::Policy},
    schedule::Schedule,
};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The workspaces, by name.
    pub workspaces: BTreeMap<String, Workspace>,
    /// `[policy]`, the base of every policy.
    pub(super) policy: Arc<Policy>,
    /// The jobs, by name.
    pub jobs: BTreeMap<String, Job>,
    /// The mail server; none where nothing is mailed.
    pub smtp: Option<Smtp>,
    /// The store.
    pub store: Store,
    /// The daemon.
    pub daemon: Daemon,
    /// Where evidence is kept; none where none is.
    pub evidence: Option<Evidence>,
    /// The text of the configuration, as somebody wrote it.
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
    /// The key that signs them; none where they stay unsigned.
    pub signing_key: Option<PathBuf>,
    /// How long bags are kept, in days; for ever where it is none.
    pub keep_days: Option<u64>,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its file.
    pub path: PathBuf,
    /// How long snapshots are kept.
    pub keep: Duration,
}

/// The daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Where it says how it is; nowhere where it is none.
    pub listen: Option<SocketAddr>,
    /// Runs that are worked on at one time, and messages that are sent at one time.
    pub workers: usize,
    /// How long a run belongs to a worker of whom nothing is heard.
    pub lease: Duration,
    /// How long a stopping daemon waits for what it has in its hands.
    pub patience: Duration,
}

/// A workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// How it is reached.
    pub connector: ConnectorSettings,
    /// Calls in flight at once.
    pub concurrency: usize,
    /// How long a read may take.
    pub deadline: Duration,
    /// Whether users may be removed from it.
    pub allow_offboarding: bool,
    /// The organization that it must be: an id or a name; none where any will do.
    pub organization: Option<String>,
}

/// How a workspace is reached.
#[derive(Debug, Clone)]
pub enum ConnectorSettings {
    /// Zoho Bigin, directly.
    ZohoBigin(Box<BiginSettings>),
    /// Zoho Bigin, through Truto.
    Truto(Box<TrutoSettings>),
}

/// How a Bigin organization is reached.
#[derive(Debug, Clone)]
pub struct BiginSettings {
    /// The data centre's code: one of the vendor's.
    pub data_center: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretSource,
    /// The refresh token.
    pub refresh_token: SecretSource,
    /// An accounts server in place of the data centre's.
    pub accounts_url: Option<Url>,
    /// An API address in place of the one that the vendor names.
    pub api_url: Option<Url>,
}

/// How an integrated account at Truto is reached.
#[derive(Debug, Clone)]
pub struct TrutoSettings {
    /// The integrated account's id.
    pub integrated_account_id: String,
    /// The API token.
    pub api_token: SecretSource,
    /// An API address in place of Truto's own.
    pub api_url: Option<Url>,
    /// What users, roles, profiles, the organization and the account's owner are called, where not as usual.
    pub resources: [Option<String>; 5],
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(PathBuf),
}

/// A secret cannot be had. The secret itself is never part of the message.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or is no text.
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
    /// It has a line break or another control character in it.
    #[error("{0} holds a line break or another control character; it must be one line")]
    Control(String),
}

impl SecretSource {
    /// The secret, without the line break at its end.
    ///
    /// # Errors
    /// [`SecretError`]
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?,
            Self::File(path) => {
                fs::read_to_string(path).map_err(|source| SecretError::Unreadable { path: path.clone(), source })?
            }
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

    /// Whether others than its owner may read the file.
    pub fn is_open_to_others(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let Self::File(path) = self else { return false };
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o007 != 0)
    }
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
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
    /// What happens to fire times that were missed.
    pub missed: Missed,
    /// The severity from which an audit of this job exits with 3.
    pub fail_on: Option<Severity>,
    /// Who is told.
    pub email: Option<Email>,
    /// The address that is called at start, success and failure: whoever knows it can pretend to be alive.
    pub heartbeat: Option<SecretSource>,
}

/// Who is told.
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
    /// How the connection is protected.
    pub security: Security,
    /// The account.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretSource>,
    /// The sender.
    pub from: String,
    /// The bound on one exchange.
    pub timeout: Duration,
    /// Certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    /// The configuration as it is kept as evidence: what was applied, without comments, and with every secret masked that
    /// can be had and stands in it although it should not.
    pub fn applied(&self) -> String {
        // A secret that cannot be had was not used.
        let secrets: Vec<SecretString> = self.secrets().iter().filter_map(|(_, secret)| secret.read().ok()).collect();
        // Settings were read from it, so that it is TOML.
        applied(&self.text, &secrets).unwrap_or_default()
    }

    /// Every secret that the configuration names, and for what.
    pub fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut secrets = Vec::new();
        for (name, workspace) in &self.workspaces {
            match &workspace.connector {
                ConnectorSettings::ZohoBigin(bigin) => {
                    secrets.push((format!("workspaces.{name}.client_secret"), &bigin.client_secret));
                    secrets.push((format!("workspaces.{name}.refresh_token"), &bigin.refresh_token));
                }
                ConnectorSettings::Truto(truto) => {
                    secrets.push((format!("workspaces.{name}.api_token"), &truto.api_token));
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
