//! From a cookie to the person who is signed in.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;

use super::{Console, Page, guard::Known, page::NoRight, path, viewer::Viewer};
use crate::{
    connections::Admitted,
    store::{
        StoreError,
        sessions::{SecretDigest, Session},
    },
};

/// Uses of a session within this time are noted as one.
const NOTE_EVERY: TimeDelta = TimeDelta::seconds(60);
/// The longest value of a cookie that is looked at.
const LONGEST: usize = 128;

/// Why a page is not shown.
pub enum Refusal {
    /// Nobody is signed in.
    SignIn {
        /// Where to go after signing in; `None` for the first page.
        next: Option<String>,
    },
    /// The person has no right.
    NoRight(String),
    /// The store cannot be read.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { next } => Redirect::to(&path::sign_in(next.as_deref())).into_response(),
            Self::NoRight(who) => (StatusCode::FORBIDDEN, Page(NoRight { who })).into_response(),
            Self::Store(error) => failed(&error),
        }
    }
}

/// The answer if the store cannot be read or written. What is wrong is for the log: it names places of this machine.
pub(super) fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the console could not use the store");
    let text = "the store cannot be used; the log of the daemon says why\n";
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

impl FromRequestParts<Arc<Console>> for Viewer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Refusal> {
        if let Some(found) = signed_in(parts, console).await? {
            return found;
        }
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let next = parts.uri.path_and_query().filter(|_| reads).map(|path| path.as_str().to_owned());
        Err(Refusal::SignIn { next })
    }
}

impl OptionalFromRequestParts<Arc<Console>> for Viewer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Option<Self>, Refusal> {
        match signed_in(parts, console).await? {
            Some(Ok(viewer)) => Ok(Some(viewer)),
            Some(Err(_)) | None => Ok(None),
        }
    }
}

/// The person whose session a request carries; `None` if there is no session.
async fn signed_in(parts: &Parts, console: &Console) -> Result<Option<Result<Viewer, Refusal>>, StoreError> {
    let Some(id) = cookie(console, &parts.headers) else { return Ok(None) };
    let now = console.clock().now();
    let Some(Session { who, seen_at, .. }) = console.store().session(id, now).await? else { return Ok(None) };
    if now - seen_at >= NOTE_EVERY {
        console.store().use_session(id, now).await?;
    }
    if let Some(known) = parts.extensions.get::<Known>() {
        known.note(who.address.as_str());
    }
    let viewer = console.viewer(&who).await?;
    if let Some(connection) = parts.extensions.get::<Admitted>() {
        connection.admit();
    }
    Ok(Some(viewer.ok_or_else(|| Refusal::NoRight(who.address.to_string()))))
}

/// The name of the cookie. Browsers accept the prefix only over TLS, and then from no other host.
fn name(console: &Console) -> &'static str {
    if console.is_secure() { "__Host-rolecall" } else { "rolecall" }
}

/// The session that a request names.
pub(super) fn cookie(console: &Console, headers: &HeaderMap) -> Option<SecretDigest> {
    value(headers, name(console)).map(SecretDigest::of)
}

/// The value of a cookie.
pub(super) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value).filter(|value| value.len() <= LONGEST)
}

/// The header that gives the browser a session, or takes it away.
pub(super) fn set_cookie(console: &Console, secret: Option<&str>) -> HeaderValue {
    set(console, name(console), secret, None)
}

/// The header that gives the browser a cookie for some seconds or until it is closed, or takes it away.
pub(super) fn set(console: &Console, name: &str, value: Option<&str>, seconds: Option<u32>) -> HeaderValue {
    let secure = if console.is_secure() { "; Secure" } else { "" };
    let age = match (value, seconds) {
        (None, _) => "; Max-Age=0".to_owned(),
        (Some(_), Some(seconds)) => format!("; Max-Age={seconds}"),
        (Some(_), None) => String::new(),
    };
    let text = format!("{name}={}; Path=/; HttpOnly; SameSite=Lax{secure}{age}", value.unwrap_or_default());
    // Names are ours, and values are hexadecimal digits.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
