//! Requests to the provider: no redirects, bounded answers, encrypted unless the provider is on this machine.

use std::{error::Error, time::Duration};

use axum::http::{self, Response as Answered};
use futures::future::{BoxFuture, FutureExt as _};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::Url;

use crate::tls::{self, is_this_machine};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// The way to the provider.
pub(super) struct Wire {
    client: reqwest::Client,
    /// Whether the provider is on this machine, where plain HTTP is safe.
    is_here: bool,
}

/// A request to the provider failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// It did not come about.
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    /// It would not be encrypted.
    #[error("the provider names an address that is not https")]
    Plain,
    /// The answer is too large.
    #[error("the answer has more than {LARGEST} bytes")]
    Large,
    /// The answer is no answer.
    #[error(transparent)]
    Answer(#[from] http::Error),
}

impl Wire {
    /// The way to an issuer.
    ///
    /// # Errors
    /// If the address is malformed, or TLS cannot be set up.
    pub(super) fn new(issuer: &str) -> Result<Self, String> {
        let issuer = Url::parse(issuer).map_err(|error| error.to_string())?;
        let client = tls::http_to(&issuer)
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .referer(false)
            .build()
            .map_err(|error| tls::not_set_up(&error))?;
        Ok(Self { client, is_here: is_this_machine(&issuer) })
    }

    /// Whether a browser may be sent there: over TLS, or to this machine if the provider is on it.
    pub(super) fn is_safe(&self, url: &Url) -> bool {
        url.scheme() == "https" || (self.is_here && is_this_machine(url))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        let request = reqwest::Request::try_from(request)?;
        if !self.is_safe(request.url()) {
            return Err(WireError::Plain);
        }
        let mut response = self.client.execute(request).await.map_err(reqwest::Error::without_url)?;
        let mut answer = Answered::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(WireError::Large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(answer.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = WireError;
    type Future = BoxFuture<'c, Result<HttpResponse, WireError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.ask(request).boxed()
    }
}

/// An error with its causes, in one line.
pub(super) fn text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.replace(['\n', '\r'], " ").chars().take(500).collect()
}
