//! The cryptography of TLS, chosen once for every connection.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// The provider of every TLS connection. The first call also makes it the default of the process, which HTTP clients use.
pub fn provider() -> Arc<CryptoProvider> {
    // Fails only if another call was first; that one installed the same provider.
    let _ = ring::default_provider().install_default();
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone)
}

/// A builder of HTTP clients that use [`provider`].
pub fn http() -> reqwest::ClientBuilder {
    provider();
    reqwest::Client::builder()
}
