//! Asks for timestamps beside the rounds, so that nothing else waits for an authority. One that does not answer is asked
//! again, less and less often, and for as long as it takes; a restart asks at once.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Daemon;
use crate::run::timestamps;

/// The wait after the first failure. It is doubled after each further one.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);
/// From when on a failing authority is reported as a problem of the daemon.
const REPORTED_AFTER: TimeDelta = TimeDelta::hours(1);

/// What is known about timestamps.
#[derive(Debug, Default)]
pub(super) struct Stamping {
    is_running: bool,
    /// The last entry of the ledger when everything had its timestamp, or was not due yet.
    looked_at: Option<u64>,
    /// When there is something to ask about, whatever happens until then.
    next: Option<DateTime<Utc>>,
    /// Why nothing is given; `None` if there is no failure.
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    /// When an authority first failed.
    since: DateTime<Utc>,
    /// What waits.
    sentence: String,
    /// How often it was tried.
    tries: u32,
    again_at: DateTime<Utc>,
}

impl Stamping {
    fn is_due(&self, written: Option<u64>, now: DateTime<Utc>) -> bool {
        if self.is_running {
            return false;
        }
        match &self.failing {
            Some(failing) => now >= failing.again_at,
            None => self.looked_at != written || self.next.is_some_and(|next| now >= next),
        }
    }

    fn failed(&mut self, sentence: String, now: DateTime<Utc>) {
        let (since, tries) = self.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.tries));
        let wait = LONGEST_WAIT.min(FIRST_WAIT * (1 << tries.min(6)));
        self.failing = Some(Failing { since, sentence, tries: tries + 1, again_at: now + wait });
    }

    /// Forgets the failures and waits of another configuration.
    pub(super) fn forget(&mut self) {
        *self = Self { is_running: self.is_running, ..Self::default() };
    }

    /// A sentence about a failure that lasts.
    pub(super) fn warning(&self, now: DateTime<Utc>) -> Option<String> {
        let failing = self.failing.as_ref().filter(|failing| now - failing.since >= REPORTED_AFTER)?;
        Some(failing.sentence.clone())
    }
}

impl Daemon {
    /// Begins to ask for timestamps if there may be something to ask about.
    pub(super) fn stamp(self: &Arc<Self>) {
        let setup = self.setup();
        if setup.vault.as_ref().is_none_or(|vault| vault.timestamps.is_none()) {
            return;
        }
        let now = self.now();
        let mut state = self.state();
        let written = state.written.map(|written| written.number);
        if !state.stamping.is_due(written, now) {
            return;
        }
        state.stamping.is_running = true;
        drop(state);
        let daemon = Arc::clone(self);
        self.background.spawn(async move {
            let Some(vault) = &setup.vault else { return };
            let done = timestamps::pass(&*daemon.store, vault, &daemon.clock).await;
            let now = daemon.now();
            let mut state = daemon.state();
            let stamping = &mut state.stamping;
            stamping.is_running = false;
            match done {
                Ok(Some(pass)) => {
                    for given in &pass.given {
                        tracing::info!(authority = given.authority, time = %given.time, "a timestamp was given");
                    }
                    stamping.looked_at = written;
                    stamping.next = pass.next;
                    if let Some(waits) = pass.waits {
                        let since = waits.since.format("%Y-%m-%d %H:%M UTC");
                        let sentence = format!("the evidence since {since} waits for a timestamp: {}", waits.reason);
                        tracing::warn!("{sentence}");
                        stamping.failed(sentence, now);
                    } else {
                        stamping.failing = None;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "a timestamp could not be kept");
                    stamping.failed(format!("a timestamp could not be kept: {error}"), now);
                }
            }
            drop(state);
            daemon.wake.notify_one();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_fails_is_asked_less_and_less_often_and_reported_when_that_lasts() {
        let mut stamping = Stamping::default();
        let mut now = DateTime::UNIX_EPOCH;
        let mut waits = Vec::new();
        for _ in 0..9 {
            assert!(stamping.is_due(Some(1), now));
            stamping.failed("it waits".to_owned(), now);
            let again_at = stamping.failing.as_ref().unwrap().again_at;
            assert!(!stamping.is_due(Some(2), again_at - TimeDelta::seconds(1)));
            waits.push((again_at - now).num_minutes());
            now = again_at;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(stamping.warning(DateTime::UNIX_EPOCH + TimeDelta::minutes(59)), None);
        assert_eq!(stamping.warning(now).as_deref(), Some("it waits"));
    }

    #[test]
    fn nothing_is_asked_while_nothing_happens() {
        let now = DateTime::UNIX_EPOCH;
        let mut stamping = Stamping { looked_at: Some(7), ..Stamping::default() };
        assert!(!stamping.is_due(Some(7), now) && stamping.is_due(Some(8), now));
        stamping.next = Some(now + TimeDelta::hours(1));
        assert!(!stamping.is_due(Some(7), now) && stamping.is_due(Some(7), now + TimeDelta::hours(1)));
        stamping.is_running = true;
        assert!(!stamping.is_due(Some(8), now));
    }
}
