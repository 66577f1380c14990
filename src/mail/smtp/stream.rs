//! The connection below the SMTP dialogue: TCP, and TLS with the certificate verified.
//!
//! lettre speaks the dialogue ([`lettre::transport::smtp::client::AsyncSmtpConnection`]). The connection is opened here
//! because lettre reports a failed handshake as a failed connection, and would take what a server (or an attacker in between)
//! sends unencrypted after its answer to `STARTTLS` as if it had been encrypted.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{
    ClientConfig, crypto,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The greeting that lettre gets if the server greeted before `STARTTLS`.
const GREETED: &[u8] = b"220 greeted before STARTTLS\r\n";

/// A connection to a mail server, encrypted or not.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    greeting: &'static [u8],
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Unencrypted.
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { socket: Socket::Plain(stream), greeting: b"" }
    }

    /// Encrypted from the first byte.
    pub(super) async fn tls(stream: TcpStream, host: &str, roots: Option<&[u8]>) -> io::Result<Self> {
        Ok(Self { socket: Socket::Tls(Box::new(handshake(stream, host, roots).await?)), greeting: b"" })
    }

    /// Encrypted after the server greeted unencrypted and agreed to `STARTTLS`.
    pub(super) async fn upgraded(stream: TcpStream, host: &str, roots: Option<&[u8]>) -> io::Result<Self> {
        Ok(Self { socket: Socket::Tls(Box::new(handshake(stream, host, roots).await?)), greeting: GREETED })
    }
}

async fn handshake(stream: TcpStream, host: &str, roots: Option<&[u8]>) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| io::Error::other(format!("“{host}” is not a name that a certificate can have")))?;
    TlsConnector::from(Arc::new(client_config(roots)?)).connect(name, stream).await
}

/// TLS 1.2 or newer, trusting the certificate authorities of the system and those of `roots` (PEM).
fn client_config(roots: Option<&[u8]>) -> io::Result<ClientConfig> {
    let extra: Vec<CertificateDer<'static>> = match roots {
        Some(pem) => CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| {
            io::Error::other(format!("the configured certificate authorities cannot be read: {error}"))
        })?,
        None => Vec::new(),
    };
    if roots.is_some() && extra.is_empty() {
        return Err(io::Error::other("the file of certificate authorities has no certificate in PEM format"));
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        // Called dangerous because it takes any verifier; this one is the system's own.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

impl AsyncTokioStream for Connection {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.socket {
            Socket::Plain(stream) => stream.peer_addr(),
            Socket::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let length = self.greeting.len().min(buffer.remaining());
            let (now, later) = self.greeting.split_at(length);
            buffer.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        match &mut self.socket {
            Socket::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Socket::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.socket {
            Socket::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
