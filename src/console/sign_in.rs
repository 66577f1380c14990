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
    guard::Client,
    page::Said,
    path::{OIDC, is_ours, query},
    session,
    viewer::Viewer,
};
use crate::store::{
    StoreError,
    sessions::{SecretDigest, SignedIn},
};

/// The page that says how to sign in.
#[derive(Template)]
#[template(path = "console/door/sign-in.html")]
struct SignIn {
    ways: Vec<Way>,
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
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/link/{secret}", get(show))
        .route("/link", post(enter))
        .route("/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

async fn sign_in(
    State(console): State<Arc<Console>>,
    viewer: Option<Viewer>,
    Query(Next { next }): Query<Next>,
) -> Response {
    let next = next.filter(|next| is_ours(next));
    if viewer.is_some() {
        return Redirect::to(next.as_deref().unwrap_or("/")).into_response();
    }
    let address = next.map_or_else(|| OIDC.to_owned(), |next| format!("{OIDC}?{}", query(&next)));
    let way = console.provider().map(|_| Way { address, title: "Sign in at your organization".to_owned() });
    Page(SignIn { ways: way.into_iter().collect() }).into_response()
}

/// Shows whom a link signs in. Nothing is changed.
async fn show(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    Path(secret): Path<String>,
) -> Response {
    let found = match console.store().link(SecretDigest::of(&secret)).await {
        Ok(found) => found,
        Err(error) => return session::failed(&error),
    };
    let now = console.clock().now();
    // The page must not give its own address away, which is the secret.
    let quiet = [(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))];
    match found.filter(|link| link.is_valid(now)) {
        Some(link) => (quiet, Page(Invitation { address: link.address.to_string(), secret })).into_response(),
        None => console.too_many(client.0).unwrap_or_else(|| (quiet, no_such_link()).into_response()),
    }
}

#[derive(Deserialize)]
struct Entering {
    secret: String,
}

/// Uses a link up, and begins a session.
async fn enter(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(Entering { secret }): Form<Entering>,
) -> Response {
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    let link = SecretDigest::of(&secret);
    let found = match console.store().link(link).await {
        Ok(found) => found,
        Err(error) => return session::failed(&error),
    };
    let Some(found) = found.filter(|found| found.is_valid(console.clock().now())) else {
        tracing::warn!(client = %client.0, "a sign-in link was refused: unknown, used or expired");
        return no_such_link();
    };
    let who = SignedIn { address: found.address, name: None, groups: Vec::new(), via: found.via, identity: None };
    match console.begin(&headers, client.0, &who, Some(link)).await {
        Ok(cookie) => (AppendHeaders([cookie]), Redirect::to("/")).into_response(),
        Err(StoreError::Lost { .. }) => no_such_link(),
        Err(error) => session::failed(&error),
    }
}

fn no_such_link() -> Response {
    let said = Said {
        title: "This link does not sign in",
        text: "It was used before, is older than 15 minutes, or is incomplete. Ask for another one.".to_owned(),
    };
    (StatusCode::GONE, Page(said)).into_response()
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
    if let Err(error) = end(&console, client.0, &headers, everywhere).await {
        return session::failed(&error);
    }
    (AppendHeaders([(header::SET_COOKIE, session::set_cookie(&console, None))]), Redirect::to("/sign-in"))
        .into_response()
}

async fn end(console: &Console, client: IpAddr, headers: &HeaderMap, everywhere: bool) -> Result<(), StoreError> {
    let Some(id) = session::cookie(console, headers) else { return Ok(()) };
    let Some(found) = console.store().session(id, console.clock().now()).await? else { return Ok(()) };
    let address = found.who.address;
    if everywhere {
        console.store().end_sessions_of(&address).await?;
    } else {
        console.store().end_session(id).await?;
    }
    tracing::info!(%address, %client, everywhere, "signed out");
    Ok(())
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
        self.store().begin_session(SecretDigest::of(&secret), who, replaced, link, self.clock().now()).await?;
        tracing::info!(address = %who.address, via = who.via.word(), %client, "signed in");
        Ok((header::SET_COOKIE, session::set_cookie(self, Some(&secret))))
    }

    /// Counts an attempt to sign in. The answer if there were too many, `None` if not.
    pub(super) fn too_many(&self, client: IpAddr) -> Option<Response> {
        let now = self.clock().now();
        let counted = self.attempts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).count(client, now);
        let seconds = counted.err()?.num_seconds().max(1);
        tracing::warn!(%client, "too many attempts to sign in");
        let text = format!("Wait {seconds} seconds, then try again.");
        let page = Page(Said { title: "Too many attempts to sign in", text });
        let retry = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
        Some((StatusCode::TOO_MANY_REQUESTS, retry, page).into_response())
    }
}
