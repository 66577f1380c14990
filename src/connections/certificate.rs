//! The certificate of a server, which can be replaced while it serves.

use std::{
    fmt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::tls;

/// A certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file with the certificates.
    #[error("the certificate {path} cannot be used: {reason}")]
    Certificate {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The file with the key.
    #[error("the key {path} of the certificate cannot be used: {reason}")]
    Key {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}

/// The certificate that new connections get.
pub struct Certificate(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    /// The certificate and its key, from PEM files.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let refused =
            |reason: String| CertificateError::Certificate { path: certificate.display().to_string(), reason };
        let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| refused(error.to_string()))?;
        if chain.is_empty() {
            return Err(refused("it holds no certificate; expected PEM".to_owned()));
        }
        let place = key.display().to_string();
        let refused = |reason: String| CertificateError::Key { path: place.clone(), reason };
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(error.to_string()))?;
        let pair = CertifiedKey::from_der(chain, key, &tls::provider()).map_err(|error| refused(error.to_string()))?;
        Ok(Self(RwLock::new(Arc::new(pair))))
    }

    /// Takes the place of what this one has.
    pub fn replace(&self, by: &Self) {
        let new = by.current();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Settings of a server with this certificate: TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// If the cryptography does not have these versions.
    pub(super) fn server(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(tls::provider()).with_safe_default_protocol_versions()?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}
