//! One HTTP call after another, with limits on calls in flight, time and size. Redirects are not followed. What an answer
//! means is not decided here.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use tokio::sync::Semaphore;
use url::Url;

use super::mask;
use crate::{
    clock::Clock,
    connector::{error::ConnectorError, parameters::Limits},
};

/// An answer.
#[derive(Debug)]
pub(in crate::connector) struct Answer {
    pub(in crate::connector) status: StatusCode,
    pub(in crate::connector) headers: HeaderMap,
    /// Decompressed.
    pub(in crate::connector) body: Bytes,
    /// When the call was made, to the millisecond.
    pub(super) asked_at: DateTime<Utc>,
    /// When the whole answer had arrived, to the millisecond.
    pub(in crate::connector) answered_at: DateTime<Utc>,
}

impl Answer {
    /// The same, whose body does not quote a secret of ours. A server may echo what it was sent, and what an error says is
    /// printed, logged and kept.
    #[must_use]
    pub(super) fn without(mut self, secret: &str) -> Self {
        if let Some(body) = mask::body(&self.body, secret) {
            self.body = body;
        }
        self
    }
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(in crate::connector) enum CallError {
    /// The connection or the answer broke off, or took too long: worth another try.
    Broken(String),
    /// The answer is larger than this many bytes.
    TooLarge(usize),
    /// The server redirects, with this status.
    Redirect(u16),
}

/// Makes calls.
#[derive(Debug)]
pub(in crate::connector) struct Session {
    client: reqwest::Client,
    permits: Semaphore,
    limits: Limits,
    clock: Clock,
}

impl Session {
    /// A session with these limits, which dates its calls by this clock.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup) if the TLS library cannot be set up.
    pub(in crate::connector) fn new(limits: Limits, clock: Clock) -> Result<Self, ConnectorError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(limits.call_timeout.min(Duration::from_secs(20)))
            .timeout(limits.call_timeout)
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| ConnectorError::setup(error.to_string()))?;
        Ok(Self { client, permits: Semaphore::new(limits.concurrency), limits, clock })
    }

    pub(in crate::connector) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(in crate::connector) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Makes one call, once.
    ///
    /// # Errors
    /// [`CallError`]
    pub(in crate::connector) async fn call(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.permits.acquire().await;
        let asked_at = self.now();
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
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status, headers, body: body.into(), asked_at, answered_at: self.now() })
    }

    /// The time, as exact as evidence stores it: comparing stored times must give the same result.
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
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

/// Whether a token may be sent to an address: https, or this machine.
pub(in crate::connector) fn is_safe(url: &Url) -> bool {
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
