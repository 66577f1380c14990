//! A checked configuration, which the rest of the program relies on.

mod console;
mod directory;
mod evidence;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use der::asn1::ObjectIdentifier;
use secrecy::SecretString;
use url::Url;

pub use self::{
    console::{Console, Oidc, Tls},
    directory::{BrokenFile, Instead, Texts, WorkspacesDirectory},
    evidence::{Bucket, BucketCredentials, EvidencePlace},
};
pub use super::secret::{SecretError, SecretSource};
use super::{
    applied::{applied, applied_workspace},
    file::Attach,
};
use crate::{
    model::{
        finding::Severity,
        kind::ConnectorKind,
        mail::{Security, When},
        policy::{BASE, Policy},
        roster::{Bounds, Layout},
    },
    review::open::Terms,
    schedule::{Missed, Schedule},
    timestamp::authorities::Mode,
};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// By name.
    pub workspaces: BTreeMap<String, Workspace>,
    /// Workspaces in files of their own; `None` if there is no directory for them.
    pub directory: Option<WorkspacesDirectory>,
    /// `[policy]`, the base of every policy.
    pub(super) policy: Arc<Policy>,
    /// `[policies.NAME]`, each completed with what it takes from `[policy]`, by name.
    pub(super) policies: BTreeMap<String, Arc<Policy>>,
    /// Lists of who works for the company, by name.
    pub rosters: BTreeMap<String, Roster>,
    /// By name.
    pub jobs: BTreeMap<String, Job>,
    /// By name.
    pub reviews: BTreeMap<String, Review>,
    /// `None` if no mail is sent.
    pub smtp: Option<Smtp>,
    /// The database.
    pub store: Store,
    /// Settings of `rolecall daemon`.
    pub daemon: Daemon,
    /// `None` if no evidence is kept.
    pub evidence: Option<Evidence>,
    /// `None` if there is no web console.
    pub console: Option<Console>,
    /// The text of the configuration as written.
    pub text: String,
}

impl Settings {
    /// The policy of a workspace in a job, or outside any job: look-ups, and audits on demand. This is the only place
    /// that decides it: the job's policy, else the workspace's, else `[policy]`.
    pub fn policy_for(&self, job: Option<&str>, workspace: &str) -> &Arc<Policy> {
        let of_job = job.and_then(|job| self.jobs.get(job)?.policy.as_deref());
        let of_workspace = || self.workspaces.get(workspace)?.policy.as_deref();
        of_job.or_else(of_workspace).and_then(|name| self.policy_named(name)).unwrap_or(&self.policy)
    }

    /// Whether the directory of workspaces has no file any more, and had some before.
    pub fn is_emptied(&self, before: &Self) -> bool {
        let files = |settings: &Self| settings.directory.as_ref().map_or(0, |directory| directory.seen.len());
        files(self) == 0 && files(before) > 0
    }

    /// A policy by name; [`BASE`] is `[policy]`. `None` if there is none of that name.
    pub fn policy_named(&self, name: &str) -> Option<&Arc<Policy>> {
        if name == BASE { Some(&self.policy) } else { self.policies.get(name) }
    }

    /// The names of all policies, `[policy]` first.
    pub fn policy_names(&self) -> Vec<&str> {
        std::iter::once(BASE).chain(self.policies.keys().map(String::as_str)).collect()
    }
}

/// A list of who works for the company.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Where it is.
    pub source: RosterSource,
    /// How it is read.
    pub layout: Layout,
    /// What is expected of it.
    pub bounds: Bounds,
}

/// Where a roster is.
#[derive(Debug, Clone)]
pub enum RosterSource {
    /// A file.
    File(PathBuf),
    /// An address.
    Url {
        /// The address.
        url: Url,
        /// The bearer token; `None` if it needs none.
        token: Option<SecretSource>,
    },
}

/// Where evidence is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The folder or the object store.
    pub place: EvidencePlace,
    /// The private key; `None` if bags are not signed.
    pub signing_key: Option<PathBuf>,
    /// Days to keep bags; `None` keeps them forever.
    pub keep_days: Option<u64>,
    /// Authorities that confirm when evidence existed; `None` if only this machine's clock says so.
    pub timestamps: Option<Timestamps>,
}

/// Authorities that confirm when evidence existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamps {
    /// Their addresses, in the order in which they are asked.
    pub urls: Vec<Url>,
    /// The policy to ask for; `None` if the authority chooses.
    pub policy: Option<ObjectIdentifier>,
    /// The certificates to trust; `None` trusts those that this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// How often they are asked.
    pub mode: Mode,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Where it is.
    pub place: StorePlace,
    /// How long snapshots are kept.
    pub keep: Duration,
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A file of SQLite.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Database),
}

/// A database on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Where the server listens.
    pub host: DatabaseHost,
    /// The role to sign in as.
    pub user: String,
    /// The database.
    pub database: String,
    /// How the connection is protected.
    pub ssl_mode: SslMode,
    /// The password; `None` if the server asks for none.
    pub password: Option<SecretSource>,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub root_certificate: Option<PathBuf>,
    /// The most connections of this process.
    pub max_connections: u32,
    /// Encrypts the access tokens that replicas share; `None` if they share none.
    pub token_key: Option<SecretSource>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseHost {
    /// A name or an address, and the port.
    Name(String, u16),
    /// The folder of a Unix socket, and the port in its name.
    Socket(PathBuf, u16),
}

/// How a connection to a server is protected, by the words of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Not at all.
    Disable,
    /// Encrypted; the certificate is not verified.
    Require,
    /// The certificate must come from a trusted authority, whatever name it has.
    VerifyCa,
    /// The certificate must come from a trusted authority and have the server's name.
    VerifyFull,
}

impl SslMode {
    /// The word of an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// The mode of a word; `None` for those that fall back to an unprotected connection.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Disable, Self::Require, Self::VerifyCa, Self::VerifyFull].into_iter().find(|mode| mode.word() == word)
    }
}

/// The daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Address of the status page; `None` if there is none.
    pub listen: Option<SocketAddr>,
    /// Names of this host by which the status page may be asked, beside its addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// The name of this daemon among others on the same store; `None` for the name of the host and the process id.
    pub replica: Option<String>,
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
    /// The name of its policy; `None` for `[policy]`.
    pub policy: Option<String>,
    /// The text of its file; `None` if it is a table of the configuration.
    pub text: Option<Arc<str>>,
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

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The names of its workspaces, in their order: as listed, and those that match a pattern by name.
    pub workspaces: Vec<String>,
    /// Whether patterns stand in its list of workspaces.
    pub has_patterns: bool,
    /// The name of the policy for all of them; `None` for each workspace's own.
    pub policy: Option<String>,
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

/// A review by people.
#[derive(Debug, Clone)]
pub struct Review {
    /// What is reviewed, by whom, and by when.
    pub terms: Terms,
    /// When it is opened; `None` if only on demand.
    pub schedule: Option<Schedule>,
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
    /// Whether all workspaces are reported in one message.
    pub combine: bool,
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
    /// The name of this machine in `EHLO`; `None` for its name or address.
    pub helo_name: Option<String>,
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
    /// The configuration as kept in evidence: without comments, with the names that the patterns of a job stand for, and with
    /// every known secret masked that was written into it by mistake. Workspaces with a file of their own are not in it, and
    /// patterns that may match them stay: the ledger has their names.
    pub fn applied(&self) -> String {
        let in_common = self.workspaces.iter().filter(|(_, workspace)| workspace.text.is_none());
        let secrets = in_common.flat_map(|(name, workspace)| workspace.secrets(name)).chain(self.common_secrets());
        let secrets: Vec<SecretString> = readable(secrets);
        let has_directory = self.directory.is_some();
        let of_patterns = self.jobs.iter().filter(|(_, job)| job.has_patterns && !has_directory);
        let resolved = of_patterns.map(|(name, job)| (name.as_str(), job.workspaces.as_slice())).collect();
        // The settings were read from it, so it is valid TOML.
        applied(&self.text, &secrets, &resolved).unwrap_or_default()
    }

    /// The tables of the workspaces that have a file of their own, as kept in evidence beside [`Self::applied`], by name.
    pub fn applied_files(&self) -> BTreeMap<String, String> {
        let of_files = self.workspaces.iter().filter_map(|(name, workspace)| {
            let secrets = readable(workspace.secrets(name).into_iter());
            Some((name.clone(), applied_workspace(name, workspace.text.as_ref()?, &secrets).unwrap_or_default()))
        });
        of_files.collect()
    }

    /// The files that hold secrets, each with its key in the configuration: those of [`Self::secrets`] and the signing key.
    pub fn secret_files(&self) -> Vec<(String, &Path)> {
        let secrets = self.secrets().into_iter().filter_map(|(key, source)| Some((key, source.path()?)));
        let key = self.evidence.as_ref().and_then(|evidence| evidence.signing_key.as_deref());
        let of_tls = self.console.as_ref().and_then(|console| console.tls.as_ref()).map(|tls| tls.key.as_path());
        secrets
            .chain(key.map(|path| ("evidence.signing_key".to_owned(), path)))
            .chain(of_tls.map(|path| ("console.key".to_owned(), path)))
            .collect()
    }

    /// Every secret that the configuration names, with its key.
    pub fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let of_workspaces = self.workspaces.iter().flat_map(|(name, workspace)| workspace.secrets(name));
        of_workspaces.chain(self.common_secrets()).collect()
    }

    /// The files of rosters, with their keys.
    pub fn roster_files(&self) -> Vec<(String, &Path)> {
        let files = self.rosters.iter().filter_map(|(name, roster)| match &roster.source {
            RosterSource::File(path) => Some((format!("rosters.{name}.source.file"), path.as_path())),
            RosterSource::Url { .. } => None,
        });
        files.collect()
    }

    /// The files with certificates to trust, with their keys.
    pub fn certificate_files(&self) -> Vec<(&'static str, &Path)> {
        let evidence = self.evidence.as_ref();
        let of_store = match &self.store.place {
            StorePlace::Server(database) => database.root_certificate.as_ref(),
            StorePlace::File(_) => None,
        };
        let of_bucket = evidence.and_then(|evidence| match &evidence.place {
            EvidencePlace::Bucket(bucket) => bucket.ca_file.as_ref(),
            EvidencePlace::Folder(_) => None,
        });
        let of_timestamps = evidence.and_then(|evidence| evidence.timestamps.as_ref()?.ca_file.as_ref());
        let files = [
            ("store.root_certificate", of_store),
            ("smtp.ca_file", self.smtp.as_ref().and_then(|smtp| smtp.ca_file.as_ref())),
            ("evidence.timestamps.ca_file", of_timestamps),
            ("evidence.s3.ca_file", of_bucket),
        ];
        files.into_iter().filter_map(|(key, path)| Some((key, path?.as_path()))).collect()
    }

    /// The secrets that are not of a workspace.
    fn common_secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut secrets = Vec::new();
        for (name, job) in &self.jobs {
            if let Some(heartbeat) = &job.heartbeat {
                secrets.push((format!("jobs.{name}.heartbeat"), heartbeat));
            }
        }
        for (name, roster) in &self.rosters {
            if let RosterSource::Url { token: Some(token), .. } = &roster.source {
                secrets.push((format!("rosters.{name}.source.token"), token));
            }
        }
        if let StorePlace::Server(Database { password: Some(password), .. }) = &self.store.place {
            secrets.push(("store.password".to_owned(), password));
        }
        if let StorePlace::Server(Database { token_key: Some(key), .. }) = &self.store.place {
            secrets.push(("store.token_key".to_owned(), key));
        }
        if let Some(password) = self.smtp.as_ref().and_then(|smtp| smtp.password.as_ref()) {
            secrets.push(("smtp.password".to_owned(), password));
        }
        if let Some(Evidence { place: EvidencePlace::Bucket(bucket), .. }) = &self.evidence
            && let BucketCredentials::Key { id, secret } = &bucket.credentials
        {
            secrets.push(("evidence.s3.access_key_id".to_owned(), id));
            secrets.push(("evidence.s3.secret_access_key".to_owned(), secret));
        }
        if let Some(secret) = self.console.as_ref().and_then(|console| console.oidc.as_ref()?.client_secret.as_ref()) {
            secrets.push(("console.oidc.client_secret".to_owned(), secret));
        }
        secrets
    }
}

impl Workspace {
    /// Its secrets, with their keys.
    fn secrets(&self, name: &str) -> Vec<(String, &SecretSource)> {
        let secrets = self.values.iter().filter_map(|(key, value)| match value {
            Value::Secret(secret) => Some((format!("workspaces.{name}.{key}"), secret)),
            _ => None,
        });
        secrets.collect()
    }
}

/// The secrets that can be read. The others were not used.
fn readable<'s>(secrets: impl Iterator<Item = (String, &'s SecretSource)>) -> Vec<SecretString> {
    secrets.filter_map(|(_, secret)| secret.read().ok()).collect()
}

/// A path of the configuration, relative to the folder of its file.
pub(super) fn relative(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}
