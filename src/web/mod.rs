//! The daemon's status page: `/healthz`, `/readyz`, and `/metrics` for Prometheus.
//!
//! It is unauthenticated and names jobs and workspaces, and `/readyz` says what is wrong with them, including recipients.
//! It belongs on a loopback address or a trusted network.

mod metrics;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{daemon::Daemon, store::StoreError};

/// A bound listener.
pub struct Server {
    listener: TcpListener,
    /// The address, with the actual port.
    pub address: SocketAddr,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Serves until `stop` resolves.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self, daemon: Arc<Daemon>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let routes = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_page))
            .with_state(daemon);
        axum::serve(self.listener, routes).with_graceful_shutdown(stop).await
    }
}

/// Liveness: whether the daemon works at all.
async fn healthz(State(daemon): State<Arc<Daemon>>) -> Response {
    if daemon.is_alive() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck: no progress recently; see the log\n").into_response()
    }
}

#[derive(Serialize)]
struct Answer {
    ready: bool,
    /// One sentence per problem; empty if ready.
    problems: Vec<String>,
    #[serde(rename = "lapses")]
    incidents: Vec<Incident>,
}

#[derive(Serialize)]
struct Incident {
    kind: &'static str,
    job: String,
    workspace: Option<String>,
    run: Option<String>,
    at: String,
}

/// Readiness: whether every scheduled review took place and was delivered.
async fn readyz(State(daemon): State<Arc<Daemon>>) -> Response {
    let ready = match daemon.health().await {
        Ok(health) => {
            let stuck = (!health.is_alive).then(|| "the daemon has made no progress recently; see its log".to_owned());
            let sentences = health.incidents.iter().map(|incident| {
                let workspace =
                    incident.workspace.as_ref().map(|workspace| format!(" {workspace}")).unwrap_or_default();
                format!("{}{workspace}: {}", incident.job, incident.sentence())
            });
            let problems: Vec<String> = stuck.into_iter().chain(health.failure).chain(sentences).collect();
            let incidents = health.incidents.into_iter().map(|incident| Incident {
                kind: incident.kind.word(),
                job: incident.job,
                workspace: incident.workspace,
                run: incident.run.map(|run| run.to_string()),
                at: incident.at.to_rfc3339(),
            });
            Answer { ready: problems.is_empty(), problems, incidents: incidents.collect() }
        }
        Err(error) => Answer { ready: false, problems: vec![error.to_string()], incidents: Vec::new() },
    };
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready)).into_response()
}

async fn metrics_page(State(daemon): State<Arc<Daemon>>) -> Response {
    match metrics::page(&daemon).await {
        Ok(page) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response(),
        Err(error) => {
            let error: StoreError = error;
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}
