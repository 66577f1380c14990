//! What every connection shares: the cryptography of TLS, chosen once, and clients that call this machine directly.

use std::{error::Error, sync::Arc};

use rustls::crypto::{CryptoProvider, ring};
use url::{Host, Url};

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

/// The same, for calls of one address: no proxy is used for this machine.
pub fn http_to(url: &Url) -> reqwest::ClientBuilder {
    if is_this_machine(url) { http().no_proxy() } else { http() }
}

/// Whether an address is this machine itself.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why TLS cannot be set up, with what helps if the certificates of the machine are missing.
pub fn not_set_up(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{cause}. If this machine has no CA certificates, install the package `ca-certificates`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_name_and_by_address() {
        let is_here = |url: &str| is_this_machine(&url.parse().unwrap());
        for url in ["http://localhost:1/x", "http://127.0.0.1", "https://127.9.9.9:1", "http://[::1]:80/"] {
            assert!(is_here(url), "{url}");
        }
        for url in ["http://localhost.example.com", "https://10.0.0.1", "http://[::2]/", "data:text/plain,x"] {
            assert!(!is_here(url), "{url}");
        }
    }
}
