//! Slows down before a limit that the server announces, and holds all calls back once it is reached: one call first, then
//! as many as are left, then none until the limit is lifted.
//!
//! The fields are `ratelimit-remaining` and `ratelimit-reset` (seconds); after a 429 `Retry-After` comes before them. A
//! server that does not send them is not held up.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use reqwest::{StatusCode, header::HeaderMap};
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
    /// The calls in flight, and for each the lowest remaining number that an answer has stated since it began.
    in_flight: BTreeMap<u64, Option<u64>>,
    /// Passes that were given so far.
    passes: u64,
    known: Known,
    /// How many processes make calls within the same limit; 0 stands for one.
    parts: u64,
}

/// What the server's answers say about the limit.
#[derive(Debug, Default, Clone, Copy)]
enum Known {
    /// Nothing yet: one call finds out.
    #[default]
    Nothing,
    /// Nothing, in an answer: it does not count.
    Free,
    /// So many calls until then.
    Left(Left),
    /// No calls until then: there were too many.
    Held(Instant),
}

/// What an answer leaves to be done.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// The pass of the call that it answers.
    by: u64,
    /// Calls that may be made.
    calls: u64,
    /// When the limit is lifted.
    lifted: Instant,
}

/// A call that may be made. It is over when this is dropped.
#[derive(Debug)]
pub(in crate::connector) struct Pass<'a> {
    pace: &'a Pace,
    /// Which one it is, counted as they were given.
    number: u64,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.pace.lock().in_flight.remove(&self.number);
        self.pace.changed.notify_waiters();
    }
}

impl Pace {
    /// The pace of a server that never says how many calls are left: no call has to find that out.
    pub(in crate::connector) fn unannounced() -> Self {
        Self { state: Mutex::new(State { known: Known::Free, ..State::default() }), changed: Notify::new() }
    }

    /// From now on, this many processes divide the calls that are left.
    pub(super) fn divide(&self, parts: usize) {
        self.lock().parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// The wait, if it is not shorter than `left`.
    pub(in crate::connector) async fn turn(&self, left: Duration) -> Result<Pass<'_>, Duration> {
        loop {
            let changed = self.changed.notified();
            let until = match self.lock().take() {
                Ok(number) => return Ok(Pass { pace: self, number }),
                Err(until) => until,
            };
            match until {
                None => changed.await,
                Some(lifted) => {
                    let wait = lifted.saturating_duration_since(Instant::now());
                    if wait >= left {
                        return Err(wait);
                    }
                    tracing::info!(?wait, "the limit is used up; waiting until it is lifted");
                    tokio::select! {
                        () = tokio::time::sleep_until(lifted) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// Takes in what the answer to a call says, before its pass is given back. `at` is when it was answered.
    pub(in crate::connector) fn answered(
        &self,
        pass: &Pass<'_>,
        status: StatusCode,
        headers: &HeaderMap,
        at: DateTime<Utc>,
    ) {
        let now = Instant::now();
        let asked = (status == StatusCode::TOO_MANY_REQUESTS).then(|| wait::asked(headers, at)).flatten();
        let remaining = headers.get("ratelimit-remaining").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let announced: Option<(u64, Duration)> = remaining.zip(wait::reset(headers, at));
        let mut state = self.lock();
        let calls = announced.map(|(remaining, _)| state.left_after(pass.number, remaining));
        state.known = match (state.known, asked, announced.zip(calls)) {
            // All calls wait, not only the one that was refused.
            (Known::Held(until), Some(wait), _) => Known::Held(until.max(after(now, wait))),
            (_, Some(wait), _) => Known::Held(after(now, wait)),
            // What was on its way when the limit was met knows of more calls than there are.
            (Known::Held(until), None, _) if now < until => Known::Held(until),
            // An answer that was overtaken may say that more is left than was known, and never that less is.
            (Known::Left(left), None, Some((_, calls))) if pass.number < left.by => {
                Known::Left(Left { calls: left.calls.max(calls), ..left })
            }
            (_, None, Some(((_, reset), calls))) => {
                Known::Left(Left { by: pass.number, calls, lifted: after(now, reset) })
            }
            (Known::Nothing | Known::Held(_), None, None) => Known::Free,
            (known @ (Known::Free | Known::Left(_)), None, None) => known,
        };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a wait. If that is later than a clock can hold, ten years.
fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now + Duration::from_hours(87_600))
}

impl State {
    /// The number of a new pass, or until when to wait; `None` if only an answer can say.
    fn take(&mut self) -> Result<u64, Option<Instant>> {
        if let Known::Left(Left { lifted, .. }) | Known::Held(lifted) = self.known
            && Instant::now() >= lifted
        {
            self.known = Known::Nothing;
        }
        match &mut self.known {
            Known::Nothing if !self.in_flight.is_empty() => return Err(None),
            Known::Nothing | Known::Free => {}
            Known::Held(lifted) => return Err(Some(*lifted)),
            Known::Left(left) if left.calls == 0 => return Err(Some(left.lifted)),
            Known::Left(left) => left.calls -= 1,
        }
        self.passes += 1;
        self.in_flight.insert(self.passes, None);
        Ok(self.passes)
    }

    /// How many calls are certainly left, given the number that an answer states for the moment of its call.
    ///
    /// The server may have come to calls that were made at the same time before this one or after it, in whatever order
    /// the answers arrive. Of those that were answered since this call began, the one that it came to last says the
    /// least; of those that are still on their way, it may have counted none.
    fn left_after(&mut self, number: u64, remaining: u64) -> u64 {
        let least = self.in_flight.get(&number).copied().flatten().map_or(remaining, |least| least.min(remaining));
        let mut others = 0;
        for (_, least) in self.in_flight.iter_mut().filter(|(other, _)| **other != number) {
            *least = Some(least.map_or(remaining, |least| least.min(remaining)));
            others += 1;
        }
        // The calls of the others are in what an answer states, but only up to now.
        least.saturating_sub(others) / self.parts.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, u64)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), (*value).into())).collect()
    }

    /// Takes in an answer that says how many calls are left, and for how many seconds.
    fn left(pace: &Pace, pass: &Pass<'_>, remaining: u64, reset: u64) {
        let headers = headers(&[("ratelimit-remaining", remaining), ("ratelimit-reset", reset)]);
        pace.answered(pass, StatusCode::OK, &headers, AT);
    }

    /// When calls are answered; no header here holds a date.
    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;
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
        left(&pace, &first, 2, 1);
        drop(first);
        let (second, third) = (now(&pace).await.unwrap(), now(&pace).await.unwrap());
        assert!(now(&pace).await.is_none());
        // The later answer comes first; the earlier one must not give back what is gone.
        left(&pace, &third, 0, 1);
        left(&pace, &second, 1, 1);
        drop((second, third));
        assert!(now(&pace).await.is_none());
        assert!(pace.turn(Duration::from_millis(100)).await.is_err(), "longer than there is time");
        let began = Instant::now();
        let turn = pace.turn(LONG).await.unwrap();
        assert!(began.elapsed() > Duration::from_millis(500));
        assert!(now(&pace).await.is_none(), "one call finds out again");
        drop(turn);
    }

    #[tokio::test]
    async fn each_of_three_processes_makes_a_third_of_the_calls_that_are_left() {
        let pace = Pace::default();
        pace.divide(3);
        let first = now(&pace).await.unwrap();
        left(&pace, &first, 7, 60);
        drop(first);
        let both = (now(&pace).await.unwrap(), now(&pace).await.unwrap());
        assert!(now(&pace).await.is_none());
        drop(both);
    }

    #[tokio::test]
    async fn a_server_that_announces_nothing_holds_no_call_back() {
        let pace = Pace::default();
        let first = now(&pace).await.unwrap();
        pace.answered(&first, StatusCode::OK, &HeaderMap::new(), AT);
        drop(first);
        let passes = (now(&pace).await, now(&pace).await, now(&pace).await);
        assert!(passes.0.is_some() && passes.1.is_some() && passes.2.is_some());
        let pace = Pace::unannounced();
        assert!(now(&pace).await.is_some_and(|_one| true));
    }

    #[tokio::test]
    async fn while_every_answer_says_that_calls_are_left_no_call_waits() {
        // As many as are left in every answer, for ever: one call after another, and several at a time.
        for (remaining, at_once) in [(4, 1), (109, 1), (4, 3), (1, 4)] {
            let pace = Pace::default();
            let mut passes = vec![now(&pace).await.unwrap()];
            for _ in 0..200 {
                let pass = passes.remove(0);
                left(&pace, &pass, remaining, 60);
                drop(pass);
                while passes.len() < at_once {
                    match now(&pace).await {
                        Some(pass) => passes.push(pass),
                        None => break,
                    }
                }
                assert!(!passes.is_empty(), "{remaining} are left of {at_once} at once, and none is made");
            }
        }
    }

    #[tokio::test]
    async fn answers_in_whatever_order_neither_pass_the_limit_nor_hold_up_what_is_left() {
        // What the answers to two calls at the same time say, in the order in which they come. One is left in the end.
        for (is_reversed, first, then) in [(false, 2, 1), (false, 1, 2), (true, 2, 1), (true, 1, 2)] {
            let pace = Pace::default();
            let finds_out = now(&pace).await.unwrap();
            left(&pace, &finds_out, 3, 60);
            drop(finds_out);
            let (mut one, mut other) = (now(&pace).await.unwrap(), now(&pace).await.unwrap());
            if is_reversed {
                std::mem::swap(&mut one, &mut other);
            }
            left(&pace, &one, first, 60);
            drop(one);
            left(&pace, &other, then, 60);
            drop(other);
            let last = now(&pace).await.unwrap();
            assert!(now(&pace).await.is_none(), "one was left: {is_reversed} {first} {then}");
            drop(last);
        }
    }

    /// A server that counts as Truto does, calls that it comes to in any order, and answers that arrive in any order.
    #[tokio::test]
    async fn an_honest_count_is_never_passed_and_used_up() {
        for seed in 0..200_u64 {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
            let mut pick = |of: usize| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::try_from(random >> 33).unwrap() % of
            };
            let (pace, limit) = (Pace::default(), 20);
            let (mut sent, mut done, mut made) = (Vec::new(), Vec::new(), 0_u64);
            loop {
                let under_way = sent.len() + done.len();
                if under_way == 0 || (under_way < 4 && pick(2) == 0) {
                    match pace.lock().take() {
                        Ok(number) => sent.push(Pass { pace: &pace, number }),
                        Err(_) if under_way == 0 => break,
                        Err(_) => {}
                    }
                } else if !sent.is_empty() && (done.is_empty() || pick(2) == 0) {
                    let pass = sent.swap_remove(pick(sent.len()));
                    made += 1;
                    assert!(made <= limit, "seed {seed}: passed");
                    done.push((pass, limit - made));
                } else {
                    let (pass, remaining) = done.swap_remove(pick(done.len()));
                    left(&pace, &pass, remaining, 600);
                }
            }
            assert_eq!(made, limit, "seed {seed}: held up");
        }
    }

    #[tokio::test]
    async fn a_call_that_is_asked_to_wait_makes_all_calls_wait_as_long() {
        let pace = Pace::unannounced();
        let (one, other, last) = (now(&pace).await.unwrap(), now(&pace).await.unwrap(), now(&pace).await.unwrap());
        let announced = headers(&[("retry-after", 1), ("ratelimit-remaining", 0), ("ratelimit-reset", 60)]);
        pace.answered(&one, StatusCode::TOO_MANY_REQUESTS, &announced, AT);
        // Both were on their way already, and one of them was refused for a shorter time.
        left(&pace, &other, 7, 60);
        pace.answered(&last, StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", 0)]), AT);
        drop((one, other, last));
        assert!(now(&pace).await.is_none());
        let began = Instant::now();
        let turn = pace.turn(LONG).await.unwrap();
        assert!((Duration::from_millis(500)..Duration::from_secs(5)).contains(&began.elapsed()));
        pace.answered(&turn, StatusCode::OK, &HeaderMap::new(), AT);
        assert!(now(&pace).await.is_some_and(|_one| true), "no limit is announced any more");
        drop(turn);
    }
}
