//! Slowing down before a limit that the server tells: one call first, then as many as are left, then none until the
//! limit is lifted.
//!
//! The fields are `ratelimit-remaining` and `ratelimit-reset` (seconds). A server that does not send them is not held up.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::Utc;
use reqwest::header::HeaderMap;
use tokio::{sync::Notify, time::Instant};

use super::wait;

/// Who may call now.
#[derive(Debug, Default)]
pub(in crate::connector) struct Pace {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_flight: u64,
    known: Known,
}

/// What the server has said.
#[derive(Debug, Default, Clone, Copy)]
enum Known {
    /// Nothing yet: one call finds out.
    #[default]
    Untold,
    /// Nothing, in an answer: it does not count.
    Free,
    /// So many calls until then.
    Left(u64, Instant),
}

/// A call that may be made. It is over when this is dropped.
#[derive(Debug)]
pub(in crate::connector) struct Pass<'a>(&'a Pace);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Pace {
    /// Waits for a turn.
    ///
    /// # Errors
    /// How long it would take, where that is not less than `left`.
    pub(in crate::connector) async fn turn(&self, left: Duration) -> Result<Pass<'_>, Duration> {
        loop {
            let changed = self.changed.notified();
            let until = {
                let mut state = self.lock();
                if let Known::Left(_, lifted) = state.known
                    && Instant::now() >= lifted
                {
                    state.known = Known::Untold;
                }
                match state.known {
                    Known::Untold if state.in_flight > 0 => None,
                    Known::Left(0, lifted) => Some(lifted),
                    known => {
                        if let Known::Left(calls, lifted) = known {
                            state.known = Known::Left(calls - 1, lifted);
                        }
                        state.in_flight += 1;
                        return Ok(Pass(self));
                    }
                }
            };
            match until {
                None => changed.await,
                Some(lifted) => {
                    let wait = lifted.saturating_duration_since(Instant::now());
                    if wait >= left {
                        return Err(wait);
                    }
                    tracing::info!(?wait, "the limit is used up; waiting before it is passed");
                    tokio::select! {
                        () = tokio::time::sleep_until(lifted) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// Takes in what an answer says, before the pass of its call is given back.
    pub(in crate::connector) fn answered(&self, headers: &HeaderMap) {
        let remaining = headers.get("ratelimit-remaining").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut state = self.lock();
        let told: Option<(u64, Duration)> = remaining.zip(wait::reset(headers, Utc::now()));
        match (told, state.known) {
            (Some((remaining, reset)), known) => {
                // Calls on their way may or may not be counted already.
                let left = remaining.saturating_sub(state.in_flight.saturating_sub(1));
                let lifted = Instant::now() + reset;
                state.known = match known {
                    // An answer that was overtaken by a later one knows of more calls than there are.
                    Known::Left(calls, until) if remaining > 0 => Known::Left(calls.min(left), until),
                    Known::Left(_, until) => Known::Left(0, until.max(lifted)),
                    Known::Untold | Known::Free => Known::Left(left, lifted),
                };
            }
            (None, Known::Untold) => state.known = Known::Free,
            (None, Known::Free | Known::Left(..)) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(remaining: u64, reset: u64) -> HeaderMap {
        let pairs = [("ratelimit-remaining", remaining), ("ratelimit-reset", reset)];
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), (*value).into())).collect()
    }

    const LONG: Duration = Duration::from_mins(10);

    /// Whether a turn comes at once.
    async fn now(pace: &Pace) -> Option<Pass<'_>> {
        tokio::time::timeout(Duration::from_millis(5), pace.turn(LONG)).await.ok().map(Result::unwrap)
    }

    #[tokio::test]
    async fn the_first_call_finds_out_and_the_rest_are_as_many_as_are_left() {
        let pace = Pace::default();
        let first = now(&pace).await.unwrap();
        assert!(now(&pace).await.is_none());
        pace.answered(&headers(2, 1));
        drop(first);
        let passes = (now(&pace).await.unwrap(), now(&pace).await.unwrap());
        assert!(now(&pace).await.is_none());
        // The later answer comes first; the earlier one must not give back what is gone.
        pace.answered(&headers(0, 1));
        pace.answered(&headers(1, 1));
        drop(passes);
        assert!(now(&pace).await.is_none());
        assert!(pace.turn(Duration::from_millis(100)).await.is_err(), "longer than there is time");
        let began = Instant::now();
        let turn = pace.turn(LONG).await.unwrap();
        assert!(began.elapsed() > Duration::from_millis(500));
        assert!(now(&pace).await.is_none(), "one call finds out again");
        drop(turn);
    }

    #[tokio::test]
    async fn a_server_that_tells_nothing_holds_nobody_up() {
        let pace = Pace::default();
        let first = now(&pace).await.unwrap();
        pace.answered(&HeaderMap::new());
        drop(first);
        let passes = (now(&pace).await, now(&pace).await, now(&pace).await);
        assert!(passes.0.is_some() && passes.1.is_some() && passes.2.is_some());
    }
}
