//! The daemon's status page: `/` for people, `/healthz`, `/readyz`, and `/metrics` for Prometheus.
//!
//! It is unauthenticated and names jobs and workspaces, and no person. It belongs on a loopback address or a trusted network.

mod answer;
mod metrics;
mod page;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};

use self::answer::Answer;
use crate::{connections, daemon::Daemon};

/// What a browser may do with the page: show it, with its own styles.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// How long an answer waits for the store: less than the ten seconds of Prometheus.
const PATIENCE: Duration = Duration::from_secs(5);

/// Said of a store that takes longer.
const NO_ANSWER: &str = "the store does not answer; see the log";

/// The routes, for requests to this host or one of the names.
pub fn routes(daemon: Arc<Daemon>, names: Vec<String>) -> Router {
    Router::new()
        .route("/", get(status_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_page))
        .with_state(daemon)
        .layer(middleware::from_fn_with_state(Arc::new(names), enter))
}

async fn enter(State(names): State<Arc<Vec<String>>>, request: Request, next: Next) -> Response {
    if connections::is_for(request.headers(), &names) {
        return next.run(request).await;
    }
    let refusal = "this host name is not one of this server's; name it in `[daemon] allowed_hosts`\n";
    (StatusCode::FORBIDDEN, refusal).into_response()
}

/// For people: jobs, what is next, what is wrong.
async fn status_page(State(daemon): State<Arc<Daemon>>) -> Response {
    let (is_whole, page) = page::page(&daemon).await;
    let status = if is_whole { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, page).into_response()
}

/// Liveness: whether the daemon works at all.
async fn healthz(State(daemon): State<Arc<Daemon>>) -> Response {
    if daemon.is_alive() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck: no progress recently; see the log\n").into_response()
    }
}

/// Readiness: whether every scheduled review took place and was delivered.
async fn readyz(State(daemon): State<Arc<Daemon>>) -> Response {
    let answer = match tokio::time::timeout(PATIENCE, daemon.health()).await {
        Ok(health) => Answer::of(health, daemon.membership()),
        Err(_) => Answer::without_health(NO_ANSWER.to_owned(), daemon.membership()),
    };
    let status = if answer.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer)).into_response()
}

async fn metrics_page(State(daemon): State<Arc<Daemon>>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::page(&daemon).await).into_response()
}
