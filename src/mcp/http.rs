//! The server over HTTP (Streamable HTTP), for clients that hold the token. Web pages in a browser are refused: by the
//! `Host` and `Origin` of their requests, and because they do not know the token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::{
    model::ProtocolVersion,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Server, finish, frame};
use crate::connections::{Admitted, Listener};

/// The path of the server.
pub const PATH: &str = "/mcp";
/// The largest request, in bytes; real requests have at most a few hundred.
const REQUEST: usize = 256 << 10;
/// How long a client may take to send the body of a request.
const BODY: Duration = Duration::from_secs(30);
/// The most concurrent sessions of clients that begin with `initialize`; each ends five minutes after its last call.
const SESSIONS: usize = 64;

/// The first revision without sessions; later ones also sort after it as text.
const WITHOUT_SESSIONS: &str = "2026-07-28";
/// How long refused tokens are counted before the log says how many they were.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// The header that states a revision.
const REVISION: &str = "mcp-protocol-version";
/// The same in a message.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The kinds of answers of the protocol.
const KINDS: [&str; 2] = ["application/json", "text/event-stream"];

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

/// What a request is checked for before it is read.
#[derive(Clone)]
struct Door {
    /// The token's digest: the time for comparing two digests does not reveal how much of a token was right.
    token: [u8; 32],
    /// How long the body of a request may take.
    patience: Duration,
    sessions: Arc<LocalSessionManager>,
    refused: Arc<Refused>,
}

/// Counts requests without the token, so that an attacker cannot fill the log.
#[derive(Debug, Default)]
struct Refused {
    /// Those that no line of the log has counted yet.
    uncounted: AtomicU64,
}

impl Refused {
    /// Logs the first one at once, and after a while how many followed.
    fn note(self: &Arc<Self>) {
        if self.uncounted.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        tracing::warn!(count = 1, "requests without the right token were refused");
        let refused = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(LOG_EVERY).await;
            refused.tell();
        });
    }

    /// Logs how many followed the first one.
    fn tell(&self) {
        let count = self.uncounted.swap(0, Ordering::Relaxed).saturating_sub(1);
        if count > 0 {
            tracing::warn!(count, "more requests without the right token were refused");
        }
    }
}

/// Serves admitted requests until `stop` resolves.
pub async fn serve(listener: Listener, server: Server, admission: Admission, stop: CancellationToken) {
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
    let refused = Arc::<Refused>::default();
    let door = Door { token, patience: BODY, sessions, refused: Arc::clone(&refused) };
    let routes = Router::new().route_service(PATH, service).layer(middleware::from_fn_with_state(door, enter));
    let ending = async move {
        stop.cancelled().await;
        finish(&calls).await;
        sessions_end.cancel();
    };
    listener.serve(routes, ending).await;
    refused.tell();
}

async fn enter(
    State(door): State<Door>,
    Extension(connection): Extension<Admitted>,
    request: Request,
    next: Next,
) -> Response {
    if presented(request.headers()).is_none_or(|token| digest(token) != door.token) {
        door.refused.note();
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"rolecall\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "the token is missing or wrong\n").into_response();
    }
    connection.admit();
    let request = match read(request, door.patience).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if begins_a_session(request.headers()) && door.sessions.sessions.read().await.len() >= SESSIONS {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sessions; end one, or wait\n").into_response();
    }
    next.run(request).await
}

/// A request that the protocol can read, with headers as it expects them; or the answer to another one.
async fn read(request: Request, patience: Duration) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    accept_ranges(&mut parts.headers);
    if parts.method != Method::POST {
        negotiate(&mut parts.headers, false);
        return Ok(Request::from_parts(parts, body));
    }
    let too_slow = |_| (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response();
    let too_large = |_| (StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n").into_response();
    let body = tokio::time::timeout(patience, axum::body::to_bytes(body, REQUEST)).await;
    let bytes = body.map_err(too_slow)?.map_err(too_large)?;
    let message = frame::read(&bytes).map_err(|refusal| (StatusCode::BAD_REQUEST, Json(refusal)).into_response())?;
    negotiate(&mut parts.headers, !message["params"]["_meta"][META_VERSION].is_null());
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Names the kinds of answers that a client accepts by a range such as `*/*`, which the protocol does not look for. A client that
/// names none accepts both.
fn accept_ranges(headers: &mut HeaderMap) {
    let values: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let ranges: Vec<Range> = values.iter().flat_map(|value| value.split(',')).map(Range::of).collect();
    if !ranges.is_empty() && !ranges.iter().any(|range| range.name.ends_with("/*")) {
        return;
    }
    let is_accepted = |kind: &&str| ranges.is_empty() || accepts(&ranges, kind);
    let accepted = KINDS.into_iter().filter(is_accepted).collect::<Vec<_>>().join(", ");
    if let Ok(accepted) = HeaderValue::from_str(&accepted) {
        headers.insert(header::ACCEPT, accepted);
    }
}

/// A range of media types in `Accept`: in lower case, and whether its weight is zero.
struct Range {
    name: String,
    is_excluded: bool,
}

impl Range {
    fn of(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let is_excluded = weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0);
        Self { name, is_excluded }
    }
}

/// Whether a kind of answer is accepted: the most specific range that has it decides (RFC 9110, 12.5.1).
fn accepts(ranges: &[Range], kind: &str) -> bool {
    let all_of_its_type = format!("{}/*", kind.split('/').next().unwrap_or_default());
    let of = |name: &str| ranges.iter().find(|range| range.name == name);
    of(kind).or_else(|| of(&all_of_its_type)).or_else(|| of("*/*")).is_some_and(|range| !range.is_excluded)
}

/// A revision that is newer than all we know says nothing about a session, in which the revision is agreed on. Without one,
/// a message that states its own revision is answered with those that we know.
fn negotiate(headers: &mut HeaderMap, states_its_own: bool) {
    let newest = ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str).max().unwrap_or_default();
    let revision = headers.get(REVISION).and_then(|revision| revision.to_str().ok());
    let is_newer = revision.is_some_and(|revision| is_date(revision) && revision > newest);
    if is_newer && !states_its_own {
        headers.remove(REVISION);
    }
}

/// Whether a text has the form of a revision, such as 2026-07-28.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Whether a request may begin a session. Revisions from 2026-07-28 on have no sessions and state their revision in each
/// request.
fn begins_a_session(headers: &HeaderMap) -> bool {
    let revision = headers.get(REVISION).and_then(|revision| revision.to_str().ok());
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    /// A server that repeats the body of each request, and gives this long for it.
    async fn server(patience: Duration) -> (std::net::SocketAddr, CancellationToken) {
        let (sessions, refused) = (Arc::default(), Arc::default());
        let door = Door { token: digest("token"), patience, sessions, refused };
        let routes = Router::new()
            .route(PATH, axum::routing::post(|body: String| async { body }))
            .layer(middleware::from_fn_with_state(door, enter));
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, stop) = (listener.address, CancellationToken::new());
        tokio::spawn(listener.serve(routes, stop.clone().cancelled_owned()));
        (address, stop)
    }

    /// What the server answers to a request with this body, of which the client sends only so many bytes.
    async fn answer(address: std::net::SocketAddr, body: &str, sent: usize, connection: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token\r\nMcp-Session-Id: 1\r\n\
             Connection: {connection}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        for byte in &body.as_bytes()[..sent] {
            stream.write_all(&[*byte]).await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[test]
    fn ranges_are_accepted_as_http_has_them() {
        let both = "application/json, text/event-stream";
        for (written, expected) in [
            ("*/*", both),
            ("application/*, text/*", both),
            ("text/event-stream, Application/*; q=0.5", both),
            ("text/html, */*;q=0.1", both),
            ("application/json, */*; q=0.8", both),
            ("*/*, application/json;q=0", "text/event-stream"),
            ("application/*;q=0, */*", "text/event-stream"),
            ("application/*, text/*;q=0.000", "application/json"),
            ("application/*", "application/json"),
            ("*/*;q=0", ""),
            ("image/*", ""),
            // Without a range, it is left to the protocol.
            ("application/json", "application/json"),
            ("text/html", "text/html"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(written));
            accept_ranges(&mut headers);
            assert_eq!(headers[header::ACCEPT], expected, "{written}");
        }
        let mut headers = HeaderMap::new();
        accept_ranges(&mut headers);
        assert_eq!(headers[header::ACCEPT], both);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/*"));
        headers.append(header::ACCEPT, HeaderValue::from_static("text/*"));
        accept_ranges(&mut headers);
        assert_eq!(headers.get_all(header::ACCEPT).iter().collect::<Vec<_>>(), [both]);
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_refused_and_its_connection_closed() {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let (patient, _stop) = server(BODY).await;
        let whole = answer(patient, body, body.len(), "close").await;
        assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with(body), "{whole}");
        let (hasty, _stop) = server(Duration::from_millis(50)).await;
        let half = answer(hasty, body, 20, "keep-alive").await;
        assert!(half.starts_with("HTTP/1.1 408 ") && half.ends_with("the request took too long\n"), "{half}");
    }
}
