//! A proxy that damages what passes.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    thread,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    response::Response,
};
use tokio::net::TcpListener;

/// What the proxy does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Every call is answered with 503.
    Refuse,
    /// No call is answered.
    Stall,
    /// A bit of the next puts is changed.
    FlipPuts(usize),
    /// Only the first half of the next puts is passed on.
    HalvePuts(usize),
    /// A bit of each answer with an object is changed.
    FlipAnswers,
    /// Answers end in the middle.
    CutAnswers,
    /// Puts are passed on, and their answers are not.
    LoseAnswers,
    /// Puts replace what is there.
    IgnoreConditions,
    /// Puts name the algorithm of their checksum.
    NameChecksums,
}

pub(super) struct Proxy {
    pub(super) url: String,
    fault: Arc<Mutex<Fault>>,
}

#[derive(Clone)]
struct Way {
    to: String,
    fault: Arc<Mutex<Fault>>,
    client: reqwest::Client,
}

impl Proxy {
    pub(super) fn start(to: &str) -> Self {
        let fault = Arc::new(Mutex::new(Fault::None));
        let client = crate::tls::http().no_proxy().build().unwrap();
        let way = Way { to: to.to_owned(), fault: Arc::clone(&fault), client };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                axum::serve(listener, Router::new().fallback(pass).with_state(way)).await.unwrap();
            });
        });
        Self { url, fault }
    }

    pub(super) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

impl Way {
    /// The fault of this call; one of the next puts is counted.
    fn fault(&self, is_put: bool) -> Fault {
        let mut fault = self.fault.lock().unwrap();
        let now = *fault;
        match &mut *fault {
            Fault::FlipPuts(left) | Fault::HalvePuts(left) if is_put && *left > 0 => *left -= 1,
            Fault::FlipPuts(_) | Fault::HalvePuts(_) => return Fault::None,
            _ => {}
        }
        now
    }
}

async fn pass(State(way): State<Way>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let is_put = parts.method == Method::PUT;
    let fault = way.fault(is_put);
    let failed = |status| Ok(Response::builder().status(status).body(Body::empty()).unwrap());
    match fault {
        Fault::Refuse => return failed(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Stall => std::future::pending().await,
        _ => {}
    }
    let mut content = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    match fault {
        Fault::FlipPuts(_) if is_put => content[0] ^= 1,
        Fault::HalvePuts(_) if is_put => content.truncate(content.len() / 2),
        _ => {}
    }
    let mut headers = parts.headers;
    headers.remove("host");
    headers.remove("content-length");
    if fault == Fault::IgnoreConditions {
        headers.remove("if-none-match");
    }
    if fault == Fault::NameChecksums && is_put {
        headers.insert("x-amz-sdk-checksum-algorithm", HeaderValue::from_static("SHA256"));
    }
    let url = format!("{}{}", way.to, parts.uri);
    let answer = way.client.request(parts.method.clone(), url).headers(headers).body(content).send().await.unwrap();
    if fault == Fault::LoseAnswers && is_put {
        return failed(StatusCode::BAD_GATEWAY);
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if ![HeaderName::from_static("connection"), HeaderName::from_static("transfer-encoding")].contains(name) {
            response = response.header(name, value);
        }
    }
    let is_object = answer.status().is_success()
        && parts.method == Method::GET
        && !parts.uri.query().is_some_and(|query| query.contains("list-type"));
    let mut content = answer.bytes().await.unwrap().to_vec();
    let body = match fault {
        Fault::FlipAnswers if is_object => {
            let middle = content.len() / 2;
            content[middle] ^= 1;
            Body::from(content)
        }
        Fault::CutAnswers if !content.is_empty() => {
            content.truncate(content.len() / 2);
            let rest = futures::stream::iter([Ok(content), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
            Body::from_stream(rest)
        }
        _ => Body::from(content),
    };
    Ok(response.body(body).unwrap())
}
