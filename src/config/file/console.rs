//! The web console as written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Secret;

/// The web console, which `rolecall daemon` serves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Console {
    /// Address and port (default 127.0.0.1:9720).
    #[schemars(with = "Option<String>")]
    pub(crate) listen: Option<Spanned<String>>,
    /// The address that people open, such as `https://rolecall.example.com`. Without it, the address of `listen`.
    #[schemars(with = "Option<String>")]
    pub(crate) public_url: Option<Spanned<String>>,
    /// A PEM file with the certificate of the server and those that lead to its authority.
    #[schemars(with = "Option<String>")]
    pub(crate) certificate: Option<Spanned<String>>,
    /// The private key of the certificate: `{ file = "PATH" }`.
    #[schemars(with = "Option<Secret>")]
    pub(crate) key: Option<Spanned<Secret>>,
    /// Addresses, or ranges such as `10.0.0.0/8`, of the proxies that requests come through.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) trusted_proxies: Vec<Spanned<String>>,
    /// Sign-in by OpenID Connect. Without it, people sign in with one-time links.
    #[schemars(with = "Option<Oidc>")]
    pub(crate) oidc: Option<Spanned<Oidc>>,
    /// Whether invitations and reminders of reviews sign their recipients in, and people may ask for a sign-in link by mail. By
    /// default, they do if there is a mail server and a `public_url`, and no OpenID Connect.
    #[schemars(with = "Option<bool>")]
    pub(crate) mail_links: Option<Spanned<bool>>,
    /// Who may do what, by address or `group:NAME`. Reviewers and owners of reviews need no entry.
    #[serde(default)]
    pub(crate) rights: Rights,
}

/// An OpenID Connect provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    /// The issuer, exactly as the provider states it.
    #[schemars(with = "String")]
    pub(crate) issuer: Spanned<String>,
    /// The client id.
    pub(crate) client_id: String,
    /// The client secret; without it, the client is a public one.
    #[schemars(with = "Option<Secret>")]
    pub(crate) client_secret: Option<Spanned<Secret>>,
    /// Scopes to ask for besides openid, email and profile.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The claim with the groups of a person (default `groups`).
    pub(crate) groups_claim: Option<String>,
    /// Accept addresses that the provider does not call verified: only for a provider that lets nobody choose an address.
    #[serde(default)]
    pub(crate) trust_email: bool,
}

/// Who may do what: addresses, or `group:NAME` for a group of the OpenID Connect provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rights {
    /// Those who open, assign and close reviews.
    #[schemars(with = "Vec<String>")]
    pub(crate) owners: Vec<Spanned<String>>,
    /// Those who read everything, evidence too, and change nothing.
    #[schemars(with = "Vec<String>")]
    pub(crate) auditors: Vec<Spanned<String>>,
    /// Those who read.
    #[schemars(with = "Vec<String>")]
    pub(crate) viewers: Vec<Spanned<String>>,
}
