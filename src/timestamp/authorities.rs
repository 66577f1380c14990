//! Authorities over HTTP. They are told a digest, and with it the address of this machine and the time; nothing else.

use std::{error::Error as _, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use der::asn1::ObjectIdentifier;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{LARGEST, Request, Root, Roots, Token, TokenError};

/// How long an authority may take in all, if nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often timestamps are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One for each bag, and one of the ledger's last entry at most once an hour.
    #[default]
    Each,
    /// One of the ledger's last entry a day, which covers every bag of that day.
    Daily,
}

/// The authorities that are asked, in this order, until one answers.
#[derive(Debug, Clone)]
pub struct Authorities {
    /// Their addresses.
    pub urls: Vec<Url>,
    /// The policy that is asked for; `None` if they choose.
    pub policy: Option<ObjectIdentifier>,
    /// Whose certificates are trusted.
    pub roots: Roots,
    /// How often they are asked.
    pub mode: Mode,
    /// How long each may take in all.
    pub patience: Duration,
}

/// A timestamp that was checked.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The answer as it came.
    pub answer: Vec<u8>,
    /// What it says.
    pub token: Token,
    /// The trusted certificate that it leads to.
    pub root: Root,
    /// Who gave it.
    pub authority: Url,
}

/// No authority gave a timestamp.
#[derive(Debug, thiserror::Error)]
#[error("no timestamp was given: {}", .0.join("; "))]
pub struct Unstamped(Vec<String>);

/// One authority gave no timestamp.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server answered HTTP {0}; redirects are not followed")]
    Status(u16),
    #[error("the answer has more than {LARGEST} bytes")]
    Large,
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// What an authority answered when it was tried.
#[derive(Debug)]
pub struct Tried {
    /// The authority.
    pub authority: Url,
    /// How far its time is ahead of this machine's clock, or why its answer is not accepted.
    pub ahead: Result<TimeDelta, String>,
}

impl Authorities {
    /// Asks every authority for a timestamp of random bytes, checks it as any other, and forgets it.
    pub async fn try_each(&self, now: impl Fn() -> DateTime<Utc>) -> Vec<Tried> {
        let mut tried = Vec::with_capacity(self.urls.len());
        for url in &self.urls {
            let data: [u8; 32] = rand::random();
            let asked = self.ask(url, &data, &now).await;
            let ahead = asked.map(|stamp| stamp.token.at - now()).map_err(|error| error.to_string());
            tried.push(Tried { authority: url.clone(), ahead });
        }
        tried
    }

    /// A timestamp of some bytes by the first authority that gives a good one.
    ///
    /// # Errors
    /// [`Unstamped`], with the reason of each authority.
    pub async fn stamp(&self, data: &[u8], now: impl Fn() -> DateTime<Utc>) -> Result<Stamp, Unstamped> {
        let mut reasons = Vec::new();
        for url in &self.urls {
            match self.ask(url, data, &now).await {
                Ok(stamp) => return Ok(stamp),
                Err(error) => reasons.push(format!("{url}: {error}")),
            }
        }
        Err(Unstamped(reasons))
    }

    async fn ask(&self, url: &Url, data: &[u8], now: impl Fn() -> DateTime<Utc>) -> Result<Stamp, AskError> {
        let request = Request::new(data, rand::random(), self.policy);
        let answer = post(url, request.to_der()?, self.patience).await?;
        let token = Token::read(&answer)?;
        token.answers(&request, now())?;
        let root = token.root(&self.roots)?;
        Ok(Stamp { answer, token, root, authority: url.clone() })
    }
}

async fn post(url: &Url, request: Vec<u8>, patience: Duration) -> Result<Vec<u8>, AskError> {
    let client = crate::tls::http_to(url)
        .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(patience)
        .referer(false);
    let failed = |error: reqwest::Error| AskError::Unreachable(crate::tls::not_set_up(&error));
    let client = client.build().map_err(failed)?;
    let call = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/timestamp-query")
        .header(ACCEPT, "application/timestamp-reply")
        .body(request);
    let mut response = call.send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(AskError::Status(response.status().as_u16()));
    }
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if answer.len() + chunk.len() > LARGEST {
            return Err(AskError::Large);
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// The last cause of an error, without its address.
#[allow(clippy::needless_pass_by_value, reason = "taken apart by `map_err`")]
fn unreachable(error: reqwest::Error) -> AskError {
    if error.is_timeout() {
        return AskError::Unreachable("it did not answer in time".to_owned());
    }
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    AskError::Unreachable(cause.map_or_else(|| error.to_string(), ToString::to_string))
}
