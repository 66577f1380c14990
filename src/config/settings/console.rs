//! The web console.

use std::{net::SocketAddr, path::PathBuf};

use url::Url;

use super::SecretSource;
use crate::model::{network::Network, right::Rights};

/// The web console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address that people open; `None` for the address where it listens.
    pub public_url: Option<Url>,
    /// `None` if it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// The proxies that requests come through.
    pub trusted_proxies: Vec<Network>,
    /// `None` if people sign in with one-time links only.
    pub oidc: Option<Oidc>,
    /// Whether invitations and reminders sign their recipients in, and people may ask for a sign-in link by mail.
    pub mail_links: bool,
    /// Who may do what.
    pub rights: Rights,
}

/// The certificate of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificates, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// The issuer, exactly as written.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<SecretSource>,
    /// Scopes besides openid, email and profile.
    pub scopes: Vec<String>,
    /// The claim with the groups of a person.
    pub groups_claim: String,
    /// Whether an address counts that the provider does not call verified.
    pub trust_email: bool,
}
