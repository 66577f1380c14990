//! One HTTP call after another, with limits on calls in flight, time and size. Redirects are not followed. What an answer
//! means is not decided here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use tokio::sync::Semaphore;
use url::Url;

use super::{mask::Secrets, proxy};
use crate::{
    clock::Clock,
    connector::{commons::Commons, error::ConnectorError, parameters::Limits},
    tls::{self, is_this_machine},
};

/// How much longer than its time a call that was given up is let go on: so many times its time in all.
const HELD: u32 = 3;

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
    /// Whether it echoed a secret of ours, which was masked.
    pub(super) masked: bool,
}

impl Answer {
    /// The same, which does not quote secrets of ours.
    #[must_use]
    pub(super) fn without(mut self, secrets: &Secrets) -> Self {
        if let Some(body) = secrets.out_of_body(&self.body) {
            self.body = body;
            self.masked = true;
        }
        self.masked |= secrets.out_of_headers(&mut self.headers);
        self
    }
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(in crate::connector) enum CallError {
    /// There was no connection, so that the server got nothing: worth another try.
    NoConnection {
        /// Why not.
        what: String,
        /// Whether it goes through a proxy.
        through_proxy: bool,
    },
    /// The connection broke off, or took too long; the server may have got the call: worth another try.
    Broken(String),
    /// The answer came with this status, and broke off: worth another try.
    CutOff(String, StatusCode),
    /// The answer is larger than this many bytes.
    TooLarge(usize),
    /// The server redirects, with this status.
    Redirect(u16),
}

/// HTTP clients, which workspaces share: each holds the certificates that it trusts.
#[derive(Debug)]
struct Clients {
    usual: reqwest::Client,
    /// For this machine itself, where no proxy is used.
    direct: reqwest::Client,
}

/// Makes calls.
#[derive(Debug)]
pub(in crate::connector) struct Session {
    clients: Arc<Clients>,
    permits: Arc<Semaphore>,
    /// Those of the credential, beside its own.
    of_credential: Option<Arc<Semaphore>>,
    limits: Limits,
    clock: Clock,
}

impl Clients {
    fn new(call_timeout: Duration) -> Result<Self, ConnectorError> {
        let builder = || {
            tls::http()
                .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .connect_timeout(call_timeout.min(Duration::from_secs(20)))
                .timeout(call_timeout * HELD)
                .retry(reqwest::retry::never())
        };
        let failed = |error: reqwest::Error| ConnectorError::setup(tls::not_set_up(&error));
        let usual = builder().build().map_err(failed)?;
        let direct = if proxy::is_configured() { builder().no_proxy().build().map_err(failed)? } else { usual.clone() };
        Ok(Self { usual, direct })
    }
}

impl Session {
    /// A session with these limits, which dates its calls by this clock.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup) if the TLS library cannot be set up.
    pub(in crate::connector) fn new(limits: Limits, clock: Clock, commons: &Commons) -> Result<Self, ConnectorError> {
        let timeout = limits.call_timeout;
        let clients = commons.shared(&format!("{timeout:?}"), || Clients::new(timeout))?;
        let permits = Arc::new(Semaphore::new(limits.concurrency));
        Ok(Self { clients, permits, of_credential: None, limits, clock })
    }

    /// The same session, whose calls also take one of these permits.
    pub(super) fn within(self, of_credential: Arc<Semaphore>) -> Self {
        Self { of_credential: Some(of_credential), ..self }
    }

    pub(in crate::connector) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(in crate::connector) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(in crate::connector) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = if is_this_machine(&url) { &self.clients.direct } else { &self.clients.usual };
        client.request(method, url)
    }

    /// Makes one call, once.
    ///
    /// A call that is given up, because it takes too long or because nobody waits for it any more, goes on for a while
    /// without being used: until it ends, the server may be working on it, and no other call takes its place.
    ///
    /// # Errors
    /// [`CallError`]
    pub(in crate::connector) async fn call(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        // The semaphore is never closed, so this only waits.
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let of_credential = match &self.of_credential {
            Some(permits) => Some(Arc::clone(permits).acquire_owned().await),
            None => None,
        };
        let (clock, most) = (self.clock.clone(), self.limits.max_body);
        let call = tokio::spawn(async move {
            let answer = exchange(request, &clock, most).await;
            drop((permit, of_credential));
            answer
        });
        match tokio::time::timeout(self.limits.call_timeout, call).await {
            Ok(Ok(answer)) => answer,
            // A task ends otherwise only by a panic, which is a defect and is carried on, or with the program.
            Ok(Err(failed)) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(CallError::Broken("the program is ending".to_owned())),
            },
            Err(_) => Err(CallError::Broken("no answer in time".to_owned())),
        }
    }
}

/// Sends a request and takes its whole answer.
async fn exchange(request: RequestBuilder, clock: &Clock, most: usize) -> Result<Answer, CallError> {
    let asked_at = now(clock);
    let (client, request) = request.build_split();
    let request = request.map_err(|error| CallError::Broken(broken(error)))?;
    let proxy = proxy::of(request.url());
    let failed = |error: reqwest::Error| {
        if error.is_connect() { no_connection(error, proxy.as_deref()) } else { CallError::Broken(broken(error)) }
    };
    let mut response = client.execute(request).await.map_err(failed)?;
    let status = response.status();
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return Err(CallError::Redirect(status.as_u16()));
    }
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(most));
    let cut_off = |error| CallError::CutOff(broken(error), status);
    while let Some(chunk) = response.chunk().await.map_err(cut_off)? {
        if body.len() + chunk.len() > most {
            return Err(CallError::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status, headers, body: body.into(), asked_at, answered_at: now(clock), masked: false })
}

/// The time, as exact as evidence stores it: comparing stored times must give the same result.
fn now(clock: &Clock) -> DateTime<Utc> {
    clock.now().trunc_subsecs(3)
}

/// The last cause of an error says the most: "connection refused", "certificate has expired".
fn root(error: &reqwest::Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    let mut root = None;
    while let Some(cause) = source {
        root = Some(cause.to_string());
        source = cause.source();
    }
    root
}

/// What is said of an error of the client.
fn said(what: &str, error: reqwest::Error) -> String {
    // The URL holds no secret, but the cause says more.
    let cause = root(&error.without_url()).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{what}{cause}")
}

fn broken(error: reqwest::Error) -> String {
    said(if error.is_timeout() { "no answer in time" } else { "a connection that broke off" }, error)
}

fn no_connection(error: reqwest::Error, proxy: Option<&str>) -> CallError {
    let in_time = if error.is_timeout() { " in time" } else { "" };
    let through = proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
    let what = said(&format!("no connection{in_time}{through}"), error);
    CallError::NoConnection { what, through_proxy: proxy.is_some() }
}

/// Whether a token may be sent to an address: https, or this machine.
pub(in crate::connector) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_this_machine(url),
        _ => false,
    }
}
