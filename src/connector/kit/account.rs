//! What one read has cost so far, how long it may go on, and the recorder of its answers.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::header::DATE;
use tokio::time::Instant;

use super::{
    exchange,
    session::{Answer, CallError},
};
use crate::{
    connector::contract::{Exchange, Needed, Recorder},
    model::clock_skew::ClockSkew,
};

/// How long a single look-up may take.
pub(in crate::connector) const LOOK_UP: Duration = Duration::from_mins(5);

/// What one read has cost so far, how long it may go on, and the recorder of its answers.
#[derive(Debug)]
pub(in crate::connector) struct Account {
    recorder: Option<Arc<dyn Recorder>>,
    answered: Arc<AtomicU64>,
    /// Bytes of all answers, also of those that were not needed.
    received: Arc<AtomicU64>,
    deadline: Instant,
    costs: Mutex<Costs>,
    needed: Needed,
}

/// What calls have cost.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::connector) struct Costs {
    /// Answers of the API.
    pub(super) answers: u64,
    /// Calls for a token.
    pub(super) token_calls: u64,
    /// Calls that brought no answer.
    pub(super) unanswered: u64,
    /// Calls that were repeated.
    pub(super) retries: u64,
    /// Bytes of the answers of the API, decompressed.
    pub(super) bytes: u64,
    /// Answers with characters that are not text, which were replaced.
    pub(super) repaired: u64,
    /// What the answers say about this machine's clock.
    pub(super) clock: ClockSkew,
}

impl Account {
    /// An account of a read that may take this long.
    pub(in crate::connector) fn new(deadline: Duration) -> Self {
        let needed = Needed::default();
        needed.confirm();
        Self {
            recorder: None,
            answered: Arc::default(),
            received: Arc::default(),
            deadline: Instant::now() + deadline,
            costs: Mutex::default(),
            needed,
        }
    }

    /// The same account, whose answers are recorded.
    #[must_use]
    pub(super) fn recorded_by(mut self, recorder: Option<Arc<dyn Recorder>>) -> Self {
        self.recorder = recorder;
        self
    }

    /// An account of the same read for a call that is made ahead: what it costs counts, and its answers are kept, only
    /// once it is settled ([`settle`](Self::settle)). Which calls are made ahead in vain is chance.
    #[must_use]
    pub(in crate::connector) fn ahead(&self) -> Self {
        Self {
            recorder: self.recorder.clone(),
            answered: Arc::clone(&self.answered),
            received: Arc::clone(&self.received),
            deadline: self.deadline,
            costs: Mutex::default(),
            needed: Needed::default(),
        }
    }

    /// A call that was made ahead was needed.
    pub(in crate::connector) fn settle(&self, ahead: &Self) {
        ahead.needed.confirm();
        let more = ahead.costs();
        let mut costs = self.lock();
        costs.answers += more.answers;
        costs.token_calls += more.token_calls;
        costs.unanswered += more.unanswered;
        costs.retries += more.retries;
        costs.bytes += more.bytes;
        costs.repaired += more.repaired;
        costs.clock.join(more.clock);
    }

    /// Counts a call, and records its answer.
    pub(super) fn called(&self, request: String, outcome: &Result<Answer, CallError>) {
        let Ok(answer) = outcome else {
            self.lock().unanswered += 1;
            return;
        };
        let bytes = answer.body.len();
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder {
            let number = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
            let exchange = exchange::exchange(number, request, answer);
            recorder.answered(&Exchange { needed: self.needed.clone(), ..exchange });
        }
        let mut costs = self.lock();
        costs.answers += 1;
        costs.bytes += bytes as u64;
        if let Some(date) = answer.headers.get(DATE).and_then(|date| date.to_str().ok()) {
            costs.clock.note(answer.asked_at, answer.answered_at, date);
        }
    }

    /// Bytes of all answers of the read so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts a token request.
    pub(in crate::connector) fn token_called(&self) {
        self.lock().token_calls += 1;
    }

    /// A call is repeated.
    pub(in crate::connector) fn retried(&self) {
        self.lock().retries += 1;
    }

    /// An answer had characters that are not text, which were replaced.
    pub(in crate::connector) fn repaired(&self) {
        self.lock().repaired += 1;
    }

    /// How long the read may still take.
    pub(in crate::connector) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn costs(&self) -> Costs {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Costs> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
