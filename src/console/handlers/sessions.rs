//! The sessions of a person: where they are signed in, and how to end that.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Form, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Trouble, html, to};
use crate::{
    console::{Console, fields::Fields, guard::Client, pages::sessions, session, viewer::Viewer},
    store::sessions::{SecretDigest, Session},
};

/// The sessions of the person, and the one of this request.
async fn own(
    console: &Console,
    viewer: &Viewer,
    headers: &HeaderMap,
) -> Result<(Vec<(SecretDigest, Session)>, Option<SecretDigest>), Trouble> {
    let all = console.store().sessions_of(&viewer.address, console.clock().now()).await?;
    Ok((all, session::cookie(console, headers)))
}

/// Where the person is signed in.
pub(in crate::console) async fn list(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (all, this) = own(&console, &viewer, &headers).await?;
    html(StatusCode::OK, &sessions::page(&viewer, &all, this))
}

/// Ends one session, or all but this.
pub(in crate::console) async fn end(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (all, this) = own(&console, &viewer, &headers).await?;
    let fields = Fields(fields);
    let which = fields.get("session");
    let ended = all.iter().filter(|(id, _)| Some(*id) != this && (which == "others" || id.name() == which));
    for (id, _) in ended {
        console.store().end_session(*id).await?;
        tracing::info!(address = %viewer.address, client = %client.0, "ended another session");
    }
    Ok(to("/sessions"))
}
