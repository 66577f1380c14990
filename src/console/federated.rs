//! The way over the identity provider, as a browser goes it.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;

use super::{
    Console, Page,
    guard::Client,
    oidc::{Answer, BACK, LONGEST, OidcError, Provider},
    page::{NoRight, Said},
    path::{LEAVE, OIDC, is_ours},
    session,
};
use crate::store::sessions::{SecretDigest, SignedIn};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route(OIDC, get(begin)).route(BACK, get(back)).route(LEAVE, get(leave))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
    /// Whether the person has to prove again who it is.
    #[serde(default)]
    again: bool,
}

/// Sends a browser to the provider, with a cookie by which it is known again.
async fn begin(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    Query(Next { next, again }): Query<Next>,
) -> Response {
    let Some(provider) = console.provider() else { return super::sign_in::not_found().await };
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    let secret = super::secret();
    let next = next.filter(|next| is_ours(next));
    match provider.begin(SecretDigest::of(&secret), next, again).await {
        Ok(url) => {
            let seconds = u32::try_from(LONGEST.num_seconds()).ok();
            let cookie = session::set(&console, name(&console), Some(&secret), seconds);
            (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(url.as_str())).into_response()
        }
        Err(error) => failed(client, &error),
    }
}

/// Sends a browser to the provider's page that ends the session there.
async fn leave(State(console): State<Arc<Console>>, Extension(client): Extension<Client>) -> Response {
    let Some(provider) = console.provider() else { return super::sign_in::not_found().await };
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    let mut back = console.setup.origin.clone();
    back.set_path("/sign-in");
    match provider.leave(back).await {
        Ok(Some(url)) => Redirect::to(url.as_str()).into_response(),
        Ok(None) => {
            let text =
                "The identity provider has no page to sign out. Sign out there, or close the browser.".to_owned();
            Page(Said { title: "You are signed out here", text }).into_response()
        }
        Err(error) => failed(client, &error),
    }
}

#[derive(Deserialize)]
struct Back {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Takes a browser back from the provider.
async fn back(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    let Some(provider) = console.provider() else { return super::sign_in::not_found().await };
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    match end(&console, provider, &headers, back).await {
        Ok((who, next)) => enter(&console, client, &headers, &who, next.as_deref()).await,
        Err(error) => failed(client, &error),
    }
}

async fn end(
    console: &Console,
    provider: &Provider,
    headers: &HeaderMap,
    back: Back,
) -> Result<(SignedIn, Option<String>), OidcError> {
    if let Some(error) = back.error {
        let description = back.error_description.unwrap_or_default();
        return Err(OidcError::Refused(format!("{error:?} {description:?}").chars().take(300).collect()));
    }
    let (Some(state), Some(code)) = (back.state, back.code) else { return Err(OidcError::Unexpected) };
    let browser = session::value(headers, name(console)).map(SecretDigest::of);
    provider.end(browser, Answer { state, code, issuer: back.iss }).await
}

/// Begins a session for someone who has a right.
async fn enter(console: &Console, client: Client, headers: &HeaderMap, who: &SignedIn, next: Option<&str>) -> Response {
    match console.viewer(who).await {
        Ok(Some(_)) => {}
        Ok(None) => {
            tracing::warn!(address = %who.address, client = %client.0, "a sign-in was refused: no right");
            return (StatusCode::FORBIDDEN, Page(NoRight { who: who.address.to_string() })).into_response();
        }
        Err(error) => return session::failed(&error),
    }
    match console.begin(headers, client.0, who, None).await {
        Ok(cookie) => {
            let over = (header::SET_COOKIE, session::set(console, name(console), None, None));
            (AppendHeaders([cookie, over]), Redirect::to(next.unwrap_or("/"))).into_response()
        }
        Err(error) => session::failed(&error),
    }
}

/// The cookie by which a browser is known again.
fn name(console: &Console) -> &'static str {
    if console.is_secure() { "__Host-rolecall-oidc" } else { "rolecall-oidc" }
}

/// What went wrong is for the log: a stranger learns nothing from it.
fn failed(client: Client, error: &OidcError) -> Response {
    tracing::warn!(client = %client.0, %error, "a sign-in failed");
    let (status, text) = match error {
        OidcError::Setup(_) | OidcError::Provider { .. } => {
            (StatusCode::BAD_GATEWAY, "The identity provider cannot be reached. Try again later.")
        }
        OidcError::Unexpected => {
            (StatusCode::FORBIDDEN, "The sign-in took too long, or began in another browser. Begin again.")
        }
        OidcError::NotAgain(_) => (
            StatusCode::FORBIDDEN,
            "The identity provider does not say that you signed in again just now. Begin again; if it stays so, tell who runs rolecall.",
        ),
        OidcError::NoAddress(_) | OidcError::Unverified(_) => {
            (StatusCode::FORBIDDEN, "The identity provider does not confirm your address.")
        }
        OidcError::Refused(_) | OidcError::Token(_) => {
            (StatusCode::FORBIDDEN, "The identity provider did not sign you in. Begin again.")
        }
    };
    (status, Page(Said { title: "You are not signed in", text: text.to_owned() })).into_response()
}
