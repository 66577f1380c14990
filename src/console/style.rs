//! The one stylesheet. Its digest is in its name, so that a browser keeps it until it changes.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::Console;
use crate::digest::sha256;

/// The stylesheet of the report, that of the way in, and what only the pages have.
const STYLES: &str = concat!(
    include_str!("../../templates/report/report.css"),
    include_str!("../../templates/console/console.css"),
    include_str!("../../templates/console/pages.css"),
);

static ADDRESS: LazyLock<String> = LazyLock::new(|| format!("/console-{}.css", &sha256(STYLES.as_bytes())[..16]));

/// Its address.
pub fn address() -> &'static str {
    &ADDRESS
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route(address(), get(styles))
}

async fn styles() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLES).into_response()
}
