//! Serves HTTP within bounds: how many connections there are at a time, and how long a client may take for its request. A
//! client that holds connections open takes no file from the rest of the process.

pub mod certificate;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, http::HeaderMap, http::header};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::certificate::Certificate;

/// The most connections of one listener at a time. The limit of open files is far higher ([`raise_file_limit`]).
const CONNECTIONS: usize = 64;
/// How long a client may take for the headers of a request, and stay silent between two requests.
const HEADERS: Duration = Duration::from_secs(10);
/// The wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);
/// The limit of open files that a process asks for.
const FILES: u64 = 8_192;

/// Raises the limit of open files, as far as the system allows.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files could not be raised");
        }
    }
}

/// Marks a connection whose client has shown that it may use the server. Others make room for new ones.
#[derive(Debug, Clone, Default)]
pub struct Admitted(Arc<AtomicBool>);

impl Admitted {
    /// Marks the connection.
    pub fn admit(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_admitted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// A bound listener.
pub struct Listener {
    socket: TcpListener,
    /// The address, with the actual port.
    pub address: SocketAddr,
    /// The most connections at a time.
    most: usize,
    /// `None` for plain HTTP.
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, most: CONNECTIONS, tls: None })
    }

    /// The same, for this many connections at a time.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The same, over TLS with a certificate.
    ///
    /// # Errors
    /// If the certificate cannot be used.
    pub fn with_tls(self, certificate: &Arc<Certificate>) -> Result<Self, rustls::Error> {
        Ok(Self { tls: Some(TlsAcceptor::from(certificate.server()?)), ..self })
    }

    /// Serves until `stop` resolves; requests in progress are finished. Each request carries its connection's
    /// [`Admitted`] and [`Peer`].
    pub async fn serve(self, routes: Router, stop: impl Future<Output = ()> + Send) {
        let ending = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut open: VecDeque<(AbortHandle, Admitted)> = VecDeque::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = tasks.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        open.retain(|(task, _)| !task.is_finished());
                        if open.len() >= self.most && !make_room(&mut open) {
                            continue;
                        }
                        let admitted = Admitted::default();
                        let routes = routes.clone().layer(Extension(admitted.clone())).layer(Extension(Peer(peer.ip())));
                        let task = tasks.spawn(accept(stream, self.tls.clone(), routes, ending.clone()));
                        open.push_back((task, admitted));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        ending.cancel();
        while tasks.join_next().await.is_some() {}
    }
}

/// Closes the oldest connection that is not admitted. Returns whether there was one.
fn make_room(open: &mut VecDeque<(AbortHandle, Admitted)>) -> bool {
    let oldest = open.iter().position(|(_, admitted)| !admitted.is_admitted());
    let Some((task, _)) = oldest.and_then(|oldest| open.remove(oldest)) else { return false };
    task.abort();
    true
}

async fn accept(stream: TcpStream, tls: Option<TlsAcceptor>, routes: Router, ending: CancellationToken) {
    let Some(tls) = tls else { return serve(stream, routes, ending).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HEADERS, tls.accept(stream)) => shaken,
        () = ending.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => serve(stream, routes, ending).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection over TLS did not come about"),
        Err(_) => tracing::debug!("a client took too long to begin TLS"),
    }
}

async fn serve<S>(stream: S, routes: Router, ending: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
    );
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Whether a request is for this server: by address, by `localhost`, or by one of the names. A web page in a browser can reach
/// a server on this machine by a name of its own, and never by the address.
pub fn is_for(headers: &HeaderMap, names: &[String]) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<axum::http::uri::Authority>().ok()) else {
        return false;
    };
    let name = host.host();
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let is_listed = |listed: &String| listed.eq_ignore_ascii_case(name) || listed.eq_ignore_ascii_case(host.as_str());
    is_address || name.eq_ignore_ascii_case("localhost") || names.iter().any(is_listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_another_host_is_refused() {
        let names = ["status.example.com".to_owned(), "rolecall:9719".to_owned()];
        let asked = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_for(&headers, &names)
        };
        for host in
            ["127.0.0.1:9719", "[::1]:9719", "10.1.2.3", "localhost:9719", "STATUS.example.com:80", "rolecall:9719"]
        {
            assert!(asked(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "rolecall:1", "a b", ""] {
            assert!(!asked(host), "{host}");
        }
        assert!(is_for(&HeaderMap::new(), &names));
    }
}
