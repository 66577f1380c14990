//! The server over HTTP (Streamable HTTP), for clients that hold the token. Web pages in a browser are refused: by the
//! `Host` and `Origin` of their requests, and because they do not know the token.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Server, finish};

/// The path of the server.
pub const PATH: &str = "/mcp";
/// The largest request, in bytes; real requests have at most a few hundred.
const REQUEST: usize = 256 << 10;
/// The most concurrent sessions of clients that begin with `initialize`; each ends five minutes after its last call.
const SESSIONS: usize = 64;

/// The first revision without sessions; later ones also sort after it as text.
const WITHOUT_SESSIONS: &str = "2026-07-28";
/// Seconds between two log lines about refused tokens, each with their number.
const LOG_EVERY: u64 = 10;

/// Origins on this machine, which the protocol's conformance tests require.
const HERE: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// Which requests are admitted.
pub struct Admission {
    /// The token that every request carries.
    pub token: SecretString,
    /// Host names of the server, in addition to those for this machine.
    pub hosts: Vec<String>,
    /// Allowed values of `Origin` in addition to this machine's, such as `https://app.example.com:443`.
    pub origins: Vec<String>,
}

/// A bound listener.
pub struct Listener {
    listener: TcpListener,
    /// The address, with the actual port.
    pub address: SocketAddr,
}

/// What a request is checked for before it is read.
#[derive(Clone)]
struct Door {
    /// The token's digest: the time for comparing two digests does not reveal how much of a token was right.
    token: [u8; 32],
    sessions: Arc<LocalSessionManager>,
    refused: Arc<Refused>,
}

/// Counts requests without the token, so that an attacker cannot fill the log.
#[derive(Debug)]
struct Refused {
    began: Instant,
    since_logged: AtomicU64,
    /// Seconds from `began`.
    logged_at: AtomicU64,
}

impl Refused {
    fn new() -> Self {
        Self { began: Instant::now(), since_logged: AtomicU64::new(0), logged_at: AtomicU64::new(0) }
    }

    fn note(&self) {
        let count = self.since_logged.fetch_add(1, Ordering::Relaxed) + 1;
        // The first refusal is logged at once.
        let now = self.began.elapsed().as_secs() + LOG_EVERY;
        let logged_at = self.logged_at.load(Ordering::Relaxed);
        if now - logged_at >= LOG_EVERY
            && self.logged_at.compare_exchange(logged_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.since_logged.fetch_sub(count, Ordering::Relaxed);
            tracing::warn!(count, "requests without the right token were refused");
        }
    }
}

impl Listener {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Serves admitted requests until `stop` resolves.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self, server: Server, admission: Admission, stop: CancellationToken) -> io::Result<()> {
        let calls = server.calls.clone();
        // Sessions end after the calls in progress, whose answers go through them.
        let sessions_end = CancellationToken::new();
        let here = StreamableHttpServerConfig::default().allowed_hosts;
        let config = StreamableHttpServerConfig::default()
            .with_allowed_hosts(here.into_iter().chain(admission.hosts))
            .with_allowed_origins(HERE.map(str::to_owned).into_iter().chain(admission.origins))
            .enforce_origin_validation()
            .with_max_request_body_bytes(REQUEST)
            .with_cancellation_token(sessions_end.clone());
        let sessions = Arc::new(LocalSessionManager::default());
        let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
        let token = digest(admission.token.expose_secret());
        let routes = Router::new()
            .route_service(PATH, service)
            .layer(middleware::from_fn_with_state(Door { token, sessions, refused: Arc::new(Refused::new()) }, enter));
        let ending = async move {
            stop.cancelled().await;
            finish(&calls).await;
            sessions_end.cancel();
        };
        axum::serve(self.listener, routes).with_graceful_shutdown(ending).await
    }
}

async fn enter(State(door): State<Door>, request: Request, next: Next) -> Response {
    if presented(request.headers()).is_none_or(|token| digest(token) != door.token) {
        door.refused.note();
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"rolecall\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "the token is missing or wrong\n").into_response();
    }
    if begins_a_session(request.headers()) && door.sessions.sessions.read().await.len() >= SESSIONS {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sessions; end one, or wait\n").into_response();
    }
    next.run(request).await
}

/// Whether a request may begin a session. Revisions from 2026-07-28 on have no sessions and state their revision in each
/// request.
fn begins_a_session(headers: &HeaderMap) -> bool {
    let revision = headers.get("mcp-protocol-version").and_then(|revision| revision.to_str().ok());
    !headers.contains_key("mcp-session-id") && revision.is_none_or(|revision| revision < WITHOUT_SESSIONS)
}

/// The token that a request carries (RFC 6750, 2.1).
fn presented(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
