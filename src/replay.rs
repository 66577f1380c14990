//! Answers that were recorded, given once more on this machine: a connector reads them as it read the vendor's.
//!
//! The same request gets its answers in the order in which they were given. One that was not recorded gets none at all:
//! a read asks ahead, and does not wait for what it turns out not to need. [`Replay::stalled`] tells the other case.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    io::{self, Read as _},
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// Nothing was answered for so long, and somebody waits: what they wait for was not recorded.
const STALLED: Duration = Duration::from_secs(5);

/// An answer: its status, and where its body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The HTTP status.
    pub status: u16,
    /// The file of the body; compressed by gzip where its name ends so.
    pub file: PathBuf,
}

impl Recorded {
    fn body(&self) -> io::Result<Vec<u8>> {
        let bytes = fs::read(&self.file)?;
        if self.file.extension().is_none_or(|extension| extension != "gz") {
            return Ok(bytes);
        }
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut body).map(|_| body)
    }
}

/// Gives recorded answers until it is dropped.
#[derive(Debug)]
pub struct Replay {
    /// Where.
    pub base_url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    answers: Mutex<BTreeMap<String, VecDeque<Recorded>>>,
    waiting: Mutex<Waiting>,
}

/// Requests that were not recorded.
#[derive(Debug)]
struct Waiting {
    requests: Vec<String>,
    answered: Instant,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Replay {
    /// Begins, with the answers to each request: path and query, as they stand in a request line.
    ///
    /// # Errors
    /// Where this machine has no address to listen on.
    pub async fn start(answers: BTreeMap<String, VecDeque<Recorded>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let waiting = Waiting { requests: Vec::new(), answered: Instant::now() };
        let shared = Arc::new(Shared { answers: Mutex::new(answers), waiting: Mutex::new(waiting) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { base_url, shared, server })
    }

    /// Returns when somebody waits in vain, with the request.
    pub async fn stalled(&self) -> String {
        loop {
            tokio::time::sleep(STALLED / 10).await;
            let waiting = lock(&self.shared.waiting);
            if let Some(request) = waiting.requests.first().filter(|_| waiting.answered.elapsed() > STALLED) {
                return request.clone();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    // The token that a connector asks for first: it opens nothing.
    if request.method() == axum::http::Method::POST {
        let token = r#"{"access_token":"recorded","expires_in":3600,"token_type":"Bearer"}"#;
        return ([(CONTENT_TYPE, "application/json")], token).into_response();
    }
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let recorded = lock(&shared.answers).get_mut(&asked).and_then(VecDeque::pop_front);
    // A body that cannot be read was not recorded either.
    let Some((status, body)) = recorded.and_then(|recorded| Some((recorded.status, recorded.body().ok()?))) else {
        lock(&shared.waiting).requests.push(asked);
        return std::future::pending().await;
    };
    lock(&shared.waiting).answered = Instant::now();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
    response
}
