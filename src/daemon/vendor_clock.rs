//! Compares this machine's clock with the date of the vendor's answers, where a wrong clock would do lasting harm: before
//! fire times are decided late, and if a job is decided up to a time in the future.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Daemon, Setup, in_force::Terms};
use crate::{ledger::timeline::TOLERANCE, store::StoreError};

/// How long an answer is waited for: nothing else is decided meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many workspaces are asked one after another, if none of them answers.
const MOST_ASKED: usize = 5;
/// How soon the clock is compared again.
pub(super) const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Why a schedule is taken back, for the ledger.
const TAKEN_BACK: &str =
    "a clock was ahead when the schedule was decided; the vendor's answers say that it is right now";

impl Daemon {
    /// How far the vendor's clock is ahead of this machine's; `None` if no workspace of a job answers.
    pub(super) async fn vendor_ahead(&self, setup: &Setup, terms: &Terms) -> Option<TimeDelta> {
        for name in terms.workspaces.iter().take(MOST_ASKED) {
            let Some(workspace) = setup.workspaces.get(name) else { continue };
            let survey = tokio::time::timeout(PATIENCE, workspace.connector.survey()).await;
            if let Some(ahead) = survey.ok().and_then(Result::ok).and_then(|survey| survey.clock_ahead) {
                return Some(ahead);
            }
        }
        None
    }

    /// Whether the vendor's answers contradict this machine's clock. If no vendor answers, nothing does.
    pub(super) async fn is_ahead(&self, setup: &Setup, name: &str, terms: &Terms, now: DateTime<Utc>) -> bool {
        let ahead = self.vendor_ahead(setup, terms).await.filter(|vendor| *vendor < -TOLERANCE);
        let mut state = self.state();
        let Some(ahead) = ahead else {
            state.ahead.remove(name);
            return false;
        };
        let minute = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC").to_string();
        let sentence = format!(
            "{name}: the clock says {}, but the vendor's answers say {}: nothing is decided until they agree. Set the clock right",
            minute(now),
            minute(now + ahead)
        );
        tracing::error!(job = name, "{sentence}");
        state.ahead.insert(name.to_owned(), sentence);
        true
    }

    /// Takes the schedule of a job back that is decided up to a time in the future, if the vendor's answers say that the
    /// clock is right now. Returns whether it was.
    pub(super) async fn repair(
        &self,
        setup: &Setup,
        name: &str,
        terms: &Terms,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        if self.vendor_ahead(setup, terms).await.is_none_or(|ahead| ahead.abs() > TOLERANCE) {
            return Ok(false);
        }
        let to = self.store.take_back(name, TAKEN_BACK, now).await?;
        if let Some(to) = to {
            tracing::error!(job = name, %to, "the schedule was decided by a clock that was ahead; it is taken back");
        }
        Ok(to.is_some())
    }
}
