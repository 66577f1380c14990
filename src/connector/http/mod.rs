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
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

use super::{ConnectorError, Exchange, Recorder};

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
    asked: AtomicU64,
    deadline: Instant,
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
}

impl Account {
    /// An account of a read that may take so long.
    pub fn new(deadline: Duration) -> Self {
        Self {
            recorder: None,
            asked: AtomicU64::new(0),
            deadline: Instant::now() + deadline,
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// The same account, whose answers somebody keeps.
    #[must_use]
    pub fn recorded_by(mut self, recorder: Option<Arc<dyn Recorder>>) -> Self {
        self.recorder = recorder;
        self
    }

    /// The number of the next call whose answer is kept; none where nobody keeps it.
    pub fn number(&self) -> Option<u64> {
        self.recorder.as_ref().map(|_| self.asked.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Hands an answer to whoever keeps it.
    pub fn record(&self, exchange: &Exchange) {
        if let Some(recorder) = &self.recorder {
            recorder.answered(exchange);
        }
    }

    /// How long the read may still take.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// A call is repeated.
    pub fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls, repeated calls, and bytes of bodies.
    pub fn totals(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.requests), read(&self.retries), read(&self.bytes))
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
    pub async fn call(&self, request: RequestBuilder, account: &Account) -> Result<Answer, CallError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.permits.acquire().await;
        account.requests.fetch_add(1, Ordering::Relaxed);
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
        account.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
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
