//! One call of a vendor's API, with everything that can happen to it: limits, failures, an expired token, refusals.
//!
//! [`Api`] is the same for every kind of system. What differs is behind [`Vendor`]: where a call goes, which
//! credential it carries, what a refusal means, and what helps against it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    account::Account,
    json::{ParseError, begins_as_json, clean},
    mask::Secrets,
    quota::Quota,
    repair::repair,
    session::{Answer, CallError, Session},
    wait,
};
use crate::{
    clock::Clock,
    connector::{
        commons::Commons,
        contract::Removal,
        error::{Cause, ConnectorError, Credential},
        parameters::Limits,
    },
    model::{directory::UserRecord, id::UserId},
};

/// What is said of an answer with the status 429.
const LIMITED: &str = "HTTP 429: too many requests";

/// A call.
#[derive(Debug, Clone)]
pub(in crate::connector) struct Call {
    /// The method.
    pub(in crate::connector) method: Method,
    /// The path below the API's base, with whatever query belongs to it.
    pub(in crate::connector) path: String,
    /// More of the query, not yet escaped.
    pub(in crate::connector) query: Vec<(&'static str, String)>,
    /// The scope that it needs; empty if the vendor has no scopes of its own.
    pub(in crate::connector) scope: &'static str,
}

impl Call {
    /// A call that reads.
    pub(in crate::connector) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), query: Vec::new(), scope: "" }
    }

    /// A call that deletes.
    pub(in crate::connector) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// The same call, which needs a scope.
    pub(in crate::connector) fn scope(self, scope: &'static str) -> Self {
        Self { scope, ..self }
    }

    /// The same call with one more pair in its query.
    pub(in crate::connector) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// A text as one segment of a path.
pub(in crate::connector) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Where a call goes, and what it carries.
pub(in crate::connector) struct Request {
    /// The address.
    pub(in crate::connector) url: Url,
    /// The scheme before the token in the header, such as `Bearer`.
    pub(in crate::connector) scheme: &'static str,
    /// The token.
    pub(in crate::connector) token: SecretString,
    /// Which token it is, if tokens are renewed.
    pub(in crate::connector) number: u64,
}

/// What a kind of system does in its own way.
#[async_trait]
pub(in crate::connector) trait Vendor: fmt::Debug + Send + Sync {
    /// The call as errors name it.
    fn name(&self, call: &Call) -> String;

    /// Where a call goes, and what it carries. `refused` is the token that was just refused.
    async fn request(
        &self,
        session: &Session,
        call: &Call,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<Request, ConnectorError>;

    /// The secrets of the configuration, beside the token of a request. No answer keeps them.
    fn secrets(&self) -> Vec<SecretString>;

    /// What an answer means that is neither a success nor HTTP 429.
    fn refusal(&self, call: &Call, answer: &Answer) -> Refusal;

    /// What helps; `None` if the remedy that fits every kind of system is enough.
    fn remedy(&self, cause: &Cause) -> Option<String>;
}

/// What an answer means that is not a success.
#[derive(Debug)]
pub(in crate::connector) enum Refusal {
    /// The vendor says that the record does not exist any more.
    Gone,
    /// The token is no longer valid; the vendor's code.
    StaleToken(String),
    /// Nothing was done: too many calls. How long to wait, if it says.
    Limited(Option<Duration>),
    /// It failed, and does not say what it did. How long to wait, if it says.
    Failed(String, Option<Duration>),
    /// Another try will be answered in the same way.
    Final(Cause),
    /// The same, in words that are not the vendor's: a gateway that wrote them may not know what the vendor did.
    Illegible(Cause),
}

impl Refusal {
    /// A final cause, in the vendor's words or not.
    pub(in crate::connector) fn because(cause: Cause, is_legible: bool) -> Self {
        if is_legible { Self::Final(cause) } else { Self::Illegible(cause) }
    }

    /// A server or gateway that failed or waited in vain: it does not say what became of the call. `None` for any other
    /// status.
    pub(in crate::connector) fn failed(answer: &Answer, code: &str) -> Option<Self> {
        let Answer { status, headers, answered_at, .. } = answer;
        (status.is_server_error() || *status == StatusCode::REQUEST_TIMEOUT)
            .then(|| Self::Failed(format!("HTTP {status} ({code})"), wait::retry_after(headers, *answered_at)))
    }
}

/// What became of one try.
enum Outcome {
    /// The answer; `None` for 204.
    Done(Option<Bytes>),
    Refused(Refusal),
}

/// What became of one try of a call that reads.
enum Read<T> {
    Value(T),
    /// No JSON.
    Damaged {
        what: String,
        /// The answer.
        body: Bytes,
        /// Whether it was cut off, or comes from a gateway: another try may bring the right one, even if it came twice.
        is_passing: bool,
    },
    /// No value.
    Other(Outcome),
}

/// What is wrong for the moment.
struct Trouble {
    what: String,
    is_of_proxy: bool,
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self { what, is_of_proxy: false }
    }
}

/// The API of one workspace.
#[derive(Debug)]
pub(in crate::connector) struct Api<V> {
    vendor: V,
    session: Session,
    quota: Arc<Quota>,
}

impl<V: Vendor> Api<V> {
    /// An API within these limits and those of its credential. Calls are dated by `clock`.
    ///
    /// # Errors
    /// [`Cause::Setup`]
    pub(in crate::connector) fn new(
        vendor: V,
        limits: Limits,
        quota: Arc<Quota>,
        clock: Clock,
        commons: &Commons,
    ) -> Result<Self, ConnectorError> {
        let session = Session::new(limits, clock, commons)?.within(Arc::clone(&quota.permits));
        Ok(Self { vendor, session, quota })
    }

    pub(in crate::connector) fn vendor(&self) -> &V {
        &self.vendor
    }

    pub(in crate::connector) fn session(&self) -> &Session {
        &self.session
    }

    pub(in crate::connector) fn clock(&self) -> &Clock {
        self.session.clock()
    }

    /// Calls in flight at once.
    pub(in crate::connector) fn concurrency(&self) -> usize {
        self.session.limits().concurrency
    }

    /// An error of a call, with the vendor's remedy.
    pub(in crate::connector) fn error(&self, call: &Call, cause: Cause) -> ConnectorError {
        let remedy = self.vendor.remedy(&cause);
        ConnectorError::new(self.vendor.name(call), cause).with_remedy(remedy)
    }

    /// An answer to a call that lacks what it must hold.
    pub(in crate::connector) fn missing(&self, call: &Call, path: &str, problem: &str) -> ConnectorError {
        let cause = Cause::InvalidAnswer { path: path.to_owned(), user: "".into(), problem: problem.into() };
        self.error(call, cause)
    }

    /// The requested user; an error if the API answered with another one.
    pub(in crate::connector) fn same_user(
        &self,
        call: &Call,
        id: &UserId,
        answer: Option<UserRecord>,
    ) -> Result<Option<UserRecord>, ConnectorError> {
        match answer {
            Some(user) if user.id != *id => {
                Err(self.error(call, Cause::AnotherUser { asked: id.to_string(), answered: user.id.to_string() }))
            }
            answer => Ok(answer),
        }
    }

    /// Checks that a call goes where it says: an id must be one segment of its path.
    ///
    /// # Errors
    /// [`Cause::UnusableId`]
    pub(in crate::connector) fn check(&self, call: &Call) -> Result<(), ConnectorError> {
        let path = call.path.split('?').next().unwrap_or_default();
        let is_unusable =
            |segment: &&str| matches!(*segment, "" | "." | "..") || segment.contains("%2F") || segment.contains("%5C");
        match path.split('/').find(is_unusable) {
            Some(segment) => Err(self.error(call, Cause::UnusableId(clean(segment, 60)))),
            None => Ok(()),
        }
    }

    /// Makes a call once, when its turn comes. Returns the number of the token that it carried, too.
    async fn once(
        &self,
        call: &Call,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<(u64, Result<Answer, CallError>), ConnectorError> {
        self.check(call)?;
        let most = self.session.limits().max_read;
        if account.received() > most {
            return Err(self.error(call, Cause::TooMuch(most)));
        }
        let Request { url, scheme, token, number } = self.vendor.request(&self.session, call, account, refused).await?;
        let secrets = Secrets::new(self.vendor.secrets().iter().chain([&token]));
        let token = token.expose_secret();
        let mut authorization = HeaderValue::from_str(&format!("{scheme} {token}"))
            .map_err(|_| ConnectorError::setup("the token contains characters that no HTTP header can carry"))?;
        authorization.set_sensitive(true);
        self.quota.divide();
        let turn = self.quota.pace.turn(account.left()).await;
        let pass = turn.map_err(|wait| self.error(call, Cause::RateLimited { wait, left: account.left() }))?;
        let line = format!("{} {url}", call.method);
        let request = self.session.request(call.method.clone(), url).header(AUTHORIZATION, authorization);
        // What a server echoes is printed, logged and kept: everybody sees the same answer, without secrets.
        let answer = self.session.call(request).await.map(|answer| answer.without(&secrets));
        if let Ok(answer) = &answer {
            self.quota.pace.answered(&pass, answer.status, &answer.headers, answer.answered_at);
        }
        account.called(line, &answer);
        drop(pass);
        Ok((number, answer))
    }

    fn outcome(&self, call: &Call, answer: Answer) -> Outcome {
        match answer.status {
            StatusCode::NO_CONTENT => Outcome::Done(None),
            status if status.is_success() => Outcome::Done(Some(answer.body)),
            StatusCode::TOO_MANY_REQUESTS => {
                Outcome::Refused(Refusal::Limited(wait::asked(&answer.headers, answer.answered_at)))
            }
            _ => Outcome::Refused(self.vendor.refusal(call, &answer)),
        }
    }

    /// What an answer to a call that reads brought.
    fn read_outcome<T>(
        &self,
        call: &Call,
        answer: Answer,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<T, ParseError>,
    ) -> Read<T> {
        if !answer.status.is_success() || answer.status == StatusCode::NO_CONTENT {
            return Read::Other(self.outcome(call, answer));
        }
        match parsed(&answer.body, account, read) {
            Ok(value) => Read::Value(value),
            Err(ParseError::BrokenOff(what)) => Read::Damaged { what, body: answer.body, is_passing: true },
            Err(ParseError::Garbled(what)) => {
                let is_passing = !begins_as_json(&answer.body);
                Read::Damaged { what, body: answer.body, is_passing }
            }
            // An error may come with success as its status.
            Err(ParseError::Shape { path, user, problem }) => match self.vendor.refusal(call, &answer) {
                Refusal::Illegible(_) => {
                    let (user, problem) = (user.into(), problem.into());
                    Read::Other(Outcome::Refused(Refusal::Final(Cause::InvalidAnswer { path, user, problem })))
                }
                refusal => Read::Other(Outcome::Refused(refusal)),
            },
        }
    }

    /// Makes a call and parses its answer; `None` for 204, and if the vendor says that the record does not exist any
    /// more. What fails for the moment is tried again, and so is an answer that is no JSON, unless it was meant as JSON, is
    /// whole, and comes in the same way a second time.
    pub(in crate::connector) async fn get<T>(
        &self,
        call: &Call,
        account: &Account,
        read: impl Fn(&[u8]) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ConnectorError> {
        let (mut attempt, mut refused, mut broken) = (1, None, Bytes::new());
        loop {
            let (token, answer) = self.once(call, account, refused).await?;
            let outcome = answer.map(|answer| self.read_outcome(call, answer, account, &read));
            let (what, asked) = match outcome {
                Ok(Read::Value(value)) => return Ok(Some(value)),
                Ok(Read::Other(Outcome::Done(_) | Outcome::Refused(Refusal::Gone))) => return Ok(None),
                Ok(Read::Other(Outcome::Refused(Refusal::StaleToken(code)))) => {
                    refused = Some(self.renew(call, refused, token, code)?);
                    account.retried();
                    continue;
                }
                Ok(Read::Other(Outcome::Refused(Refusal::Final(cause) | Refusal::Illegible(cause)))) => {
                    return Err(self.error(call, cause));
                }
                Ok(Read::Other(Outcome::Refused(Refusal::Limited(asked)))) => (LIMITED.to_owned().into(), asked),
                Ok(Read::Other(Outcome::Refused(Refusal::Failed(what, asked)))) => (what.into(), asked),
                Ok(Read::Damaged { what, body, is_passing }) => {
                    if body == broken && !is_passing {
                        return Err(self.error(call, Cause::DamagedAnswer(what)));
                    }
                    broken = body;
                    (what.into(), None)
                }
                Err(CallError::NoConnection { what, through_proxy }) => {
                    (Trouble { what, is_of_proxy: through_proxy }, None)
                }
                Err(CallError::Broken(what) | CallError::CutOff(what, _)) => (what.into(), None),
                Err(CallError::TooLarge(limit)) => return Err(self.error(call, Cause::TooLarge(limit))),
                Err(CallError::Redirect(status)) => return Err(self.error(call, Cause::Redirect(status))),
            };
            self.pause(call, account, attempt, asked, what).await?;
            attempt += 1;
            account.retried();
        }
    }

    /// Asks for a deletion, once; again only if the vendor certainly did nothing. `judge` reads an answer of success.
    pub(in crate::connector) async fn delete(
        &self,
        call: &Call,
        account: &Account,
        judge: impl Fn(&[u8]) -> Result<Removal, Cause>,
    ) -> Result<Removal, ConnectorError> {
        let (mut attempt, mut refused) = (1, None);
        loop {
            let (token, answer) = self.once(call, account, refused).await?;
            let asked = match answer.map(|answer| self.outcome(call, answer)) {
                Ok(Outcome::Done(body)) => {
                    return judge(&body.unwrap_or_default()).map_err(|cause| self.error(call, cause));
                }
                Ok(Outcome::Refused(Refusal::Gone)) => return Ok(Removal::AlreadyGone),
                Ok(Outcome::Refused(Refusal::StaleToken(code))) => {
                    refused = Some(self.renew(call, refused, token, code)?);
                    account.retried();
                    continue;
                }
                Ok(Outcome::Refused(Refusal::Limited(asked))) => asked,
                Ok(Outcome::Refused(Refusal::Final(cause))) => return Err(self.error(call, cause)),
                Ok(Outcome::Refused(Refusal::Illegible(cause))) => {
                    return Ok(Removal::Unknown(self.error(call, cause).to_string()));
                }
                Ok(Outcome::Refused(Refusal::Failed(what, _)))
                | Err(CallError::Broken(what) | CallError::CutOff(what, _)) => {
                    return Ok(Removal::Unknown(what));
                }
                // The server got nothing.
                Err(CallError::NoConnection { what, through_proxy }) => {
                    let trouble = Trouble { what, is_of_proxy: through_proxy };
                    self.pause(call, account, attempt, None, trouble).await?;
                    attempt += 1;
                    account.retried();
                    continue;
                }
                Err(CallError::TooLarge(limit)) => {
                    return Ok(Removal::Unknown(format!("an answer of more than {limit} bytes")));
                }
                // The redirecting server may have forwarded the request first.
                Err(CallError::Redirect(status)) => {
                    return Ok(Removal::Unknown(format!("a redirect, HTTP {status}")));
                }
            };
            self.pause(call, account, attempt, asked, LIMITED.to_owned().into()).await?;
            attempt += 1;
            account.retried();
        }
    }

    /// The token to renew; an error if the one that was refused before is new already.
    fn renew(&self, call: &Call, refused: Option<u64>, token: u64, code: String) -> Result<u64, ConnectorError> {
        match refused {
            None => Ok(token),
            Some(_) => Err(self.error(call, Cause::Unauthorized { credential: Credential::AccessToken, code })),
        }
    }

    /// Waits before the next try: as long as the server asks, or longer with each try.
    async fn pause(
        &self,
        call: &Call,
        account: &Account,
        attempt: u32,
        asked: Option<Duration>,
        Trouble { what, is_of_proxy }: Trouble,
    ) -> Result<(), ConnectorError> {
        let limits = self.session.limits();
        if attempt >= limits.attempts {
            let attempts = attempt;
            let cause =
                if is_of_proxy { Cause::Proxy { attempts, what } } else { Cause::Unavailable { attempts, what } };
            return Err(self.error(call, cause));
        }
        let backoff = wait::backoff(limits.backoff, limits.backoff_cap, attempt, rand::random());
        // Spread the retries of callers that were given the same second.
        let pause = asked.map_or(backoff, |wish| wish.saturating_add(backoff.min(limits.backoff)));
        if pause >= account.left() {
            return Err(self.error(call, Cause::RateLimited { wait: pause, left: account.left() }));
        }
        tracing::info!(call = %self.vendor.name(call), attempt, ?pause, what, "the call is repeated");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// What is read from a body, if need be from the repaired one.
fn parsed<T>(body: &[u8], account: &Account, read: impl Fn(&[u8]) -> Result<T, ParseError>) -> Result<T, ParseError> {
    let first = read(body);
    if !matches!(first, Err(ParseError::BrokenOff(_) | ParseError::Garbled(_))) {
        return first;
    }
    let Some(repaired) = repair(body) else { return first };
    match (read(repaired.text.as_bytes()), first) {
        // The place is the one in the answer as it came.
        (Err(ParseError::BrokenOff(_)), Err(ParseError::Garbled(what))) => Err(ParseError::BrokenOff(what)),
        (Err(ParseError::BrokenOff(_) | ParseError::Garbled(_)), first) => first,
        (result, _) => {
            if repaired.has_replaced_text {
                account.repaired();
            }
            result
        }
    }
}
