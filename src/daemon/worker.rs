//! Works on one run: read, judge, record. Sending is the outbox's.

use std::sync::Arc;

use chrono::Duration;
use tokio_util::sync::CancellationToken;

use super::{Count, Daemon, Setup};
use crate::{
    access::matrix::AccessMatrix,
    connector::Recorder,
    mail::{
        notice::Notice,
        report_mail::{Proof, ReportMail},
    },
    model::{
        notification::Notification,
        run::{Claim, Run, RunState},
        trigger::Trigger,
    },
    notify::{
        email::{self, Addresses},
        heartbeat::{self, Beat},
    },
    report::ReportInput,
    run::{
        self, Env, RunError, RunRequest,
        bag::{
            Beginning, EvidenceError, Recording,
            failure::{self, Failure},
        },
        deliver::{self, Letter},
        lease,
    },
    store::StoreError,
};

/// The waits before the second and each further attempt; after the last one a run is given up.
const WAITS: [Duration; 4] = [Duration::minutes(1), Duration::minutes(5), Duration::minutes(15), Duration::minutes(40)];

/// A run that was taken up so often and never came to an end takes the process down with it.
const MOST_ATTEMPTS: u32 = 10;

/// Why an attempt ended without an audit.
enum Ended {
    /// Somebody else works on the run now.
    Lost,
    /// It failed, and another attempt may succeed.
    Again(String),
    /// It failed, and will fail again until somebody changes something.
    Final(String),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lost { .. } => Self::Lost,
            other => Self::Again(other.to_string()),
        }
    }
}

impl From<EvidenceError> for Ended {
    fn from(error: EvidenceError) -> Self {
        Self::Again(error.to_string())
    }
}

impl From<RunError> for Ended {
    fn from(error: RunError) -> Self {
        let text = error.to_string();
        match error {
            RunError::Read { source, .. } if !source.is_transient() => Self::Final(text),
            RunError::NoAdministratorProfile { .. } => Self::Final(text),
            _ => Self::Again(text),
        }
    }
}

impl Daemon {
    /// Works on a run until its audit is recorded, or says why not.
    pub(super) async fn work(&self, claim: Claim, hurry: CancellationToken) {
        let setup = self.setup();
        let Run { id, job, workspace, fire_at, attempt, .. } = &claim.run;
        tracing::info!(run = %id, job, workspace, %fire_at, attempt, "a run begins");
        if claim.fence == 1 {
            self.ping_start(&setup, job);
        }
        let mut recording = None;
        let ended = tokio::select! {
            ended = self.attempt(&setup, &claim, &mut recording) => ended,
            lost = lease::keep(&*self.store, &claim, setup.limits.lease, &self.clock) => Err(lost.into()),
            () = hurry.cancelled() => {
                match self.store.release(&claim, None, self.now(), self.now()).await {
                    Ok(()) => tracing::info!(run = %id, "the run is released"),
                    Err(error) => tracing::error!(run = %id, %error, "the run could not be released"),
                }
                return;
            }
        };
        let stored = match ended {
            Ok(()) => Ok(()),
            Err(Ended::Lost) => {
                tracing::warn!(run = %id, "another process works on this run now");
                return;
            }
            Err(Ended::Again(error)) => self.failed(&setup, &claim, (error, false), recording).await,
            Err(Ended::Final(error)) => self.failed(&setup, &claim, (error, true), recording).await,
        };
        if let Err(error) = stored {
            // The lease ends by itself, and the run is claimed again.
            tracing::error!(run = %id, %error, "what came of a run could not be stored");
        }
        self.bell.notify_one();
    }

    /// One attempt. What is recorded meanwhile is there afterwards, too.
    async fn attempt(&self, setup: &Setup, claim: &Claim, recorded: &mut Option<Arc<Recording>>) -> Result<(), Ended> {
        let Run { job: job_name, workspace: name, .. } = &claim.run;
        let policy = setup.policies.get(&(job_name.clone(), name.clone()));
        let (Some(job), Some(workspace), Some(policy)) = (setup.jobs.get(job_name), setup.workspaces.get(name), policy)
        else {
            return Err(Ended::Final(format!(
                "the configuration has no job {job_name} for a workspace {name} any more"
            )));
        };
        let Run { fire_at, started_at, attempt, .. } = claim.run;
        if attempt > MOST_ATTEMPTS {
            let last = claim.run.error.as_deref().unwrap_or("the process ended in the middle of it each time");
            return Err(Ended::Final(format!(
                "it was taken up {MOST_ATTEMPTS} times and never came to an end: {last}"
            )));
        }
        let incidents = self.store.incidents_before(job_name, name, fire_at).await?;
        let trigger = Trigger { fire_at, began_at: started_at.unwrap_or(fire_at), attempt, by_hand: false, incidents };
        let request = RunRequest {
            id: claim.run.id,
            trigger: Some(&trigger),
            job: Some(job_name),
            workspace: name,
            policy,
            deadline: workspace.deadline,
        };
        let recording = match &setup.vault {
            Some(vault) => {
                let beginning = Beginning { workspace: name, run: claim.run.id, at: fire_at };
                Some(Recording::begin(&*self.store, vault, beginning, self.now()).await?)
            }
            None => None,
        };
        recorded.clone_from(&recording);
        let env = Env {
            connector: &*workspace.connector,
            store: &*self.store,
            progress: &(),
            recorder: recording.clone().map(|recording| recording as Arc<dyn Recorder>),
        };
        let read = run::read(&env, &request).await?;
        if let Some(recording) = &recording {
            recording.compared_with(read.previous());
        }
        self.store.advance(claim, RunState::Read).await?;
        let audit = run::judge(&request, read, self.now())?;
        self.store.advance(claim, RunState::Judged).await?;

        let matrix = AccessMatrix::new(&audit.directory, &audit.administrator_profiles);
        let mut kept = run::pack(&audit, &matrix)?;
        let input = ReportInput::new(&audit, &matrix);
        if let (Some(recording), Some(vault)) = (&recording, &setup.vault) {
            let sealed = recording.seal(vault, &input)?;
            tracing::info!(run = %claim.run.id, bag = %sealed.path.display(), digest = sealed.digest, "the evidence is sealed");
            kept.record.bag = Some(sealed.name());
        }
        kept.record.no_mail_reason = deliver::no_mail_reason(job.email.as_ref().map(|email| email.when), &audit);
        let messages = match &job.email {
            Some(email) if kept.record.no_mail_reason.is_none() => {
                let letter = Letter {
                    from: &email.from,
                    recipients: &email.to,
                    attach: &email.attach,
                    written: &[],
                    date: self.now(),
                    proof: Proof { bag: kept.record.bag.clone(), ledger: Some(self.store.head().await?) },
                };
                deliver::messages(&input, &letter).map_err(|error| Ended::Final(error.to_string()))?
            }
            _ => Vec::new(),
        };
        let messages: Vec<Notification> =
            messages.into_iter().map(|mail| email::notification(claim.run.id, ReportMail::KIND, "", mail)).collect();
        self.store.record(claim, &kept, &messages, self.now()).await?;
        tracing::info!(run = %claim.run.id, users = kept.record.users, messages = messages.len(), "the audit is recorded");
        Ok(())
    }

    /// Hands a run back to be tried again, or gives it up and tells the job's recipients.
    async fn failed(
        &self,
        setup: &Setup,
        claim: &Claim,
        (error, is_final): (String, bool),
        recording: Option<Arc<Recording>>,
    ) -> Result<(), StoreError> {
        let Run { id, job, workspace, attempt, .. } = &claim.run;
        let tried = usize::try_from(*attempt).unwrap_or(usize::MAX).saturating_sub(1);
        if let Some(wait) = WAITS.get(tried).filter(|_| !is_final) {
            tracing::warn!(run = %id, job, workspace, attempt, error, "the run failed and is tried again");
            self.count(Count::Attempt { job: job.clone(), workspace: workspace.clone(), outcome: "retried" });
            return self.store.release(claim, Some(&error), self.now() + *wait, self.now()).await;
        }
        tracing::error!(run = %id, job, workspace, attempt, error, "the run failed and is given up");
        if let (Some(recording), Some(vault)) = (recording, &setup.vault) {
            let (run, due_at) = (claim.run.id, Some(claim.run.fire_at));
            let failure = Failure { run, job: Some(job), workspace, due_at, at: self.now(), error: &error };
            failure::keep(&*self.store, vault, &recording, &failure).await;
        }
        let notifications = self.failure_notifications(setup, claim, &error).await?;
        self.store.give_up(claim, &error, &notifications, self.now()).await?;
        self.count(Count::Attempt { job: job.clone(), workspace: workspace.clone(), outcome: "failed" });
        Ok(())
    }

    /// The notices and the ping that a run is given up.
    async fn failure_notifications(
        &self,
        setup: &Setup,
        claim: &Claim,
        error: &str,
    ) -> Result<Vec<Notification>, StoreError> {
        let Some(job) = setup.jobs.get(&claim.run.job) else { return Ok(Vec::new()) };
        let (run, fence) = (&claim.run, claim.fence.to_string());
        let mut notifications = Vec::new();
        if let Some(email) = &job.email {
            let notice = Notice::failure(run, &fence, error, &self.store.head().await?);
            let addresses = Addresses { from: &email.from, to: &email.to };
            notifications.extend(email::notices(&notice, run.id, &fence, addresses, self.now()));
        }
        if job.heartbeat.is_some() {
            let about = format!("run {} claim {fence}", run.id);
            notifications.push(heartbeat::notification(run, Beat::Failure, &about));
        }
        Ok(notifications)
    }
}
