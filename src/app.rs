//! The composition root: the only place that names concrete adapters. Checked settings in, parts that work out.

mod connectors;
pub mod console;
mod evidence;
mod files;
mod folders;
pub mod setup;
mod sign_in;
mod stores;
mod tokens;

use std::{collections::BTreeMap, fs, io, path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;

pub use self::{
    connectors::{connector, fresh_connector, remover, replaying_connector},
    evidence::{BucketError, evidence_storage, objects},
    files::{BadFile, try_files},
    folders::{FolderError, Folders, try_folders},
    sign_in::{Links, sender},
    stores::{
        StoreCheck, check_store, close_stores, empty_store, existing_store, migrate_store, store, store_place,
        store_to_change, store_to_write, tables,
    },
};
use crate::{
    agent::{self, Access, WorkspaceSession},
    clock::Clock,
    config::{
        Attach,
        settings::{self, BrokenFile, Email, Instead, Job, RosterSource, SecretError, SecretSource, Settings, Smtp},
    },
    connector::{Connector, ConnectorError, Unavailable},
    daemon,
    digest::{sha256, sha256_of},
    evidence::{
        key::{KeyError, SigningKey},
        storage::bounded,
    },
    fetch::{Place, RosterSetup, Rosters, Token},
    ledger::fact::Terms,
    mail::smtp::{SmtpMailer, SmtpSettings},
    model::policy::Policy,
    notify::{
        channel::Channels,
        email::{EmailChannel, SignInLinks},
        heartbeat::{Heartbeat, HeartbeatChannel, HeartbeatError, HttpHeartbeat},
    },
    report::ReportFile,
    run::{
        deliver::Recipients,
        fleet::FleetError,
        vault::{Configuration, Vault},
    },
    store::{Database, StoreError},
    timestamp::{
        Roots,
        authorities::{self, Authorities},
    },
};

/// The largest file of certificate authorities that is read, in bytes.
const LARGEST_PEM: u64 = 16 << 20;

/// A part cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A secret cannot be read.
    #[error("`{key}`: {source}")]
    Secret {
        /// The key of the configuration.
        key: String,
        /// Why not.
        source: SecretError,
    },
    /// The connector cannot be set up.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The configuration does not allow removing users.
    #[error(
        "workspace {0} does not allow offboarding; nothing was changed. To allow it, set `allow_offboarding = true` in [workspaces.{0}]"
    )]
    NoOffboarding(String),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store may not be written beside those that use it.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The key for shared access tokens is too weak.
    #[error(
        "`store.token_key` has fewer than 32 characters; make a random one with `openssl rand -base64 32`, the same for all replicas"
    )]
    TokenKey,
    /// The heartbeat of a job cannot be set up.
    #[error("`{key}`: {source}")]
    Heartbeat {
        /// The key of the configuration.
        key: String,
        /// Why not.
        source: HeartbeatError,
    },
    /// The key that signs evidence cannot be read.
    #[error("`evidence.signing_key`: {0}")]
    Key(#[from] KeyError),
    /// The certificates of timestamp authorities cannot be read.
    #[error("`evidence.timestamps.ca_file`: {path}: {reason}")]
    TimestampRoots {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The object store for evidence cannot be set up.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The certificate authorities cannot be read.
    #[error("`smtp.ca_file`: {path} cannot be read: {source}")]
    Roots {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// The bytes of a file with certificates.
fn pem(path: &Path) -> io::Result<Vec<u8>> {
    // Nothing is opened that may never end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    bounded(fs::File::open(path)?, LARGEST_PEM)
}

/// How to reach the mail server.
///
/// # Errors
/// [`AppError`]
pub fn smtp_settings(smtp: &Smtp) -> Result<SmtpSettings, AppError> {
    let password = smtp.password.as_ref().map(|source| read("smtp.password".to_owned(), source)).transpose()?;
    let roots = smtp
        .ca_file
        .as_ref()
        .map(|path| pem(path).map_err(|source| AppError::Roots { path: path.display().to_string(), source }));
    Ok(SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        security: smtp.security,
        helo_name: smtp.helo_name.clone(),
        username: smtp.username.clone(),
        password,
        timeout: smtp.timeout,
        extra_roots: roots.transpose()?,
    })
}

/// The channel for e-mail.
///
/// # Errors
/// [`AppError`]
pub fn email_channel(smtp: &Smtp) -> Result<EmailChannel<SmtpMailer>, AppError> {
    Ok(EmailChannel::new(SmtpMailer::new(smtp_settings(smtp)?)))
}

/// The files behind the words of `attach`.
fn attachments(attach: &[Attach]) -> Vec<ReportFile> {
    let files = attach.iter().flat_map(|attach| match attach {
        Attach::Csv => vec![ReportFile::FindingsCsv, ReportFile::ChangesCsv, ReportFile::AccessMatrixCsv],
        Attach::Xlsx => vec![ReportFile::Xlsx],
        Attach::Html => vec![ReportFile::Html],
        Attach::Json => vec![ReportFile::Json],
    });
    let mut unique = Vec::new();
    for file in files {
        if !unique.contains(&file) {
            unique.push(file);
        }
    }
    unique
}

/// The schedule of a job, as the ledger has it.
pub fn terms(job: &Job) -> Terms {
    job.schedule.terms(&job.workspaces, job.missed)
}

/// Who is mailed a job's reports.
pub fn recipients(email: &Email, smtp: &Smtp) -> Recipients {
    Recipients {
        from: smtp.from.clone(),
        to: email.to.clone(),
        attach: attachments(&email.attach),
        when: email.when,
        combine: email.combine,
    }
}

/// Who confirms when evidence existed.
///
/// # Errors
/// [`AppError::TimestampRoots`]
pub fn authorities(timestamps: &settings::Timestamps) -> Result<Authorities, AppError> {
    let settings::Timestamps { urls, policy, ca_file, mode } = timestamps.clone();
    let roots = match ca_file {
        None => Roots::of_this_machine(),
        Some(path) => {
            let read = pem(&path).map_err(|error| error.to_string()).and_then(|pem| Roots::from_pem(&pem));
            read.map_err(|reason| AppError::TimestampRoots { path: path.display().to_string(), reason })?
        }
    };
    Ok(Authorities { urls, policy, roots, mode, patience: authorities::PATIENCE })
}

/// Where bags of evidence are kept; `None` if none are.
///
/// # Errors
/// [`AppError`]
pub fn vault(settings: &Settings) -> Result<Option<Vault>, AppError> {
    let Some(evidence) = &settings.evidence else { return Ok(None) };
    let key = evidence.signing_key.as_deref().map(SigningKey::read).transpose()?;
    Ok(Some(Vault {
        storage: evidence_storage(evidence)?,
        keep_days: evidence.keep_days,
        key,
        timestamps: evidence.timestamps.as_ref().map(authorities).transpose()?,
        configuration: Configuration::new(settings.applied(), settings.applied_files()),
        agent: build(),
    }))
}

/// This build of rolecall, as bags name it.
pub fn build() -> String {
    let digest = std::env::current_exe().and_then(|binary| sha256_of(fs::File::open(binary)?));
    let digest = digest.unwrap_or_else(|_| "unknown".to_owned());
    format!("rolecall {} (sha256 of the binary: {digest})", env!("CARGO_PKG_VERSION"))
}

/// Everything that a daemon needs of the configuration.
///
/// # Errors
/// [`AppError`]
pub fn daemon_setup(settings: &Settings, clock: &Clock, links: &Arc<Links>) -> Result<daemon::Setup, AppError> {
    let (workspaces, problems) = daemon_workspaces(settings, clock)?;
    let job = |job: &Job| daemon::Job {
        workspaces: job.workspaces.clone(),
        schedule: job.schedule.clone(),
        missed: job.missed,
        email: job.email.as_ref().zip(settings.smtp.as_ref()).map(|(email, smtp)| recipients(email, smtp)),
        heartbeat: None,
    };
    let mut jobs = BTreeMap::new();
    let mut heartbeats = BTreeMap::new();
    for (name, settings) in &settings.jobs {
        let mut job = job(settings);
        if let Some(source) = &settings.heartbeat {
            let key = format!("jobs.{name}.heartbeat");
            let heartbeat = HttpHeartbeat::new(read(key.clone(), source)?);
            let heartbeat = heartbeat.map_err(|source| AppError::Heartbeat { key, source })?;
            let heartbeat: Arc<dyn Heartbeat> = Arc::new(heartbeat);
            heartbeats.insert(name.clone(), Arc::clone(&heartbeat));
            job.heartbeat = Some(heartbeat);
        }
        jobs.insert(name.clone(), job);
    }
    let review = |(name, review): (&String, &settings::Review)| {
        (name.clone(), daemon::Review { terms: review.terms.clone(), schedule: review.schedule.clone() })
    };
    let mut channels = Channels::default().with(HeartbeatChannel::new(heartbeats));
    if let Some(smtp) = &settings.smtp {
        let mut email = email_channel(smtp)?;
        if settings.console.as_ref().is_some_and(|console| console.mail_links) {
            let links: Arc<dyn SignInLinks> = Arc::<Links>::clone(links);
            email = email.with_links(links);
        }
        channels = channels.with(email);
    }
    Ok(daemon::Setup {
        jobs,
        workspaces,
        problems,
        policies: policies(settings),
        rosters: rosters(settings),
        reviews: settings.reviews.iter().map(review).collect(),
        channels,
        sender: sender(settings),
        vault: vault(settings)?,
        limits: daemon::Limits {
            concurrency: settings.daemon.workers,
            lease: settings.daemon.lease,
            mail_lease: settings.daemon.lease + settings.smtp.as_ref().map_or(Duration::ZERO, |smtp| smtp.timeout),
            grace_period: settings.daemon.grace_period,
            keep: settings.store.keep,
        },
        identity: identity(settings),
        commons: connectors::commons(),
    })
}

/// The workspaces of a daemon, and sentences about those whose own file cannot be used: they do not keep it from the others.
fn daemon_workspaces(
    settings: &Settings,
    clock: &Clock,
) -> Result<(BTreeMap<String, daemon::Workspace>, Vec<String>), AppError> {
    let (mut workspaces, mut problems) = (BTreeMap::new(), Vec::new());
    for (name, workspace) in &settings.workspaces {
        let connector: Box<dyn Connector> = match connector(settings, name, clock) {
            Ok(connector) => connector,
            Err(error) if workspace.text.is_some() => {
                problems.push(format!("workspace {name}: {error}"));
                Box::new(Unavailable::new(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        workspaces.insert(name.clone(), daemon::Workspace { connector, deadline: workspace.deadline });
    }
    for (name, BrokenFile { problem, instead }) in settings.directory.iter().flat_map(|directory| &directory.broken) {
        let instead = match instead {
            Instead::Before => "it is audited as its file was before",
            Instead::Table => "it is audited by its table in the configuration",
            Instead::Nothing => "it cannot be audited",
        };
        problems.push(format!("workspace {name}: {instead}: {problem}"));
        workspaces.entry(name.clone()).or_insert_with(|| daemon::Workspace {
            connector: Box::new(Unavailable::new(problem.clone())),
            deadline: Duration::from_mins(1),
        });
    }
    Ok((workspaces, problems))
}

/// What tells this daemon from others on the same store. `[daemon]` may differ between them.
fn identity(settings: &Settings) -> daemon::Identity {
    let applied = settings.applied();
    let shared = applied.parse::<toml::Table>().map_or(applied, |mut table| {
        table.remove("daemon");
        table.to_string()
    });
    let host = || {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        format!("{}-{}", host.trim(), std::process::id())
    };
    daemon::Identity {
        name: settings.daemon.replica.clone().unwrap_or_else(host),
        configuration: sha256(format!("{shared}{:?}", settings.applied_files()).as_bytes()),
    }
}

/// The rosters of the configuration. A token is read when it is needed: one that cannot be read is a problem of the roster.
pub fn rosters(settings: &Settings) -> Rosters {
    let setup = |(name, roster): (&String, &settings::Roster)| {
        let place = match &roster.source {
            RosterSource::File(path) => Place::File(path.clone()),
            RosterSource::Url { url, token } => {
                let token = token.clone().map(|source| -> Token {
                    Arc::new(move || source.read().map_err(|error| format!("its token cannot be read: {error}")))
                });
                Place::Url(url.clone(), token)
            }
        };
        (name.clone(), RosterSetup { place, layout: roster.layout.clone(), bounds: roster.bounds })
    };
    Rosters::new(settings.rosters.iter().map(setup).collect())
}

/// The policy of each job and workspace.
fn policies(settings: &Settings) -> BTreeMap<(String, String), Arc<Policy>> {
    let of_job = |(job, of): (&String, &Job)| {
        let policy = |workspace: &String| {
            let policy = settings.policy_for(Some(job), workspace);
            ((job.clone(), workspace.clone()), Arc::clone(policy))
        };
        of.workspaces.iter().map(policy).collect::<Vec<_>>()
    };
    settings.jobs.iter().flat_map(of_job).collect()
}

/// Everything that an agent needs of the configuration.
///
/// # Errors
/// [`AppError`]
pub fn agent_setup(
    settings: &Settings,
    store: Arc<dyn Database>,
    allow_offboarding: bool,
    max_age: Duration,
    clock: &Clock,
) -> Result<agent::Setup, AppError> {
    let mut workspaces = BTreeMap::new();
    for (name, workspace) in &settings.workspaces {
        let access = if workspace.allow_offboarding {
            Access::Removes(remover(settings, name, clock)?)
        } else {
            Access::Reads(connector(settings, name, clock)?)
        };
        let policy = Arc::clone(settings.policy_for(None, name));
        let session =
            WorkspaceSession::new(name.clone(), access, workspace.organization.clone(), workspace.deadline, policy);
        workspaces.insert(name.clone(), session);
    }
    Ok(agent::Setup {
        workspaces,
        jobs: settings.jobs.iter().map(|(name, job)| (name.clone(), job.workspaces.clone())).collect(),
        store,
        rosters: rosters(settings),
        vault: vault(settings)?,
        schedules: settings.jobs.iter().map(|(name, job)| (name.clone(), terms(job))).collect(),
        allow_offboarding,
        max_age,
    })
}

fn read(key: String, source: &SecretSource) -> Result<SecretString, AppError> {
    source.read().map_err(|source| AppError::Secret { key, source })
}
