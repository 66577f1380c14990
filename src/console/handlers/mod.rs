//! The way from a request to a page: reads what the page is about, and asks for it. A person who may not see something is
//! told that it does not exist, unless a right is missing that the person could be given.

pub(in crate::console) mod deciding;
pub(in crate::console) mod desk;
pub(in crate::console) mod overview;
pub(in crate::console) mod past;
pub(in crate::console) mod record;
pub(in crate::console) mod reviews;
pub(in crate::console) mod sessions;
pub(in crate::console) mod trouble;
pub(in crate::console) mod workspace;

use askama::Template;
use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};

pub(in crate::console) use self::trouble::Trouble;
use super::Console;

/// A page.
fn html(status: StatusCode, page: &impl Template) -> Result<Response, Trouble> {
    let html = page.render().map_err(|error| Trouble::Broken(error.to_string()))?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

/// To another page, by GET.
fn to(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// The routes of all pages.
pub(in crate::console) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(overview::show))
        .route("/workspaces", get(workspace::list))
        .route("/workspaces/{workspace}", get(workspace::users))
        .route("/workspaces/{workspace}/users/{user}", get(workspace::person))
        .route("/workspaces/{workspace}/users/{user}/history", get(past::account))
        .route("/workspaces/{workspace}/past", get(past::day))
        .route("/workspaces/{workspace}/roles", get(workspace::roles))
        .route("/workspaces/{workspace}/profiles", get(workspace::profiles))
        .route("/workspaces/{workspace}/profiles/{profile}", get(workspace::profile))
        .route("/workspaces/{workspace}/findings", get(workspace::findings))
        .route("/runs", get(record::runs))
        .route("/evidence", get(record::bags))
        .route("/evidence/{folder}", get(record::bag))
        .route("/evidence/{folder}/bag.zip", get(record::download))
        .route("/settings", get(record::settings))
        .route("/sessions", get(sessions::list))
        .route("/sessions/end", post(sessions::end))
        .route("/reviews", get(reviews::list).post(reviews::open))
        .route("/reviews/{id}", get(reviews::show))
        .route("/reviews/{id}/keep", post(deciding::keep))
        .route("/reviews/{id}/attest", post(reviews::attest))
        .route("/reviews/{id}/close", post(reviews::close))
        .route("/reviews/{id}/remind", post(reviews::remind))
        .route("/reviews/{id}/cancel", post(reviews::cancel))
        .route("/reviews/{id}/items/{item}", get(deciding::show).post(deciding::decide))
        .route("/reviews/{id}/items/{item}/assign", post(deciding::assign))
}
