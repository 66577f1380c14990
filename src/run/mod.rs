//! One audit: read, judge and compare, write, keep, deliver.
//!
//! [`perform`] is the whole sequence, and the only way to an audit that is on record. The functions here are its steps
//! that need no evidence: agents also use them for look-ups, and `recompute` to judge a recorded read again.

pub mod across;
pub mod anchor;
mod attachments;
pub mod bag;
pub mod clock_behind;
pub mod deliver;
pub mod files;
pub mod fleet;
mod judging;
pub mod kept;
pub mod lease;
pub mod ledger;
pub mod past;
pub mod perform;
pub mod rebuild;
pub mod receipts;
pub mod recompute;
pub mod retention;
pub mod reviews;
#[cfg(test)]
mod tests;
pub mod timestamps;
pub mod together;
pub mod vault;

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

pub use self::judging::{judge, since, try_rule};
use self::{bag::EvidenceError, deliver::DeliverError, files::FileError, vault::Vault};
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    audit::Lacking,
    brief::Brief,
    clock::Clock,
    connector::{Connector, ConnectorError, Progress, ReadRequest, Recorder},
    fetch::Rosters,
    model::{
        audit::Audit,
        change::{Change, Past},
        directory::Directory,
        policy::Policy,
        reviewed::Reviewed,
        roster::Roster,
        trigger::Trigger,
    },
    store::{AuditRecord, Database, Kept, StoreError, reviews::reviewed, snapshot},
    words::number,
};

/// The past audits that a report draws: half a year of weekly reviews.
const PAST: u32 = 26;

/// The connections and settings that an audit needs.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// Reads the workspace.
    pub connector: &'a dyn Connector,
    /// Keeps completed audits.
    pub store: &'a dyn Database,
    /// Keeps evidence; `None` if no evidence is kept.
    pub vault: Option<&'a Vault>,
    /// The time.
    pub clock: &'a Clock,
    /// Receives the progress of the read.
    pub progress: &'a dyn Progress,
    /// Reads who works for the company.
    pub rosters: &'a Rosters,
}

/// A request for an audit.
#[derive(Debug, Clone, Copy)]
pub struct RunRequest<'a> {
    /// The audit's id.
    pub id: Uuid,
    /// The fire time that it belongs to; `None` for an audit on demand.
    pub trigger: Option<&'a Trigger>,
    /// The job; `None` for an audit on demand.
    pub job: Option<&'a str>,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// The policy to judge by.
    pub policy: &'a Policy,
    /// How long the read may take in all.
    pub deadline: Duration,
}

/// Whether another attempt at a failed audit may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may: the failure may be temporary.
    Later,
    /// It fails again until something is changed.
    Never,
    /// Another process has claimed the run and continues it.
    Lost,
}

/// An audit failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The workspace could not be read.
    #[error("workspace {workspace}: {source}")]
    Read {
        /// The workspace's name.
        workspace: String,
        /// Why not.
        source: ConnectorError,
    },
    /// None of the policy's administrator profiles exists, so nobody would be an administrator.
    #[error(
        "workspace {workspace}: none of `policy.administrator_profiles` ({wanted}) is a profile of this workspace. Its profiles are: {known}. Name one of these, or its id"
    )]
    NoAdministratorProfile {
        /// The workspace's name.
        workspace: String,
        /// What the policy names.
        wanted: String,
        /// What the workspace has.
        known: String,
    },
    /// The store failed.
    #[error("workspace {workspace}: {source}")]
    Store {
        /// The workspace's name.
        workspace: String,
        /// Why.
        source: StoreError,
    },
    /// The evidence could not be kept; without evidence the audit fails.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A report file could not be written.
    #[error(transparent)]
    Report(#[from] FileError),
    /// The mail could not be written.
    #[error(transparent)]
    Mail(#[from] DeliverError),
}

impl RunError {
    /// Whether another attempt may succeed.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store { source: StoreError::Lost { .. }, .. } => Retry::Lost,
            Self::Read { source, .. } if source.is_transient() => Retry::Later,
            Self::Store { .. } | Self::Evidence(_) => Retry::Later,
            Self::Read { .. } | Self::NoAdministratorProfile { .. } | Self::Report(_) | Self::Mail(_) => Retry::Never,
        }
    }
}

/// A workspace that was read, and the kept data of its previous audit.
#[derive(Debug)]
pub struct ReadWorkspace {
    directory: Directory,
    roster: Option<Roster>,
    reviewed: Option<Reviewed>,
    previous: Option<Kept>,
    past: Vec<Past>,
    lacking: Lacking,
}

impl ReadWorkspace {
    /// The directory of an earlier audit, and what is kept of its previous one.
    pub fn kept(directory: Directory, previous: Option<Kept>, lacking: Lacking) -> Self {
        Self { directory, roster: None, reviewed: None, previous, past: Vec::new(), lacking }
    }
}

impl ReadWorkspace {
    /// The kept data of the previous audit; `None` if there is none.
    pub fn previous(&self) -> Option<&Kept> {
        self.previous.as_ref()
    }

    /// The numbers of the latest complete audits, the oldest first.
    pub fn past(&self) -> &[Past] {
        &self.past
    }
}

/// Reads a workspace. Each answer of the API goes to `recorder`.
///
/// # Errors
/// [`RunError`]
pub async fn read(
    env: &Env<'_>,
    request: &RunRequest<'_>,
    recorder: Option<Arc<dyn Recorder>>,
) -> Result<ReadWorkspace, RunError> {
    let workspace = request.workspace.to_owned();
    let read = ReadRequest {
        administrator_profiles: request.policy.administrator_profiles.clone(),
        deadline: request.deadline,
        recorder,
    };
    // Load the previous snapshot while the pages arrive: one waits for the disk, the other for the network.
    let kept = async {
        let previous = env.store.last_complete(request.job, request.workspace).await?;
        let past = env.store.past(request.job, request.workspace, PAST).await?;
        let reviewed = reviewed(env.store, request.workspace).await?;
        Ok((previous, past, Some(reviewed).filter(|reviewed| !reviewed.reviews.is_empty())))
    };
    let (directory, kept, roster) = tokio::join!(
        env.connector.read(&read, env.progress),
        kept,
        env.rosters.read(&request.policy.roster, env.clock.now())
    );
    let directory = directory.map_err(|source| RunError::Read { workspace: workspace.clone(), source })?;
    let (previous, past, reviewed) = kept.map_err(|source| RunError::Store { workspace, source })?;
    Ok(ReadWorkspace { directory, roster, reviewed, previous, past, lacking: Lacking::default() })
}

/// The changes of the policy that the ledger records.
const POLICY_CHANGES: usize = 100;

/// How the policy changed since the previous audit, for the ledger.
fn policy_changes(audit: &Audit) -> Vec<String> {
    let changes = || audit.drift.changes.iter().filter(|change| change.kind.is_of_policy());
    let line = |change: &Change| format!("{}: {} → {}", change.subject_id, change.before, change.after);
    let more = changes().count().saturating_sub(POLICY_CHANGES);
    let more = (more > 0).then(|| format!("and {} more", number(more)));
    changes().take(POLICY_CHANGES).map(line).chain(more).collect()
}

/// Builds what the store keeps of a completed audit. Does not write, so that it can run while reports are written.
///
/// # Errors
/// [`RunError::Store`]
pub fn pack(audit: &Audit, matrix: &AccessMatrix<'_>) -> Result<Kept, RunError> {
    let record = AuditRecord {
        id: audit.id,
        job: audit.job.clone(),
        workspace: audit.workspace.clone(),
        started_at: audit.directory.reading.started_at,
        finished_at: audit.directory.reading.finished_at,
        complete: audit.directory.reading.is_complete(),
        users: audit.directory.users.len() as u64,
        administrators: matrix.rows().filter(MatrixRow::can_administer).count() as u64,
        open_findings: audit.open_findings().count() as u64,
        by_severity: Some(audit.open_by_severity().map(|(_, open)| open as u64)),
        bag: None,
        no_mail_reason: None,
        policy_changes: policy_changes(audit),
    };
    let parts = snapshot::parts(audit, matrix, Brief::of(audit, matrix).said()).collect::<Result<_, _>>();
    let failed = |source| RunError::Store { workspace: audit.workspace.clone(), source };
    Ok(Kept { record, parts: parts.map_err(failed)? })
}
