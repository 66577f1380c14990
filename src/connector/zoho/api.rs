//! One call of the API, with everything that may happen to it: a token that expired, limits, failures, refusals.

use bytes::Bytes;
use chrono::Utc;
use reqwest::{Method, StatusCode, header::AUTHORIZATION};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    settings::ZohoSettings,
    token::{Token, Tokens},
};
use crate::connector::{
    ConnectorError,
    bigin::parse::{ParseError, clean},
    http::{Account, Answer, CallError, Limits, Session, pace::Pace, wait},
};

/// The API of one workspace.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) settings: ZohoSettings,
    session: Session,
    tokens: Tokens,
    pace: Pace,
}

/// A call: what an error names, and the scope that it needs.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The method.
    method: Method,
    /// The path and query below the API's base.
    pub(super) path: String,
    /// The scope.
    pub(super) scope: &'static str,
}

impl Call {
    pub(super) fn new(path: impl Into<String>, scope: &'static str) -> Self {
        Self { method: Method::GET, path: path.into(), scope }
    }

    /// A call that deletes.
    pub(super) fn delete(path: impl Into<String>, scope: &'static str) -> Self {
        Self { method: Method::DELETE, path: path.into(), scope }
    }

    /// The call as an error names it.
    pub(super) fn name(&self) -> String {
        format!("{} /bigin/v2/{}", self.method, self.path)
    }
}

/// What an answer means for the call.
pub(super) enum Meaning {
    /// It is the answer; none for 204.
    Done(Option<Bytes>),
    /// The token is not valid any more.
    StaleToken(String),
    /// The API did nothing, because it was asked too often.
    Limited(String),
    /// The API failed, and does not say what it did.
    Failed(String),
    /// It will not be answered otherwise.
    Final(ConnectorError),
    /// The same, by an answer that is not in the API's words: whoever wrote it may not know what the API did.
    Illegible(ConnectorError),
}

impl Api {
    pub(super) fn new(settings: ZohoSettings) -> Result<Self, ConnectorError> {
        let session = Session::new(settings.limits.clone())?;
        Ok(Self { settings, session, tokens: Tokens::default(), pace: Pace::untold() })
    }

    /// The token in use.
    pub(super) async fn token(&self, account: &Account) -> Result<Token, ConnectorError> {
        self.tokens.get(&self.session, &self.settings, account, None).await
    }

    /// The bounds of its calls.
    pub(super) fn limits(&self) -> &Limits {
        self.session.limits()
    }

    /// The request that a call is: method and address.
    pub(super) async fn request_line(&self, call: &Call, account: &Account) -> Result<String, ConnectorError> {
        let token = self.token(account).await?;
        Ok(format!("{} {}/bigin/v2/{}", call.method, token.api, call.path))
    }

    /// The token was refused right after it was got.
    pub(super) fn refused(&self, call: &Call, code: String) -> ConnectorError {
        let data_center = self.settings.data_center.to_string();
        ConnectorError::TokenRefused { call: call.name(), code, data_center }
    }

    /// Makes a call once, with the token in use or, where that was refused, a new one. Says which token it used.
    pub(super) async fn once(
        &self,
        call: &Call,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<(u64, Result<Answer, CallError>), ConnectorError> {
        let token = self.tokens.get(&self.session, &self.settings, account, refused).await?;
        let url = Url::parse(&format!("{}/bigin/v2/{}", token.api, call.path))
            .map_err(|error| ConnectorError::Setup(format!("{}: {error}", token.api)))?;
        let mut authorization =
            reqwest::header::HeaderValue::from_str(&format!("Zoho-oauthtoken {}", token.value.expose_secret()))
                .map_err(|_| ConnectorError::TokenAnswer {
                    accounts_url: self.settings.accounts(),
                    what: "a token that no header can carry".into(),
                })?;
        authorization.set_sensitive(true);
        let pass = self.pace.turn(account.left()).await.map_err(|wait| ConnectorError::RateLimited {
            call: call.name(),
            wait,
            left: account.left(),
        })?;
        let (asked_at, line) = (Utc::now(), format!("{} {url}", call.method));
        let request = self.session.request(call.method.clone(), url).header(AUTHORIZATION, authorization);
        let answer = self.session.call(request).await;
        if let Ok(answer) = &answer {
            self.pace.answered(&pass, answer.status, &answer.headers);
        }
        let secret = token.value.expose_secret();
        account.called(line, asked_at, &answer, secret);
        // What fails, or does something, is quoted.
        let is_quoted = |answer: &Answer| !answer.status.is_success() || call.method != Method::GET;
        let answer = answer.map(|answer| if is_quoted(&answer) { answer.without(secret) } else { answer });
        drop(pass);
        Ok((token.number, answer))
    }

    /// Makes a call and parses its answer; none for 204. An answer that breaks off in the middle is asked for again.
    pub(super) async fn get<T>(
        &self,
        call: &Call,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ConnectorError> {
        let limits = self.session.limits();
        let (mut attempt, mut refused) = (1, None);
        loop {
            let (token, answer) = self.once(call, account, refused).await?;
            let mut asked = None;
            let what = match answer.map(|answer| self.meaning(call, answer, &mut asked)) {
                Ok(Meaning::Done(None)) => return Ok(None),
                Ok(Meaning::Done(Some(body))) => match read(&body) {
                    Ok(value) => return Ok(Some(value)),
                    Err(ParseError::BrokenOff(what)) => what,
                    Err(ParseError::Shape { path, user, problem }) => {
                        return Err(ConnectorError::Shape { call: call.name(), path, user, problem });
                    }
                },
                Ok(Meaning::StaleToken(code)) if refused.is_some() => {
                    return Err(self.refused(call, code));
                }
                Ok(Meaning::StaleToken(_)) => {
                    refused = Some(token);
                    account.retried();
                    continue;
                }
                Ok(Meaning::Final(error) | Meaning::Illegible(error)) => return Err(error),
                Ok(Meaning::Limited(what) | Meaning::Failed(what)) | Err(CallError::Broken(what)) => what,
                Err(CallError::TooLarge(limit)) => return Err(ConnectorError::TooLarge { call: call.name(), limit }),
                Err(CallError::Redirect(status)) => return Err(ConnectorError::Redirect { call: call.name(), status }),
            };
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
            attempt += 1;
            account.retried();
            tokio::time::sleep(pause).await;
        }
    }

    /// What an answer means.
    pub(super) fn meaning(&self, call: &Call, answer: Answer, asked: &mut Option<std::time::Duration>) -> Meaning {
        let status = answer.status;
        if status == StatusCode::NO_CONTENT {
            return Meaning::Done(None);
        }
        if status.is_success() {
            return Meaning::Done(Some(answer.body));
        }
        let problem = Problem::parse(&answer.body);
        let code = problem.code();
        if status == StatusCode::TOO_MANY_REQUESTS || code == "TOO_MANY_REQUESTS" {
            *asked = wait::asked(&answer.headers, Utc::now());
            return Meaning::Limited("HTTP 429: too many requests".to_owned());
        }
        // A server or gateway that waited in vain does not say what became of the call.
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            *asked = wait::retry_after(&answer.headers, Utc::now());
            return Meaning::Failed(format!("HTTP {status} {code}"));
        }
        let is_legible = problem.is_legible();
        let error = match code.as_str() {
            "INVALID_TOKEN" => return Meaning::StaleToken(code),
            "AUTHENTICATION_FAILURE" => ConnectorError::TokenRefused {
                call: call.name(),
                code,
                data_center: self.settings.data_center.to_string(),
            },
            "OAUTH_SCOPE_MISMATCH" => ConnectorError::MissingScope { call: call.name(), scope: call.scope },
            "NO_PERMISSION" | "AUTHORIZATION_FAILED" => {
                ConnectorError::MissingRight { call: call.name(), permissions: problem.permissions() }
            }
            _ => {
                ConnectorError::Refused { call: call.name(), status: status.as_u16(), code, message: problem.message() }
            }
        };
        if is_legible { Meaning::Final(error) } else { Meaning::Illegible(error) }
    }
}

/// An error of the API. Older ones have a number as their code.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    details: Value,
}

impl Problem {
    /// The error in a body. One that is about a single record stands in a list of records.
    fn parse(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct OfRecord {
            users: Vec<Problem>,
        }
        if let Ok(OfRecord { users }) = serde_json::from_slice(body)
            && let Some(problem) = users.into_iter().next()
        {
            return problem;
        }
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether it is in the API's words, and not a gateway's.
    fn is_legible(&self) -> bool {
        self.code.is_string() || self.code.is_number()
    }

    fn code(&self) -> String {
        match &self.code {
            Value::String(code) => clean(code, 60),
            Value::Number(code) => code.to_string(),
            _ => "without a code".to_owned(),
        }
    }

    fn message(&self) -> String {
        clean(self.message.as_str().unwrap_or("without a message"), 200)
    }

    fn permissions(&self) -> String {
        let named: Vec<&str> =
            self.details["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if named.is_empty() { String::new() } else { format!(" ({})", clean(&named.join(", "), 200)) }
    }
}
