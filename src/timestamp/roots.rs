//! The certificates that an authority's own must lead to.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use webpki::{EndEntityCert, KeyUsage};

use super::TokenError;
use crate::{digest::sha256, tls};

/// The purpose of timestamps (1.3.6.1.5.5.7.3.8), as it is encoded.
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// Trusted certificates of authorities.
#[derive(Clone, Default)]
pub struct Roots(Vec<(TrustAnchor<'static>, CertificateDer<'static>)>);

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}

impl Roots {
    /// Those in a text of PEM.
    ///
    /// # Errors
    /// The reason in words, also if there is none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|error| format!("it is not PEM: {error}"))?;
        let mut roots = Self::default();
        for certificate in certificates {
            roots.add(certificate).map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
        }
        if roots.0.is_empty() { Err("it has no certificate".to_owned()) } else { Ok(roots) }
    }

    /// Those that this machine trusts. What cannot be used is left out.
    pub fn of_this_machine() -> Self {
        let mut roots = Self::default();
        for certificate in rustls_native_certs::load_native_certs().certs {
            let _ = roots.add(certificate);
        }
        roots
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), webpki::Error> {
        let anchor = webpki::anchor_from_trusted_cert(&certificate)?.to_owned();
        self.0.push((anchor, certificate));
        Ok(())
    }

    /// Whether one of them has this SHA-256.
    pub fn has(&self, digest: &str) -> bool {
        self.0.iter().any(|(_, certificate)| sha256(certificate) == digest)
    }

    /// The one that a certificate leads to, which was valid for timestamps at a time.
    pub(super) fn leads(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        at: DateTime<Utc>,
    ) -> Result<Root, TokenError> {
        let untrusted = |error: webpki::Error| TokenError::Untrusted(words(&error));
        let certificate = EndEntityCert::try_from(leaf).map_err(untrusted)?;
        let anchors: Vec<_> = self.0.iter().map(|(anchor, _)| anchor.clone()).collect();
        let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
        let path = certificate.verify_for_usage(
            tls::provider().signature_verification_algorithms.all,
            &anchors,
            between,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            // The authority's own certificate must have it; that is checked apart.
            KeyUsage::required_if_present(TIME_STAMPING),
            None,
            None,
        );
        let path = path.map_err(untrusted)?;
        let found = self.0.iter().find(|(anchor, _)| anchor == path.anchor());
        let found = found.ok_or_else(|| TokenError::Untrusted("it leads nowhere".to_owned()))?;
        Ok(Root(found.1.clone()))
    }
}

/// A trusted certificate that an authority's own leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(CertificateDer<'static>);

impl Root {
    /// Its SHA-256.
    pub fn sha256(&self) -> String {
        sha256(&self.0)
    }

    /// As PEM, as `openssl` writes it.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it cannot be encoded, which is a defect of rolecall.
    pub fn pem(&self) -> Result<String, TokenError> {
        let pem = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &self.0);
        pem.map_err(|error| TokenError::Malformed(error.to_string()))
    }
}

/// What is wrong with a certificate, in words.
fn words(error: &webpki::Error) -> String {
    match error {
        webpki::Error::UnknownIssuer => "it does not lead to a trusted certificate".to_owned(),
        webpki::Error::CertExpired { .. } => "it, or one that it leads to, has expired".to_owned(),
        webpki::Error::CertNotValidYet { .. } => "it, or one that it leads to, is not valid yet".to_owned(),
        error => error.to_string(),
    }
}
