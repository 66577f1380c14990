//! Ticks every second. It does not know what is due: that is decided from stored cursors.

use std::sync::Arc;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::Daemon;

/// Every second, in the scheduler's six fields.
const EVERY_SECOND: &str = "* * * * * *";

/// The ticker cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("the ticker cannot be started: {0}")]
pub struct TickerError(#[from] JobSchedulerError);

/// A running ticker.
pub(super) struct Ticker(JobScheduler);

pub(super) async fn start(daemon: Arc<Daemon>) -> Result<Ticker, TickerError> {
    let scheduler = JobScheduler::new().await?;
    let tick = Job::new_async(EVERY_SECOND, move |_, _| {
        daemon.wake.notify_one();
        Box::pin(std::future::ready(()))
    })?;
    scheduler.add(tick).await?;
    scheduler.start().await?;
    Ok(Ticker(scheduler))
}

impl Ticker {
    pub(super) async fn stop(&mut self) {
        if let Err(error) = self.0.shutdown().await {
            tracing::debug!(%error, "the ticker did not stop by itself");
        }
    }
}
