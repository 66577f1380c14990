//! Signing in with a one-time link, and signing out. A link is shown by GET, which changes nothing: programs that look at
//! mail follow links. Only the button on the page uses it up.

use std::{net::IpAddr, sync::Arc};

use askama::Template;
use axum::{
    Extension, Form, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    Console, Page,
    attempts::network,
    browser::browser,
    guard::Client,
    page::Said,
    path::{AGAIN, LEAVE, OIDC, is_ours, query},
    session,
    viewer::Viewer,
};
use crate::{
    review::event::Via,
    store::{
        StoreError,
        sessions::{Link, Place, SecretDigest, SignedIn},
    },
};

/// The page that says how to sign in.
#[derive(Template)]
#[template(path = "console/door/sign-in.html")]
struct SignIn {
    ways: Vec<Way>,
    /// Whether a link can be asked for by mail.
    by_mail: bool,
    /// Where to go then; empty for the first page.
    next: String,
    /// Where the session at the identity provider ends; empty if there is none.
    leave: &'static str,
}

/// A way to sign in that a link leads to.
struct Way {
    address: String,
    title: String,
}

/// A one-time link before its button is pressed.
#[derive(Template)]
#[template(path = "console/door/link.html")]
struct Invitation {
    address: String,
    secret: String,
    until: String,
    next: String,
}

/// A link that does not sign in any more.
#[derive(Template)]
#[template(path = "console/door/spent.html")]
struct Spent {
    /// The secret by which its address is known; empty if another one cannot be sent to it.
    secret: String,
    /// Whether a link can be asked for by mail.
    by_mail: bool,
    next: String,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route(AGAIN, get(again))
        .route("/link/{secret}", get(show))
        .route("/link", post(enter))
        .route("/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
    /// Whether a session that began at the identity provider was just ended.
    #[serde(default)]
    left: bool,
}

async fn sign_in(
    State(console): State<Arc<Console>>,
    viewer: Option<Viewer>,
    Query(Next { next, left }): Query<Next>,
) -> Response {
    let next = next.filter(|next| is_ours(next));
    if viewer.is_some() {
        return Redirect::to(next.as_deref().unwrap_or("/")).into_response();
    }
    let address = next.as_ref().map_or_else(|| OIDC.to_owned(), |next| format!("{OIDC}?{}", query(next)));
    let way = console.provider().map(|_| Way { address, title: "Sign in at your organization".to_owned() });
    let by_mail = console.post().is_some();
    let leave = if left && way.is_some() { LEAVE } else { "" };
    Page(SignIn { ways: way.into_iter().collect(), by_mail, next: next.unwrap_or_default(), leave }).into_response()
}

/// The page on which somebody who is signed in proves again who it is.
#[derive(Template)]
#[template(path = "console/door/again.html")]
struct Again {
    address: String,
    /// The address at the identity provider; empty if the person did not sign in there.
    oidc: String,
    by_mail: bool,
    next: String,
}

async fn again(State(console): State<Arc<Console>>, viewer: Viewer, Query(Next { next, .. }): Query<Next>) -> Response {
    let next = next.filter(|next| is_ours(next)).unwrap_or_else(|| "/".to_owned());
    if viewer.is_fresh {
        return Redirect::to(&next).into_response();
    }
    let is_federated = viewer.via == Via::Console && console.provider().is_some();
    Page(Again {
        address: viewer.address.to_string(),
        oidc: if is_federated { format!("{OIDC}?again=true&{}", query(&next)) } else { String::new() },
        by_mail: !is_federated && console.post().is_some(),
        next,
    })
    .into_response()
}

/// Shows whom a link signs in. Nothing is changed.
async fn show(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    Path(secret): Path<String>,
    Query(Next { next, .. }): Query<Next>,
) -> Response {
    let next = next.filter(|next| is_ours(next)).unwrap_or_default();
    let found = match console.store().link(SecretDigest::of(&secret)).await {
        Ok(found) => found,
        Err(error) => return session::failed(&error),
    };
    let now = console.clock().now();
    // The page must not give its own address away, which is the secret.
    let quiet = [(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))];
    match found {
        Some(link) if link.is_valid(now) => {
            let until = link.valid_until.format("%H:%M UTC").to_string();
            (quiet, Page(Invitation { address: link.address.to_string(), secret, until, next })).into_response()
        }
        found => {
            let spent = spent(&console, found, &secret, next);
            console.too_many(client.0).unwrap_or_else(|| (quiet, spent).into_response())
        }
    }
}

#[derive(Deserialize)]
struct Entering {
    secret: String,
    next: Option<String>,
}

/// Uses a link up, and begins a session.
async fn enter(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(Entering { secret, next }): Form<Entering>,
) -> Response {
    let next = next.filter(|next| is_ours(next)).unwrap_or_default();
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    let link = SecretDigest::of(&secret);
    let found = match console.store().link(link).await {
        Ok(found) => found,
        Err(error) => return session::failed(&error),
    };
    let Some(valid) = found.clone().filter(|found| found.is_valid(console.clock().now())) else {
        tracing::warn!(client = %client.0, "a sign-in link was refused: unknown, used or expired");
        return spent(&console, found, &secret, next);
    };
    let who = SignedIn { proven_at: Some(console.clock().now()), ..SignedIn::by(valid.address, valid.via) };
    match console.begin(&headers, client.0, &who, Some(link)).await {
        Ok(cookie) => {
            let next = if next.is_empty() { "/" } else { &next };
            (AppendHeaders([cookie]), Redirect::to(next)).into_response()
        }
        Err(StoreError::Lost { .. }) => spent(&console, found, &secret, next),
        Err(error) => session::failed(&error),
    }
}

/// The page of a link that does not sign in. If it came by mail, the page offers another one to the same address.
fn spent(console: &Console, found: Option<Link>, secret: &str, next: String) -> Response {
    let by_mail = console.post().is_some();
    let again = found.filter(|link| by_mail && link.via == Via::MailLink).map(|_| secret.to_owned());
    let page = Spent { secret: again.unwrap_or_default(), by_mail, next };
    (StatusCode::GONE, Page(page)).into_response()
}

#[derive(Deserialize)]
struct Leaving {
    /// Whether all sessions of the person end.
    #[serde(default)]
    everywhere: bool,
}

async fn sign_out(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(Leaving { everywhere }): Form<Leaving>,
) -> Response {
    let next = match end(&console, client.0, &headers, everywhere).await {
        Ok(true) => "/sign-in?left=true",
        Ok(false) => "/sign-in",
        Err(error) => return session::failed(&error),
    };
    (AppendHeaders([(header::SET_COOKIE, session::set_cookie(&console, None))]), Redirect::to(next)).into_response()
}

/// Ends the session. Returns whether it began at the identity provider.
async fn end(console: &Console, client: IpAddr, headers: &HeaderMap, everywhere: bool) -> Result<bool, StoreError> {
    let Some(id) = session::cookie(console, headers) else { return Ok(false) };
    let Some(found) = console.store().session(id, console.clock().now()).await? else { return Ok(false) };
    let is_federated = found.who.identity.is_some();
    let address = found.who.address;
    if everywhere {
        console.store().end_sessions_of(&address).await?;
    } else {
        console.store().end_session(id).await?;
    }
    tracing::info!(%address, %client, everywhere, "signed out");
    Ok(is_federated)
}

/// The page for an address that leads nowhere.
pub(super) async fn not_found() -> Response {
    let said = Said { title: "There is no such page", text: "The address is wrong, or the page is gone.".to_owned() };
    (StatusCode::NOT_FOUND, Page(said)).into_response()
}

impl Console {
    /// Begins a session under a new secret, and gives the header with its cookie.
    pub(super) async fn begin(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        who: &SignedIn,
        link: Option<SecretDigest>,
    ) -> Result<(HeaderName, HeaderValue), StoreError> {
        let secret = super::secret();
        let replaced = session::cookie(self, headers);
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let place = Place { client: client.to_string(), browser: browser(agent) };
        let who = &SignedIn { place: Some(place), ..who.clone() };
        self.store().begin_session(SecretDigest::of(&secret), who, replaced, link, self.clock().now()).await?;
        tracing::info!(address = %who.address, via = who.via.word(), %client, "signed in");
        Ok((header::SET_COOKIE, session::set_cookie(self, Some(&secret))))
    }

    /// Counts an attempt to sign in. The answer if there were too many, `None` if not.
    pub(super) fn too_many(&self, client: IpAddr) -> Option<Response> {
        let now = self.clock().now();
        let counted =
            self.attempts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).count(network(client), now);
        let seconds = counted.err()?.num_seconds().max(1);
        tracing::warn!(%client, "too many attempts to sign in");
        let text = format!("Wait {seconds} seconds, then try again.");
        let page = Page(Said { title: "Too many attempts to sign in", text });
        let retry = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
        Some((StatusCode::TOO_MANY_REQUESTS, retry, page).into_response())
    }
}
