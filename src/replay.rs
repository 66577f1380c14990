//! Serves recorded answers again on this machine, so that a connector reads them as it read the vendor's.
//!
//! The same request gets its answers in the order in which they were recorded. A request that was not recorded gets an
//! empty answer: a read asks ahead, and knows which answers it needed. [`Replay::missing`] lists those requests.
//!
//! The answers contain personal data, and any account of this machine can connect to the port. Every path begins with a
//! secret that only this process knows; a request without it gets nothing and takes no answer away.

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
use uuid::Uuid;

/// An answer: its status and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body is compressed by gzip.
    pub is_gzip: bool,
    /// The bytes of the body before compression. One that has more is not served.
    pub length: u64,
}

impl Recorded {
    fn body(&self) -> io::Result<Vec<u8>> {
        if !self.is_gzip {
            return Ok(self.body.clone());
        }
        let mut body = Vec::new();
        let gzip = flate2::read::GzDecoder::new(self.body.as_slice());
        gzip.take(self.length.saturating_add(1)).read_to_end(&mut body)?;
        if body.len() as u64 > self.length {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the body is longer than its index says"));
        }
        Ok(body)
    }
}

/// Serves recorded answers until it is dropped.
#[derive(Debug)]
pub struct Replay {
    /// The address that it serves, with the secret in it.
    pub base_url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    /// What every path begins with.
    prefix: String,
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
        let prefix = format!("/{}", Uuid::new_v4().simple());
        let base_url = format!("http://{}{prefix}", listener.local_addr()?);
        let shared = Arc::new(Shared { prefix, answers: Mutex::new(answers), missing: Mutex::default() });
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
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some(asked) = asked.strip_prefix(&shared.prefix).map(str::to_owned) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // The token that a connector asks for first; it is good for nothing.
    if request.method() == axum::http::Method::POST {
        let token = r#"{"access_token":"recorded","expires_in":3600,"token_type":"Bearer"}"#;
        return ([(CONTENT_TYPE, "application/json")], token).into_response();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(body: &[u8], is_gzip: bool, length: u64) -> VecDeque<Recorded> {
        VecDeque::from([Recorded { status: 200, body: body.to_vec(), is_gzip, length }])
    }

    #[tokio::test]
    async fn only_who_knows_the_secret_gets_an_answer_or_takes_one_away() {
        let answers = BTreeMap::from([("/users?page=1".to_owned(), recorded(b"users", false, 5))]);
        let replay = Replay::start(answers).await.unwrap();
        let origin = replay.base_url.rsplit_once('/').unwrap().0;
        let get = async |url: String| {
            let answer = crate::tls::http().no_proxy().build().unwrap().get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        for path in ["/users?page=1", "/", "/other", "//users?page=1"] {
            assert_eq!(get(format!("{origin}{path}")).await, (404, String::new()), "{path}");
        }
        assert_eq!(replay.missing(), [""; 0], "a stranger does not spoil the result");
        assert_eq!(get(format!("{}/users?page=1", replay.base_url)).await, (200, "users".to_owned()));
        assert_eq!(get(format!("{}/users?page=2", replay.base_url)).await.0, 204);
        assert_eq!(replay.missing(), ["/users?page=2"]);
    }

    #[test]
    fn a_body_that_expands_to_more_than_was_recorded_is_not_served() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::Write::write_all(&mut gzip, &vec![b' '; 1 << 20]).unwrap();
        let packed = gzip.finish().unwrap();
        let body = |length| recorded(&packed, true, length)[0].body();
        assert_eq!(body(1 << 20).unwrap().len(), 1 << 20);
        assert!(body((1 << 20) - 1).is_err() && body(10).is_err());
    }
}
