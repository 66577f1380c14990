//! One audit, from its beginning to its commit: begin the evidence, read, compare, judge, write, seal, and record or keep.
//!
//! Command line, daemon and agents all call [`AuditRun::perform`]. They differ in what they pass in (who is mailed, how
//! the audit is committed, whether a failed attempt is tried again) and in what they print and answer.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Env, Retry, RunError, RunRequest,
    bag::{
        Beginning, Recording, Sealed,
        failure::{self, Failure},
    },
    clock_behind::{self, ClockBehind},
    deliver::{self, Letter, Mail},
    files, judge, pack, read, reviews,
    together::{self, OwnShare},
};
use crate::{
    access::matrix::AccessMatrix,
    connector::Recorder,
    ledger::{Fact, fact::BagName},
    mail::report_mail::{Proof, ReportMail},
    model::{
        audit::Audit,
        notification::Notification,
        plain::plain,
        policy::Policy,
        run::{Claim, RunState},
        trigger::{IncidentKind, Trigger},
    },
    notify::email,
    report::{ReportFile, ReportInput},
    store::{AuditRecord, Kept, StoreError, together::Share},
};

/// The longest error message, in characters; it may quote the workspace.
const ERROR: usize = 4_000;

/// One attempt at an audit.
pub struct AuditRun<'a> {
    /// The connections and settings that the audit needs.
    pub env: Env<'a>,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// The policy to judge by.
    pub policy: &'a Policy,
    /// How long the read may take in all.
    pub deadline: Duration,
    /// How a completed audit is committed, and with it what it is named after.
    pub commit: Commit<'a>,
    /// Who is mailed.
    pub mail: Mail<'a>,
    /// Where report files are written; `None` if nobody asked for them.
    pub reports: Option<Reports<'a>>,
    /// Whether this is the last attempt: then even a temporary error leaves evidence.
    pub is_last_attempt: bool,
}

/// How a completed audit is committed.
#[derive(Debug, Clone, Copy)]
pub enum Commit<'a> {
    /// It is kept, so that the next audit of the same job and workspace is compared with it. There is no run.
    Keep {
        /// The job; `None` if it belongs to none.
        job: Option<&'a str>,
    },
    /// It is the result of a claimed run: kept, with its messages in the outbox.
    Record {
        /// The claim.
        claim: &'a Claim,
        /// Whether the run was started on demand and not by the schedule.
        on_demand: bool,
    },
}

/// Report files to write before the evidence is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Reports<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The reports.
    pub files: &'a [ReportFile],
}

/// A step that a caller may show while an audit is in progress.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// The clock is behind the ledger.
    ClockBehind(&'a ClockBehind),
    /// The workspace is read and judged.
    Judged(&'a ReportInput<'a>),
    /// The report files are written.
    Written(&'a [PathBuf]),
    /// The evidence is sealed.
    Sealed(&'a Sealed),
}

/// Receives the steps of an audit in order.
pub type OnStep<'a> = &'a (dyn Fn(Step<'_>) + Send + Sync);

/// An audit that was performed and committed.
#[derive(Debug)]
pub struct Performed {
    /// The audit.
    pub audit: Audit,
    /// What the store has of it beside its snapshot.
    pub record: AuditRecord,
    /// How many messages went into the outbox.
    pub messages: usize,
    /// How far the clock is behind the ledger; `None` if it is not.
    pub clock_behind: Option<ClockBehind>,
}

/// A failed attempt. The API's answers, however few, are in a sealed bag that the ledger names, unless another attempt follows.
#[derive(Debug, thiserror::Error)]
#[error("{}", plain(&.error.to_string(), ERROR))]
pub struct Failed {
    /// What went wrong.
    #[from]
    pub error: RunError,
}

impl Failed {
    /// Whether another attempt may succeed.
    pub fn retry(&self) -> Retry {
        self.error.retry()
    }
}

/// The evidence of an attempt in progress.
#[derive(Default)]
struct Evidence {
    recording: Option<Arc<Recording>>,
    sealed: Option<BagName>,
}

impl AuditRun<'_> {
    /// Performs the audit. The evidence is sealed after everything that may fail, and the audit is committed last: the next
    /// audit must not be compared with one whose reports could not be written.
    ///
    /// # Errors
    /// [`Failed`]; then nothing was committed.
    pub async fn perform(&self, on_step: OnStep<'_>) -> Result<Performed, Failed> {
        let id = match self.commit {
            Commit::Keep { .. } => Uuid::now_v7(),
            Commit::Record { claim, .. } => claim.run.id,
        };
        let mut evidence = Evidence::default();
        match self.attempt(id, &mut evidence, on_step).await {
            Ok(performed) => Ok(performed),
            Err(error) => {
                let failed = Failed::from(error);
                self.keep_evidence(id, &failed, evidence).await;
                Err(failed)
            }
        }
    }

    async fn attempt(&self, id: Uuid, evidence: &mut Evidence, on_step: OnStep<'_>) -> Result<Performed, RunError> {
        let Env { store, clock, .. } = self.env;
        let clock_behind = clock_behind::check(store, clock.now()).await.map_err(|source| self.store_failed(source))?;
        if let Some(behind) = &clock_behind {
            on_step(Step::ClockBehind(behind));
        }
        let trigger = self.trigger(clock_behind.as_ref()).await?;
        let request = RunRequest {
            id,
            trigger: trigger.as_ref(),
            job: self.job(),
            workspace: self.workspace,
            policy: self.policy,
            deadline: self.deadline,
        };
        evidence.recording = self.begin(id).await?;
        let recorder = evidence.recording.clone().map(|recording| recording as Arc<dyn Recorder>);
        let read = read(&self.env, &request, recorder).await?;
        if let Some(recording) = &evidence.recording {
            recording.compared_with(read.previous());
        }
        self.advance(RunState::Read).await?;
        let audit = judge(&request, read, clock.now())?;
        self.advance(RunState::Judged).await?;
        let (kept, messages) = self.write_and_commit(&audit, evidence, on_step).await?;
        // The audit is committed: a later one proves what is missing.
        if let Err(error) = reviews::prove(store, &kept, clock.now()).await {
            tracing::warn!(%error, "what this audit proves about decisions of reviews could not be recorded");
        }
        Ok(Performed { audit, record: kept.record, messages, clock_behind })
    }

    fn job(&self) -> Option<&str> {
        match self.commit {
            Commit::Keep { job } => job,
            Commit::Record { claim, .. } => Some(&claim.run.job),
        }
    }

    /// The fire time of the run; `None` if the audit is not a run.
    fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.commit {
            Commit::Keep { .. } => None,
            Commit::Record { claim, .. } => Some(claim.run.fire_at),
        }
    }

    /// The trigger of a run, with the incidents before it; `None` if the audit is not a run.
    async fn trigger(&self, behind: Option<&ClockBehind>) -> Result<Option<Trigger>, RunError> {
        let Commit::Record { claim: Claim { run, .. }, on_demand } = self.commit else { return Ok(None) };
        let incidents = self.env.store.incidents_before(&run.job, &run.workspace, run.fire_at).await;
        let mut incidents = incidents.map_err(|source| self.store_failed(source))?;
        let is_said = incidents.iter().any(|incident| incident.kind == IncidentKind::ClockSetBack);
        incidents.extend(behind.filter(|_| !is_said).map(|behind| behind.incident(&run.job)));
        Ok(Some(Trigger {
            fire_at: run.fire_at,
            began_at: run.started_at.unwrap_or(run.fire_at),
            attempt: run.attempt,
            by_hand: on_demand,
            incidents,
        }))
    }

    async fn begin(&self, id: Uuid) -> Result<Option<Arc<Recording>>, RunError> {
        let Env { store, vault: Some(vault), clock, .. } = self.env else { return Ok(None) };
        let now = clock.now();
        let at = self.due_at().unwrap_or(now);
        let claim = match self.commit {
            Commit::Keep { .. } => 1,
            Commit::Record { claim, .. } => claim.fence,
        };
        let beginning = Beginning { workspace: self.workspace, run: id, at, claim };
        Ok(Some(Recording::begin(store, vault, beginning, now).await?))
    }

    async fn advance(&self, state: RunState) -> Result<(), RunError> {
        let Commit::Record { claim, .. } = self.commit else { return Ok(()) };
        self.env.store.advance(claim, state).await.map_err(|source| self.store_failed(source))
    }

    /// Writes the report files, what the store keeps, the bag, and the messages that name it; and commits. Returns what is
    /// kept, and how many messages report it.
    async fn write_and_commit(
        &self,
        audit: &Audit,
        evidence: &mut Evidence,
        on_step: OnStep<'_>,
    ) -> Result<(Kept, usize), RunError> {
        let matrix = AccessMatrix::of(audit);
        let input = ReportInput::new(audit, &matrix);
        on_step(Step::Judged(&input));
        let mut written = Ok(Vec::new());
        // On this thread: one that is started for it has a heap of its own, beside all that was freed here.
        let kept = rayon::in_place_scope(|scope| {
            if self.reports.is_some() {
                scope.spawn(|_| written = self.write_reports(&input));
            }
            pack(audit, &matrix)
        });
        let (written, mut kept) = (written?, kept?);
        on_step(Step::Written(&written));
        if let Some((recording, vault)) = evidence.recording.as_ref().zip(self.env.vault) {
            let sealed = recording.seal(vault, &input)?;
            on_step(Step::Sealed(&sealed));
            evidence.sealed = Some(sealed.bag.clone());
            kept.record.bag.clone_from(&evidence.sealed);
        }
        if let Some(share) = self.share(&input, &kept.record).await?
            && self.commit_share(&kept, &share).await?
        {
            return Ok((kept, share.messages.len()));
        }
        // Also if the message of its fire time is written already: it is too late for this run.
        kept.record.no_mail_reason = self.mail.reason(audit);
        let messages = self.messages(&input, &kept.record, &written).await?;
        self.commit(&kept, &messages).await?;
        Ok((kept, messages.len()))
    }

    /// What the run adds to the message of its fire time; `None` if it is reported alone.
    async fn share(&self, input: &ReportInput<'_>, record: &AuditRecord) -> Result<Option<OwnShare>, RunError> {
        let (Mail::To(recipients), Commit::Record { claim, .. }) = (&self.mail, self.commit) else { return Ok(None) };
        let is_together = together::is_together(self.env.store, recipients, &claim.run).await;
        if !is_together.map_err(|source| self.store_failed(source))? {
            return Ok(None);
        }
        Ok(Some(together::share(input, recipients, &claim.run, record.bag.clone())?))
    }

    /// Commits the audit with its share; false if the message of its fire time is written already.
    async fn commit_share(&self, kept: &Kept, share: &OwnShare) -> Result<bool, RunError> {
        let Commit::Record { claim, .. } = self.commit else { return Ok(false) };
        let Env { store, clock, .. } = self.env;
        let share = Share { terms: &share.terms, body: &share.body, messages: &share.messages };
        store.record_share(claim, kept, &share, clock.now()).await.map_err(|source| self.store_failed(source))
    }

    fn write_reports(&self, input: &ReportInput<'_>) -> Result<Vec<PathBuf>, RunError> {
        let Some(Reports { folder, files }) = self.reports else { return Ok(Vec::new()) };
        Ok(files::write(input, folder, files)?)
    }

    async fn messages(
        &self,
        input: &ReportInput<'_>,
        record: &AuditRecord,
        written: &[PathBuf],
    ) -> Result<Vec<Notification>, RunError> {
        let (Mail::To(recipients), None) = (&self.mail, record.no_mail_reason) else { return Ok(Vec::new()) };
        let ledger = self.env.store.head().await.map_err(|source| self.store_failed(source))?;
        // A reader of the mail does not know where the audit was started.
        let written: Vec<PathBuf> =
            written.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())).collect();
        let letter = Letter {
            recipients,
            written: &written,
            date: self.env.clock.now(),
            proof: Proof { bag: record.bag.clone(), ledger: Some(ledger) },
        };
        let messages = deliver::messages(input, &letter)?;
        let run = input.audit().id;
        Ok(messages.into_iter().map(|mail| email::notification(run, ReportMail::KIND, "", mail)).collect())
    }

    async fn commit(&self, kept: &Kept, messages: &[Notification]) -> Result<(), RunError> {
        let Env { store, clock, .. } = self.env;
        let committed = match self.commit {
            Commit::Keep { .. } => store.keep(kept, clock.now()).await,
            Commit::Record { claim, .. } => store.record(claim, kept, messages, clock.now()).await,
        };
        committed.map_err(|source| self.store_failed(source))
    }

    fn store_failed(&self, source: StoreError) -> RunError {
        RunError::Store { workspace: self.workspace.to_owned(), source }
    }

    /// After the last attempt, keeps the answers received before the failure, or records that an already sealed bag is not
    /// valid. Neither may hide why the attempt failed, so an error here only goes to the log.
    async fn keep_evidence(&self, id: Uuid, failed: &Failed, evidence: Evidence) {
        let Env { store, vault: Some(vault), clock, .. } = self.env else { return };
        let is_last = match failed.retry() {
            Retry::Later => self.is_last_attempt,
            Retry::Never => true,
            // The process that has claimed the run keeps the evidence, and does not know of a bag that was sealed here.
            Retry::Lost => evidence.sealed.is_some(),
        };
        if !is_last {
            return;
        }
        if let Some(bag) = evidence.sealed {
            if let Err(error) = self.abandon(id, bag).await {
                tracing::error!(run = %id, %error, "the ledger could not record that the bag of a failed run does not count");
            }
        } else if let Some(recording) = &evidence.recording {
            let error = failed.to_string();
            let failure = Failure {
                run: id,
                job: self.job(),
                workspace: self.workspace,
                due_at: self.due_at(),
                at: clock.now(),
                error: &error,
            };
            failure::keep(store, vault, recording, &failure).await;
        }
    }

    /// Records that a sealed bag does not count, unless the audit is on record with it: the answer to a commit can be lost.
    async fn abandon(&self, id: Uuid, bag: BagName) -> Result<(), StoreError> {
        let Env { store, clock, .. } = self.env;
        // Ledger writes come one after the other: after this one, a commit under way has succeeded or never will.
        store.append(&[], clock.now()).await?;
        let recorded = store.audit(id).await?.and_then(|record| record.bag);
        if recorded.as_ref() == Some(&bag) {
            return Ok(());
        }
        store.append(&[Fact::BagAbandoned { run: id, bag }], clock.now()).await
    }
}
