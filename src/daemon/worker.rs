//! Works on one run: read, judge, record. Sending is the outbox's.

use chrono::Duration;
use tokio_util::sync::CancellationToken;

use super::{Daemon, Setup};
use crate::{
    access::matrix::AccessMatrix,
    mail::{failure_mail::failure_mail, message::Email},
    model::run::{Claim, Run, RunState},
    report::ReportInput,
    run::{self, Env, RunError, RunRequest, deliver},
    store::{StoreError, queue::NewMessage},
};

/// How long a run belongs to a worker of whom nothing is heard.
pub(super) const LEASE: Duration = Duration::seconds(60);
/// The waits before the second and each further attempt; after the last one a run is given up.
const WAITS: [Duration; 4] = [Duration::minutes(1), Duration::minutes(5), Duration::minutes(15), Duration::minutes(40)];

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
        let ended = tokio::select! {
            ended = self.attempt(&setup, &claim) => ended,
            ended = self.keep_lease(&claim) => Err(ended),
            () = hurry.cancelled() => {
                let _ = self.store.hand_back(&claim, None, self.now()).await;
                return;
            }
        };
        let stored = match ended {
            Ok(()) => Ok(()),
            Err(Ended::Lost) => {
                tracing::warn!(run = %id, "another process works on this run now");
                return;
            }
            Err(Ended::Again(error)) => self.failed(&setup, &claim, error, false).await,
            Err(Ended::Final(error)) => self.failed(&setup, &claim, error, true).await,
        };
        if let Err(error) = stored {
            // The lease ends by itself, and the run is claimed again.
            tracing::error!(run = %id, %error, "what came of a run could not be stored");
        }
        self.bell.notify_one();
    }

    async fn attempt(&self, setup: &Setup, claim: &Claim) -> Result<(), Ended> {
        let Run { job: job_name, workspace: name, .. } = &claim.run;
        let (Some(job), Some(workspace)) = (setup.jobs.get(job_name), setup.workspaces.get(name)) else {
            return Err(Ended::Final(format!(
                "the configuration has no job {job_name} for a workspace {name} any more"
            )));
        };
        let request = RunRequest {
            id: claim.run.id,
            job: Some(job_name),
            workspace: name,
            policy: &setup.policy,
            deadline: workspace.deadline,
        };
        let env = Env { connector: &*workspace.connector, store: &*self.store, clock: &*self.clock, progress: &() };
        let read = run::read(&env, &request).await?;
        self.store.advance(claim, RunState::Read).await?;
        let audit = run::judge(&request, read, self.now())?;
        self.store.advance(claim, RunState::Judged).await?;

        let matrix = AccessMatrix::new(&audit.directory, &audit.administrator_profiles);
        let kept = run::pack(&audit, &matrix)?;
        let input = ReportInput::new(&audit, &matrix, &setup.texts);
        let messages = match &job.email {
            Some(email) if deliver::wanted(email.when, &audit) => {
                deliver::messages(&input, &email.attach, &[], &email.from, &email.to, self.now())
                    .map_err(|error| Ended::Final(error.to_string()))?
            }
            _ => Vec::new(),
        };
        let messages: Vec<NewMessage> = messages.into_iter().map(|email| outgoing("report", email)).collect();
        self.store.record(claim, &kept, &messages, self.now()).await?;
        tracing::info!(run = %claim.run.id, users = kept.record.users, messages = messages.len(), "the audit is recorded");
        Ok(())
    }

    /// Prolongs the lease for as long as it can; ends when it is lost.
    async fn keep_lease(&self, claim: &Claim) -> Ended {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(LEASE.num_seconds().unsigned_abs() / 3)).await;
            match self.store.prolong(claim, self.now() + LEASE).await {
                Ok(()) => {}
                Err(StoreError::Lost { .. }) => return Ended::Lost,
                // The lease outlives a store that is away for a moment.
                Err(error) => tracing::warn!(run = %claim.run.id, %error, "the lease could not be prolonged"),
            }
        }
    }

    /// Hands a run back to be tried again, or gives it up and tells the job's recipients.
    async fn failed(&self, setup: &Setup, claim: &Claim, error: String, is_final: bool) -> Result<(), StoreError> {
        let Run { id, job, workspace, attempt, .. } = &claim.run;
        let tried = usize::try_from(*attempt).unwrap_or(usize::MAX).saturating_sub(1);
        if let Some(wait) = WAITS.get(tried).filter(|_| !is_final) {
            tracing::warn!(run = %id, job, workspace, attempt, error, "the run failed and is tried again");
            return self.store.hand_back(claim, Some(&error), self.now() + *wait).await;
        }
        tracing::error!(run = %id, job, workspace, attempt, error, "the run failed and is given up");
        let email = setup.jobs.get(job).and_then(|job| job.email.as_ref());
        let notices = email.into_iter().flat_map(|email| {
            email.to.iter().filter_map(|to| match failure_mail(&claim.run, &error, &email.from, to, self.now()) {
                Ok(notice) => Some(outgoing("failure", notice)),
                Err(problem) => {
                    tracing::error!(%problem, "the notice of a failure cannot be written");
                    None
                }
            })
        });
        let notices: Vec<NewMessage> = notices.collect();
        self.store.give_up(claim, &error, &notices, self.now()).await
    }
}

fn outgoing(kind: &str, email: Email) -> NewMessage {
    NewMessage {
        kind: kind.to_owned(),
        recipient: email.to,
        sender: email.from,
        message_id: email.message_id,
        bytes: email.bytes,
    }
}
