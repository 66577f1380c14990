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

use super::replies::{Offers, Replies};
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use rustls_platform_verifier::Verifier;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use webpki::EndEntityCert;

/// The greeting that lettre gets if the server greeted before `STARTTLS`.
const GREETED: &[u8] = b"220 greeted before STARTTLS\r\n";

/// A connection to a mail server, encrypted or not.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    replies: Replies,
    is_over: bool,
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    fn new(socket: Socket, offers: &Offers) -> Self {
        Self { socket, replies: Replies::new(offers.clone()), is_over: false }
    }

    /// Unencrypted. What the server offers is noted in `offers`.
    pub(super) fn plain(stream: TcpStream, offers: &Offers) -> Self {
        Self::new(Socket::Plain(stream), offers)
    }

    /// Encrypted from the first byte.
    pub(super) async fn tls(stream: TcpStream, host: &str, roots: Option<&[u8]>, offers: &Offers) -> io::Result<Self> {
        Ok(Self::new(Socket::Tls(Box::new(handshake(stream, host, roots).await?)), offers))
    }

    /// Encrypted after the server greeted unencrypted and agreed to `STARTTLS`.
    pub(super) async fn upgraded(
        stream: TcpStream,
        host: &str,
        roots: Option<&[u8]>,
        offers: &Offers,
    ) -> io::Result<Self> {
        let mut connection = Self::tls(stream, host, roots, offers).await?;
        connection.replies.feed(GREETED);
        Ok(connection)
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
    let provider = crate::tls::provider();
    let verifier = Verifier::new_with_extra_roots(extra.clone(), Arc::clone(&provider))
        .map_err(|error| io::Error::other(crate::tls::not_set_up(&error)))?;
    let verifier = Trust { verifier, certificates: extra };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        // Called dangerous because it takes any verifier; this one adds to the system's own what the operator named.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// Trusts what the system trusts, and a server's own certificate if the operator named exactly this one: many servers have
/// a certificate that is its own authority, which no chain ends with.
#[derive(Debug)]
struct Trust {
    verifier: Verifier,
    certificates: Vec<CertificateDer<'static>>,
}

/// A server's certificate is its own authority, and the operator named another one, or none.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is self-signed, and {}", if *others_are_named { "it is not the one in `ca_file`" } else { "`ca_file` does not name it" })]
struct SelfSigned {
    others_are_named: bool,
}

fn is_its_own_authority(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.certificates.iter().any(|certificate| certificate == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
                if is_its_own_authority(end_entity) =>
            {
                let unknown = SelfSigned { others_are_named: !self.certificates.is_empty() };
                rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(unknown))))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
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
        while self.replies.is_empty() && !self.is_over {
            let mut space = [0; 4_096];
            let mut came = ReadBuf::new(&mut space);
            let read = match &mut self.socket {
                Socket::Plain(stream) => Pin::new(stream).poll_read(cx, &mut came),
                Socket::Tls(stream) => Pin::new(stream).poll_read(cx, &mut came),
            };
            std::task::ready!(read)?;
            if came.filled().is_empty() {
                self.is_over = true;
                self.replies.end();
            } else {
                self.replies.feed(came.filled());
            }
        }
        buffer.put_slice(&self.replies.take(buffer.remaining()));
        Poll::Ready(Ok(()))
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
