//! A page as a response.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// A page made of a template. The headers that every page has are the guard's.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be written");
                (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written; see the log\n").into_response()
            }
        }
    }
}

/// A page that says that something is not there, or not possible.
#[derive(Template)]
#[template(path = "console/door/said.html")]
pub(super) struct Said {
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// The page for someone who is signed in and has no right.
#[derive(Template)]
#[template(path = "console/door/no-right.html")]
pub(super) struct NoRight {
    pub(super) who: String,
}
