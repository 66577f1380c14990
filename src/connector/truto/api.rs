//! One call of Truto's API, with everything that may happen to it. Truto passes the vendor's limits on and repeats
//! nothing itself.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use reqwest::{Method, StatusCode, header::AUTHORIZATION};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{
    TrutoSettings,
    envelope::{self, Problem},
};
use crate::connector::{
    ConnectorError, Removal,
    bigin::parse::ParseError,
    http::{Account, Answer, CallError, Session, is_safe, pace::Pace, wait},
};

/// The API of one integrated account.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) settings: TrutoSettings,
    session: Session,
    pace: Pace,
}

/// A call: a path, and a query without the account's id.
#[derive(Debug, Clone)]
pub(super) struct Call {
    path: String,
    query: Vec<(&'static str, String)>,
    /// Whether the account's id belongs in the query: not where it stands in the path.
    of_account: bool,
}

impl Call {
    pub(super) fn list(resource: &str) -> Self {
        Self { path: format!("proxy/{}", escaped(resource)), query: Vec::new(), of_account: true }
    }

    pub(super) fn one(resource: &str, id: &str) -> Self {
        Self { path: format!("proxy/{}/{}", escaped(resource), escaped(id)), query: Vec::new(), of_account: true }
    }

    /// A call about the integrated account itself.
    pub(super) fn account(id: &str, what: &str) -> Self {
        Self { path: format!("integrated-account/{}{what}", escaped(id)), query: Vec::new(), of_account: false }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The call as an error names it.
    pub(super) fn name(&self) -> String {
        format!("Truto /{}", self.path)
    }
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What an answer means for a call.
enum Meaning {
    /// It is the answer; none for 204.
    Done(Option<Bytes>),
    /// The vendor says that there is no such record any more.
    Gone,
    /// Nothing was done: asked too often.
    Limited(Option<Duration>),
    /// It failed, and does not say what it did. It may say how long to wait.
    Failed(String, Option<Duration>),
    /// It will not be answered otherwise.
    Final(ConnectorError),
    /// The same, by an answer in nobody's words that we know: whoever wrote it may not know what was done.
    Illegible(ConnectorError),
}

impl Api {
    pub(super) fn new(settings: TrutoSettings) -> Result<Self, ConnectorError> {
        if !is_safe(&settings.api_url) {
            let message = format!("{} is neither https nor this machine: no token is sent there", settings.api_url);
            return Err(ConnectorError::Setup(message));
        }
        let session = Session::new(settings.limits.clone())?;
        Ok(Self { settings, session, pace: Pace::default() })
    }

    pub(super) fn url(&self, call: &Call) -> Result<Url, ConnectorError> {
        let base = self.settings.api_url.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}/{}", call.path))
            .map_err(|error| ConnectorError::Setup(format!("{base}: {error}")))?;
        if call.of_account || !call.query.is_empty() {
            let mut query = url.query_pairs_mut();
            if call.of_account {
                query.append_pair("integrated_account_id", &self.settings.integrated_account_id);
            }
            query.extend_pairs(&call.query);
        }
        Ok(url)
    }

    /// Makes a call once, when its turn comes.
    async fn once(
        &self,
        method: &Method,
        call: &Call,
        account: &Account,
    ) -> Result<Result<Answer, CallError>, ConnectorError> {
        let url = self.url(call)?;
        let token = self.settings.api_token.expose_secret();
        let mut authorization = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| ConnectorError::Setup("the API token is one that no header can carry".to_owned()))?;
        authorization.set_sensitive(true);
        let pass = self.pace.turn(account.left()).await.map_err(|wait| ConnectorError::RateLimited {
            call: call.name(),
            wait,
            left: account.left(),
        })?;
        let (asked_at, line) = (Utc::now(), format!("{method} {url}"));
        let request = self.session.request(method.clone(), url).header(AUTHORIZATION, authorization);
        let answer = self.session.call(request).await;
        if let Ok(answer) = &answer {
            self.pace.answered(&pass, answer.status, &answer.headers);
        }
        account.called(line, asked_at, &answer, token);
        drop(pass);
        // What fails, or does something, is quoted.
        let is_quoted = |answer: &Answer| !answer.status.is_success() || *method != Method::GET;
        Ok(answer.map(|answer| if is_quoted(&answer) { answer.without(token) } else { answer }))
    }

    /// Makes a call and parses its answer; none for 204, and where the vendor says that there is no such record. What fails
    /// for the moment is asked for again.
    pub(super) async fn get<T>(
        &self,
        call: &Call,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ConnectorError> {
        let mut attempt = 1;
        loop {
            let mut asked = None;
            let what = match self.once(&Method::GET, call, account).await?.map(|answer| meaning(call, &answer)) {
                Ok(Meaning::Done(None) | Meaning::Gone) => return Ok(None),
                Ok(Meaning::Done(Some(body))) => match read(&body) {
                    Ok(value) => return Ok(Some(value)),
                    Err(ParseError::BrokenOff(what)) => what,
                    Err(ParseError::Shape { path, user, problem }) => {
                        return Err(ConnectorError::Shape { call: call.name(), path, user, problem });
                    }
                },
                Ok(Meaning::Final(error) | Meaning::Illegible(error)) => return Err(error),
                Ok(Meaning::Limited(wait)) => {
                    asked = wait;
                    LIMITED.to_owned()
                }
                Ok(Meaning::Failed(what, wait)) => {
                    asked = wait;
                    what
                }
                Err(CallError::Broken(what)) => what,
                Err(CallError::TooLarge(limit)) => return Err(ConnectorError::TooLarge { call: call.name(), limit }),
                Err(CallError::Redirect(status)) => return Err(ConnectorError::Redirect { call: call.name(), status }),
            };
            self.pause(call, account, attempt, asked, what).await?;
            attempt += 1;
            account.retried();
        }
    }

    /// Waits before the next try: as long as the server asks, or ever longer.
    async fn pause(
        &self,
        call: &Call,
        account: &Account,
        attempt: u32,
        asked: Option<Duration>,
        what: String,
    ) -> Result<(), ConnectorError> {
        let limits = self.session.limits();
        if attempt >= limits.attempts {
            return Err(ConnectorError::Unavailable { call: call.name(), attempts: attempt, what });
        }
        let backoff = wait::backoff(limits.backoff, limits.backoff_cap, attempt, rand::random());
        // A herd that was told the same second comes back spread over the next moments.
        let pause = asked.map_or(backoff, |wish| wish.saturating_add(backoff.min(limits.backoff)));
        if pause >= account.left() {
            return Err(ConnectorError::RateLimited { call: call.name(), wait: pause, left: account.left() });
        }
        tracing::info!(call = %call.name(), attempt, ?pause, what, "the call is repeated");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Asks for a deletion, once; again only where certainly nothing was done.
    pub(super) async fn delete(&self, call: &Call, account: &Account) -> Result<Removal, ConnectorError> {
        let mut attempt = 1;
        loop {
            let asked = match self.once(&Method::DELETE, call, account).await?.map(|answer| meaning(call, &answer)) {
                Ok(Meaning::Done(body)) => return envelope::removal(&call.name(), &body.unwrap_or_default()),
                Ok(Meaning::Gone) => return Ok(Removal::AlreadyGone),
                Ok(Meaning::Final(error)) => return Err(error),
                Ok(Meaning::Illegible(error)) => return Ok(Removal::Unknown(error.to_string())),
                Ok(Meaning::Limited(wait)) => wait,
                Ok(Meaning::Failed(what, _)) | Err(CallError::Broken(what)) => return Ok(Removal::Unknown(what)),
                Err(CallError::TooLarge(limit)) => {
                    return Ok(Removal::Unknown(format!("an answer of more than {limit} bytes")));
                }
                // Whoever redirects may have passed the wish on before.
                Err(CallError::Redirect(status)) => {
                    return Ok(Removal::Unknown(format!("a redirect, HTTP {status}")));
                }
            };
            self.pause(call, account, attempt, asked, LIMITED.to_owned()).await?;
            attempt += 1;
        }
    }
}

/// What is said of an answer with the status 429.
const LIMITED: &str = "HTTP 429: too many requests";

fn meaning(call: &Call, answer: &Answer) -> Meaning {
    let status = answer.status;
    if status == StatusCode::NO_CONTENT {
        return Meaning::Done(None);
    }
    if status.is_success() {
        return Meaning::Done(Some(answer.body.clone()));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Meaning::Limited(wait::asked(&answer.headers, Utc::now()));
    }
    let problem = Problem::parse(&answer.body);
    if problem.is_gone(status.as_u16()) {
        return Meaning::Gone;
    }
    // Truto answers a blocked account with 503, which no waiting heals. A server or gateway that waited in vain does not
    // say what became of the call.
    let is_blocked = status == StatusCode::SERVICE_UNAVAILABLE && problem.is_own();
    if (status.is_server_error() && !is_blocked) || status == StatusCode::REQUEST_TIMEOUT {
        let what = format!("HTTP {status} {}", problem.code());
        return Meaning::Failed(what, wait::retry_after(&answer.headers, Utc::now()));
    }
    let is_legible = problem.is_legible();
    let error = problem.into_error(call.name(), status.as_u16());
    if is_legible { Meaning::Final(error) } else { Meaning::Illegible(error) }
}
