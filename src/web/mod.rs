//! What a daemon says of itself by HTTP: `/healthz`, `/readyz`, and `/metrics` for Prometheus.
//!
//! It tells names of jobs and workspaces, and at `/readyz` what is wrong with them, recipients included: its place is a
//! loopback address, or a network of those who may know.

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

/// A place that is listened at.
pub struct Server {
    listener: TcpListener,
    /// The address, with the port that it came to be.
    pub address: SocketAddr,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Answers until it is told to stop.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn serve(self, daemon: Arc<Daemon>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let routes = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_page))
            .with_state(daemon);
        axum::serve(self.listener, routes).with_graceful_shutdown(stop).await
    }
}

/// Whether the daemon works at all: for whoever would restart it.
async fn healthz(State(daemon): State<Arc<Daemon>>) -> Response {
    if daemon.is_alive() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck: nothing was done lately; the log says why\n").into_response()
    }
}

#[derive(Serialize)]
struct Answer {
    ready: bool,
    /// Why not, as one sentence each; empty where it is.
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

/// Whether every review that was due was made and delivered: for whoever watches.
async fn readyz(State(daemon): State<Arc<Daemon>>) -> Response {
    let ready = match daemon.health().await {
        Ok(health) => {
            let stuck = (!health.is_alive).then(|| "nothing was done lately; the log says why".to_owned());
            let sentences = health.incidents.iter().map(|incident| {
                let workspace =
                    incident.workspace.as_ref().map(|workspace| format!(" {workspace}")).unwrap_or_default();
                format!("{}{workspace}: {}", incident.job, incident.sentence())
            });
            let problems: Vec<String> = stuck.into_iter().chain(health.trouble).chain(sentences).collect();
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
