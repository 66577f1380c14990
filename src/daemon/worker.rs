//! Works on one run: reads, judges, records. The outbox sends.

use chrono::Duration;
use tokio_util::sync::CancellationToken;

use super::{Count, Daemon, Setup};
use crate::{
    ledger::Fact,
    mail::notice::Notice,
    model::{
        notification::Notification,
        run::{Claim, Run},
    },
    notify::{
        email::{self, Addresses},
        heartbeat::{self, Beat},
    },
    run::{
        Env, Retry,
        deliver::Mail,
        lease,
        perform::{AuditRun, Commit, Failed, Step},
        together,
    },
    store::StoreError,
};

/// The waits before the second and each further attempt; after the last one a run is given up.
const WAITS: [Duration; 4] = [Duration::minutes(1), Duration::minutes(5), Duration::minutes(15), Duration::minutes(40)];

/// A run that was claimed this often and never finished probably crashes the process: it is given up.
const MOST_ATTEMPTS: u32 = 10;

/// Why an attempt ended without an audit.
enum AttemptError {
    /// Another process has claimed the run.
    Lost,
    /// It failed, and another attempt may succeed.
    Again(String),
    /// It failed, and will fail again until something is changed.
    Final(String),
}

impl From<Failed> for AttemptError {
    fn from(failed: Failed) -> Self {
        match failed.retry() {
            Retry::Lost => Self::Lost,
            Retry::Later => Self::Again(failed.to_string()),
            Retry::Never => Self::Final(failed.to_string()),
        }
    }
}

impl Daemon {
    /// Works on a run until its audit is recorded, or records why not. When `shutdown_now` is cancelled, the run is
    /// released for another process.
    pub(super) async fn work(&self, claim: Claim, shutdown_now: CancellationToken) {
        let setup = self.setup();
        let Run { id, job, workspace, fire_at, attempt, .. } = &claim.run;
        tracing::info!(run = %id, job, workspace, %fire_at, attempt, "starting a run");
        if claim.fence == 1 {
            self.ping_start(&setup, job);
        }
        let ended = tokio::select! {
            ended = self.attempt(&setup, &claim) => ended,
            _ = lease::keep(&*self.store, &claim, setup.limits.lease, &self.clock) => Err(AttemptError::Lost),
            () = shutdown_now.cancelled() => {
                match self.store.release(&claim, None, self.now(), self.now()).await {
                    Ok(()) => tracing::info!(run = %id, "released the run"),
                    Err(error) => tracing::error!(run = %id, %error, "the run could not be released"),
                }
                return;
            }
        };
        let stored = match ended {
            Ok(()) => Ok(()),
            Err(AttemptError::Lost) => {
                tracing::warn!(run = %id, "another process has claimed this run");
                return;
            }
            Err(AttemptError::Again(error)) => match wait_after(*attempt) {
                Some(wait) => self.retry_later(&claim, &error, wait).await,
                None => self.give_up(&setup, &claim, &error).await,
            },
            Err(AttemptError::Final(error)) => self.give_up(&setup, &claim, &error).await,
        };
        if let Err(error) = stored {
            // The lease expires, and the run is claimed again.
            tracing::error!(run = %id, %error, "the result of a run could not be stored");
        }
        self.wake.notify_one();
    }

    /// Whether the schedule in force has a workspace of a job, which this daemon's own configuration may lack.
    async fn is_promised(&self, job: &str, workspace: &String) -> Result<bool, StoreError> {
        let kind = Fact::Schedule { job: job.to_owned(), terms: None };
        let last = self.store.last(kind.kind(), job).await?;
        Ok(matches!(
            last.map(|entry| entry.fact),
            Some(Fact::Schedule { terms: Some(terms), .. }) if terms.workspaces.contains(workspace)
        ))
    }

    async fn attempt(&self, setup: &Setup, claim: &Claim) -> Result<(), AttemptError> {
        let Run { id, job: job_name, workspace: name, attempt, error, .. } = &claim.run;
        let policy = setup.policies.get(&(job_name.clone(), name.clone()));
        let (Some(job), Some(workspace), Some(policy)) = (setup.jobs.get(job_name), setup.workspaces.get(name), policy)
        else {
            // Another replica may have taken over a file or a configuration that this one has not seen yet.
            let is_promised = self.is_promised(job_name, name).await;
            return Err(if is_promised.map_err(|error| AttemptError::Again(error.to_string()))? {
                AttemptError::Again(format!(
                    "the configuration of this daemon has no job {job_name} with a workspace {name} yet, and another one's has"
                ))
            } else {
                AttemptError::Final(format!("the configuration no longer has a job {job_name} with a workspace {name}"))
            });
        };
        if *attempt > MOST_ATTEMPTS {
            let last = error.as_deref().unwrap_or("the process ended during each of them");
            return Err(AttemptError::Final(format!("{MOST_ATTEMPTS} attempts did not finish: {last}")));
        }
        let env = Env {
            connector: &*workspace.connector,
            store: &*self.store,
            vault: setup.vault.as_ref(),
            clock: &self.clock,
            progress: &(),
            rosters: &setup.rosters,
        };
        let run = AuditRun {
            env,
            workspace: name,
            policy,
            deadline: workspace.deadline,
            commit: Commit::Record { claim, on_demand: false },
            mail: Mail::of_job(job.email.as_ref()),
            reports: None,
            is_last_attempt: wait_after(*attempt).is_none(),
        };
        let on_step = |step: Step<'_>| match step {
            Step::ClockBehind(behind) => tracing::warn!(run = %id, "{behind}"),
            Step::Sealed(sealed) => {
                tracing::info!(run = %id, bag = sealed.place, digest = sealed.bag.sha256, "sealed the evidence");
            }
            Step::Judged(_) | Step::Written(_) => {}
        };
        let performed = run.perform(&on_step).await?;
        tracing::info!(run = %id, users = performed.record.users, messages = performed.messages, "recorded the audit");
        Ok(())
    }

    async fn retry_later(&self, claim: &Claim, error: &str, wait: Duration) -> Result<(), StoreError> {
        let Run { id, job, workspace, attempt, .. } = &claim.run;
        tracing::warn!(run = %id, job, workspace, attempt, error, "the run failed; it will be retried");
        self.count(Count::Attempt { job: job.clone(), workspace: workspace.clone(), outcome: "retried" });
        self.store.release(claim, Some(error), self.now() + wait, self.now()).await
    }

    /// Gives up a run and notifies the job's recipients.
    async fn give_up(&self, setup: &Setup, claim: &Claim, error: &str) -> Result<(), StoreError> {
        let Run { id, job, workspace, attempt, .. } = &claim.run;
        tracing::error!(run = %id, job, workspace, attempt, error, "the run failed; giving up");
        if !self.give_up_together(setup, claim, error).await? {
            let mut notifications = self.failure_notices(setup, claim, error).await?;
            notifications.extend(failure_ping(setup, claim));
            self.store.give_up(claim, error, &notifications, self.now()).await?;
        }
        self.count(Count::Attempt { job: job.clone(), workspace: workspace.clone(), outcome: "failed" });
        Ok(())
    }

    /// Gives up a run whose failure the message of its fire time says; false, and does nothing, if there is no such message,
    /// or if it is written already.
    async fn give_up_together(&self, setup: &Setup, claim: &Claim, error: &str) -> Result<bool, StoreError> {
        let email = setup.jobs.get(&claim.run.job).and_then(|job| job.email.as_ref());
        let Some(email) = email else { return Ok(false) };
        if !together::is_together(&*self.store, email, &claim.run).await? {
            return Ok(false);
        }
        let ping = failure_ping(setup, claim);
        self.store.give_up_share(claim, error, &together::terms(email)?, ping.as_slice(), self.now()).await
    }

    /// The notices about a run that was given up.
    async fn failure_notices(
        &self,
        setup: &Setup,
        claim: &Claim,
        error: &str,
    ) -> Result<Vec<Notification>, StoreError> {
        let email = setup.jobs.get(&claim.run.job).and_then(|job| job.email.as_ref());
        let Some(email) = email else { return Ok(Vec::new()) };
        let (run, fence) = (&claim.run, claim.fence.to_string());
        let notice = Notice::failure(run, &fence, error, &self.store.head().await?);
        let addresses = Addresses { from: &email.from, to: &email.to };
        Ok(email::notices(&notice, run.id, &fence, addresses, self.now()))
    }
}

/// The ping about a run that was given up; `None` if nobody watches the job.
fn failure_ping(setup: &Setup, claim: &Claim) -> Option<Notification> {
    let about = format!("run {} claim {}", claim.run.id, claim.fence);
    let is_watched = setup.jobs.get(&claim.run.job)?.heartbeat.is_some();
    is_watched.then(|| heartbeat::notification(&claim.run, Beat::Failure, &about))
}

/// The wait before the next attempt; `None` after the last one.
fn wait_after(attempt: u32) -> Option<Duration> {
    let earlier = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
    WAITS.get(earlier).copied()
}
