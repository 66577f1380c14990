//! Serves recorded answers again on this machine, so that a connector reads them as it read the vendor's.
//!
//! The same request gets its answers in the order in which they were recorded. A request that was not recorded gets an
//! empty answer: a read asks ahead, and knows which answers it needed. [`Replay::missing`] lists those requests.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read as _},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// An answer: its status and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body is compressed by gzip.
    pub is_gzip: bool,
}

impl Recorded {
    fn body(&self) -> io::Result<Vec<u8>> {
        if !self.is_gzip {
            return Ok(self.body.clone());
        }
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(self.body.as_slice()).read_to_end(&mut body).map(|_| body)
    }
}

/// Serves recorded answers until it is dropped.
#[derive(Debug)]
pub struct Replay {
    /// The address that it listens on.
    pub base_url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    answers: Mutex<BTreeMap<String, VecDeque<Recorded>>>,
    /// Requests that were not recorded.
    missing: Mutex<Vec<String>>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Replay {
    /// Starts to serve the answers to each request, by path and query as in a request line.
    ///
    /// # Errors
    /// If no port on this machine can be opened.
    pub async fn start(answers: BTreeMap<String, VecDeque<Recorded>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { answers: Mutex::new(answers), missing: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { base_url, shared, server })
    }

    /// The requests that were made and not recorded: path and query.
    pub fn missing(&self) -> Vec<String> {
        lock(&self.shared.missing).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    // The token that a connector asks for first; it is good for nothing.
    if request.method() == axum::http::Method::POST {
        let token = r#"{"access_token":"recorded","expires_in":3600,"token_type":"Bearer"}"#;
        return ([(CONTENT_TYPE, "application/json")], token).into_response();
    }
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let recorded = lock(&shared.answers).get_mut(&asked).and_then(VecDeque::pop_front);
    // A body that cannot be read counts as not recorded.
    let Some((status, body)) = recorded.and_then(|recorded| Some((recorded.status, recorded.body().ok()?))) else {
        lock(&shared.missing).push(asked);
        return StatusCode::NO_CONTENT.into_response();
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
    response
}
