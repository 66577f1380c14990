//! One HTTP call after another, bounded in every way: in flight, in time, in size. No redirects.
//!
//! [`Session`] makes single calls; [`wait`] decides how long to wait before the next try. What an answer means
//! is the connector's business.

pub(in crate::connector) mod exchange;
pub(in crate::connector) mod mask;
pub(in crate::connector) mod pace;
pub mod wait;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{DATE, HeaderMap},
    redirect::Policy,
};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

use super::{ConnectorError, Exchange, Needed, Recorder};
use crate::model::clock_skew::ClockSkew;

/// The bounds of a session.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls in flight at once.
    pub concurrency: usize,
    /// Tries of one call before it has failed.
    pub attempts: u32,
    /// The longest wait before the second try; each further try doubles it.
    pub backoff: Duration,
    /// The longest wait that is not the server's wish.
    pub backoff_cap: Duration,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How large an answer may be, in bytes, decompressed.
    pub max_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 4,
            attempts: 6,
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_mins(1),
            call_timeout: Duration::from_mins(1),
            max_body: 16 << 20,
        }
    }
}

/// What one read has cost so far, until when it may go on, and who keeps its answers.
#[derive(Debug)]
pub struct Account {
    recorder: Option<Arc<dyn Recorder>>,
    answered: Arc<AtomicU64>,
    deadline: Instant,
    costs: Mutex<Costs>,
    /// Whether its calls turned out to be needed.
    needed: Needed,
}

/// What calls have cost, and what their answers said of the clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Costs {
    /// Answers of the API.
    pub answers: u64,
    /// Calls for a token.
    pub token_calls: u64,
    /// Calls that brought no answer.
    pub unanswered: u64,
    /// Calls that were repeated.
    pub retries: u64,
    /// Bytes of the answers of the API, decompressed.
    pub bytes: u64,
    /// The clock.
    pub clock: ClockSkew,
}

impl Account {
    /// An account of a read that may take so long.
    pub fn new(deadline: Duration) -> Self {
        let needed = Needed::default();
        needed.confirm();
        Self {
            recorder: None,
            answered: Arc::default(),
            deadline: Instant::now() + deadline,
            costs: Mutex::default(),
            needed,
        }
    }

    /// The same account, whose answers somebody keeps.
    #[must_use]
    pub fn recorded_by(mut self, recorder: Option<Arc<dyn Recorder>>) -> Self {
        self.recorder = recorder;
        self
    }

    /// An account of the same read for a call that is made ahead: what it costs counts, and its answers are kept, only
    /// once it is settled ([`settle`](Self::settle)). Which calls are made ahead in vain is chance.
    #[must_use]
    pub fn ahead(&self) -> Self {
        Self {
            recorder: self.recorder.clone(),
            answered: Arc::clone(&self.answered),
            deadline: self.deadline,
            costs: Mutex::default(),
            needed: Needed::default(),
        }
    }

    /// A call that was made ahead was needed.
    pub fn settle(&self, ahead: &Self) {
        ahead.needed.confirm();
        let more = ahead.costs();
        let mut costs = self.lock();
        costs.answers += more.answers;
        costs.token_calls += more.token_calls;
        costs.unanswered += more.unanswered;
        costs.retries += more.retries;
        costs.bytes += more.bytes;
        costs.clock.join(more.clock);
    }

    /// Counts what came of a call of the API made at a time, and hands an answer to whoever keeps it; `token` is masked in
    /// it.
    pub(in crate::connector) fn called(
        &self,
        request: String,
        asked_at: DateTime<Utc>,
        came: &Result<Answer, CallError>,
        token: &str,
    ) {
        let Ok(answer) = came else {
            self.lock().unanswered += 1;
            return;
        };
        // As exact as they are written down: who compares them again must come to the same.
        let (asked_at, answered_at) = (asked_at.trunc_subsecs(3), Utc::now().trunc_subsecs(3));
        let mut bytes = answer.body.len();
        if let Some(recorder) = &self.recorder {
            let number = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
            let exchange = exchange::exchange(number, request, (asked_at, answered_at), answer, token);
            let exchange = Exchange { needed: self.needed.clone(), ..exchange };
            bytes = exchange.body.len();
            recorder.answered(&exchange);
        }
        let mut costs = self.lock();
        costs.answers += 1;
        costs.bytes += bytes as u64;
        if let Some(date) = answer.headers.get(DATE).and_then(|date| date.to_str().ok()) {
            costs.clock.note(asked_at, answered_at, date);
        }
    }

    /// A token is asked for.
    pub fn token_called(&self) {
        self.lock().token_calls += 1;
    }

    /// A call is repeated.
    pub fn retried(&self) {
        self.lock().retries += 1;
    }

    /// How long the read may still take.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// What the read has cost so far.
    pub fn costs(&self) -> Costs {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Costs> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

impl Answer {
    /// The same, whose body does not quote a secret of ours. A server may echo what it was sent, and what an error says is
    /// printed, logged and kept.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        if let Some(body) = mask::body(&self.body, secret) {
            self.body = body;
        }
        self
    }
}

/// Why a call brought no answer.
#[derive(Debug)]
pub enum CallError {
    /// The connection or the answer broke off, or took too long: worth another try.
    Broken(String),
    /// The answer is larger than we take.
    TooLarge(usize),
    /// The server redirects.
    Redirect(u16),
}

/// Makes calls.
#[derive(Debug)]
pub struct Session {
    client: reqwest::Client,
    permits: Semaphore,
    limits: Limits,
}

impl Session {
    /// A session with these bounds.
    ///
    /// # Errors
    /// [`ConnectorError::Setup`] where the TLS library cannot be set up.
    pub fn new(limits: Limits) -> Result<Self, ConnectorError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(limits.call_timeout.min(Duration::from_secs(20)))
            .timeout(limits.call_timeout)
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| ConnectorError::Setup(error.to_string()))?;
        Ok(Self { client, permits: Semaphore::new(limits.concurrency), limits })
    }

    /// Its bounds.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A request.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Makes one call, once.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn call(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.permits.acquire().await;
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return Err(CallError::Redirect(status.as_u16()));
        }
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(self.limits.max_body));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > self.limits.max_body {
                return Err(CallError::TooLarge(self.limits.max_body));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body: body.into() })
    }
}

fn broken(error: reqwest::Error) -> CallError {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "a connection that broke off"
    };
    // The URL holds no secret, but the cause says more: "connection refused", "certificate has expired".
    let error = error.without_url();
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let cause = causes.pop().map(|cause| format!(" ({cause})")).unwrap_or_default();
    CallError::Broken(format!("{what}{cause}"))
}

/// Whether an address may be given a token: https, or this machine.
pub fn is_safe(url: &Url) -> bool {
    match url.host() {
        None => false,
        Some(_) if url.scheme() == "https" => true,
        Some(host) => url.scheme() == "http" && is_loopback(&host),
    }
}

fn is_loopback(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(name) => *name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    }
}
