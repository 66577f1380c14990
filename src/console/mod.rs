//! The web console: how people get in ([`viewer`], sessions, one-time links), and the pages.
//!
//! [`Site`] is what pages are about, `handlers` lead from a request to a page, and `pages` are the pages.
//! `guard` looks at every request before anything else does. A page that names [`Viewer`] among its arguments is shown only
//! to someone who is signed in and has a right.

mod attempts;
mod browser;
mod federated;
mod fields;
mod guard;
mod handlers;
pub mod history;
pub mod index;
pub mod link;
pub mod oidc;
mod page;
mod pages;
mod part;
mod path;
pub mod post;
mod reviews;
mod session;
pub mod shelf;
mod sign_in;
pub mod site;
mod style;
#[cfg(test)]
pub(crate) mod testing;
pub mod viewer;
pub mod warm;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use url::Url;
use uuid::Uuid;

use self::{
    attempts::Attempts,
    oidc::Provider,
    post::Post,
    site::{Plans, Site},
};
pub use self::{page::Page, reviews::Reviews, style::address as stylesheet, viewer::Viewer};
use crate::{
    clock::Clock,
    digest::hex,
    model::{network::Network, right::Rights},
    review::state::Review,
    store::{Database, StoreError, sessions::SignedIn},
};

/// The largest request, in bytes.
const REQUEST: usize = 256 << 10;
/// The attempts to sign in that a client has within five minutes.
const SIGN_INS: u32 = 30;
/// The links by mail that a person gets within five minutes.
const LINKS: u32 = 3;

/// What the console is made of.
pub struct Setup {
    /// The store.
    pub store: Arc<dyn Database>,
    /// The clock.
    pub clock: Clock,
    /// The address that people open.
    pub origin: Url,
    /// Where the listener is. Requests that do not come over TLS, from this machine or from a trusted proxy are refused.
    pub transport: Transport,
    /// The proxies that requests come through.
    pub trusted_proxies: Vec<Network>,
    /// Who may do what.
    pub rights: Rights,
    /// The identity provider; `None` if people sign in with one-time links only.
    pub oidc: Option<oidc::Setup>,
    /// Sends sign-in links by mail; `None` if nobody signs in by mail.
    pub post: Option<Arc<dyn Post>>,
}

/// How requests reach the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS.
    Tls,
    /// In plain, from this machine.
    Loopback,
    /// In plain, from other machines: only from trusted proxies.
    Proxied,
}

impl Transport {
    /// How requests reach an address.
    pub fn of(address: SocketAddr, has_tls: bool) -> Self {
        match (has_tls, address.ip().is_loopback()) {
            (true, _) => Self::Tls,
            (false, true) => Self::Loopback,
            (false, false) => Self::Proxied,
        }
    }
}

/// The address that people open if the configuration names none.
///
/// # Errors
/// If the address cannot be part of a URL.
pub fn origin(address: SocketAddr, transport: Transport) -> Result<Url, url::ParseError> {
    let scheme = if transport == Transport::Tls { "https" } else { "http" };
    Url::parse(&format!("{scheme}://{address}"))
}

/// The console.
pub struct Console {
    setup: Setup,
    /// Those of [`Setup`], until the configuration is reloaded.
    rights: RwLock<Arc<Rights>>,
    reviews: Reviews,
    attempts: Mutex<Attempts<IpAddr>>,
    /// The links by mail that were asked for, by address.
    asked: Mutex<Attempts<String>>,
    provider: Option<Provider>,
    site: Site,
}

impl Console {
    /// A console. `plans` is what pages show of the configuration.
    ///
    /// # Errors
    /// If the identity provider cannot be used with these settings, with the reason.
    pub fn new(mut setup: Setup, plans: Plans) -> Result<Arc<Self>, String> {
        let rights = RwLock::new(Arc::new(setup.rights.clone()));
        let provider = setup.oidc.take().map(|oidc| Provider::new(oidc, &setup.origin, setup.clock.clone()));
        let provider = provider.transpose().map_err(|error| error.to_string())?;
        let site = Site::new(Arc::clone(&setup.store), setup.clock.clone(), plans);
        let attempts = Mutex::new(Attempts::at_most(SIGN_INS));
        let asked = Mutex::new(Attempts::at_most(LINKS));
        Ok(Arc::new(Self { setup, rights, reviews: Reviews::default(), attempts, asked, provider, site }))
    }

    /// The store.
    pub fn store(&self) -> &dyn Database {
        &*self.setup.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.setup.clock
    }

    /// What the pages are about.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// A review as it stands. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn review(&self, id: Uuid) -> Result<Option<Arc<Review>>, StoreError> {
        let unfinished = self.store().unfinished_reviews().await?;
        match unfinished.iter().find(|summary| summary.id == id) {
            Some(summary) => self.reviews.get(self.store(), summary).await,
            None => self.site.shelf.finished(id).await,
        }
    }

    /// The reviews that are not finished.
    pub fn reviews(&self) -> &Reviews {
        &self.reviews
    }

    /// Takes over who may do what from a new configuration. It holds from the next request on.
    pub fn set_rights(&self, rights: Rights) {
        *self.rights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rights);
    }

    /// The person who signed in; `None` without any right.
    async fn viewer(&self, who: &SignedIn) -> Result<Option<Viewer>, StoreError> {
        let given = self.rights().of(who.address.as_str(), &who.groups);
        let seats = self.reviews().seats(self.store(), &who.address).await?;
        let is_fresh = who.is_fresh(self.clock().now());
        let viewer = Viewer::of(who.address.clone(), who.name.clone(), given, seats, who.via);
        Ok(viewer.map(|viewer| Viewer { is_fresh, ..viewer }))
    }

    fn post(&self) -> Option<&dyn Post> {
        self.setup.post.as_deref()
    }

    fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    fn rights(&self) -> Arc<Rights> {
        Arc::clone(&self.rights.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether browsers reach the console over TLS.
    fn is_secure(&self) -> bool {
        self.setup.origin.scheme() == "https"
    }
}

/// The routes. `pages` are shown to people with a right; the rest of the routes lets them in.
pub fn routes(console: Arc<Console>) -> Router {
    Router::new()
        .merge(handlers::routes())
        .merge(sign_in::routes())
        .merge(federated::routes())
        .merge(post::routes())
        .merge(style::routes())
        .fallback(sign_in::not_found)
        .layer(DefaultBodyLimit::max(REQUEST))
        .layer(middleware::from_fn_with_state(Arc::clone(&console), guard::enter))
        .with_state(console)
}

/// A new secret: 256 random bits, as hexadecimal digits.
pub fn secret() -> String {
    hex(&rand::random::<[u8; 32]>())
}
