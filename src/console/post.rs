//! Sign-in links by mail, for people who ask for one. Whether an address has a right is said to nobody: the answer is the same, and
//! the link is made after it.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use axum::{
    Extension, Form, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde::Deserialize;
use url::Url;

use super::{
    Console, Page,
    guard::Client,
    link::{LinkError, Maker, address_of},
    page::Said,
    path::is_ours,
    session,
};
use crate::{
    model::actor::Actor,
    review::{event::Via, person::Address},
    store::sessions::{LINK, SecretDigest},
};

/// The longest address that is looked at, in bytes (RFC 5321).
const LONGEST: usize = 254;

/// Sends sign-in links by mail.
#[async_trait]
pub trait Post: Send + Sync {
    /// Sends a link to a person, once.
    ///
    /// # Errors
    /// Why it was not sent; the text holds no secret.
    async fn send(&self, to: &Address, link: &Url) -> Result<(), String>;
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/link/mail", post(ask))
}

#[derive(Deserialize)]
struct Asking {
    /// The secret of an earlier link by mail, to whose address another one is sent.
    secret: Option<String>,
    /// The address, if there is no earlier link.
    address: Option<String>,
    next: Option<String>,
}

/// Sends another link.
async fn ask(
    State(console): State<Arc<Console>>,
    Extension(client): Extension<Client>,
    Form(Asking { secret, address, next }): Form<Asking>,
) -> Response {
    if console.post().is_none() {
        return super::sign_in::not_found().await;
    }
    if let Some(wait) = console.too_many(client.0) {
        return wait;
    }
    let to = match secret {
        Some(secret) => match console.store().link(SecretDigest::of(&secret)).await {
            Ok(link) => link.filter(|link| link.via == Via::MailLink).map(|link| link.address),
            Err(error) => return session::failed(&error),
        },
        None => {
            address.map(|text| text.trim().to_owned()).filter(|text| is_address(text)).map(|text| Address::of(&text))
        }
    };
    if let Some(to) = to {
        console.send_link(&to, next.filter(|next| is_ours(next)), client);
    }
    let said = Said {
        title: "Look at your mail",
        text: format!(
            "If this person has something to do or to see here, a message with a sign-in link is on its way. The link works once, within {} minutes.",
            LINK.num_minutes()
        ),
    };
    Page(said).into_response()
}

fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | ',' | ';' | '(' | ')' | '\\' | ':');
    let parts = text.rsplit_once('@');
    text.len() <= LONGEST
        && text.chars().all(is_plain)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !local.contains('@') && domain.contains('.'))
}

impl Console {
    /// Makes a link and sends it, after the answer, so that the time of the answer says nothing either. `None` of the people gets
    /// more than a few in a span of time.
    pub(super) fn send_link(self: &Arc<Self>, to: &Address, next: Option<String>, client: Client) {
        let now = self.clock().now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.count(to.to_string(), now).is_err() {
            tracing::warn!(address = %to, client = %client.0, "too many sign-in links were asked for; none was sent");
            return;
        }
        drop(asked);
        let (console, to) = (Arc::clone(self), to.clone());
        tokio::spawn(async move {
            match console.make_and_send(&to, next.as_deref()).await {
                Ok(()) => tracing::info!(address = %to, client = %client.0, "sent a sign-in link by mail"),
                Err(error) => {
                    tracing::warn!(address = %to, client = %client.0, error, "no sign-in link was sent");
                }
            }
        });
    }

    async fn make_and_send(&self, to: &Address, next: Option<&str>) -> Result<(), String> {
        let Some(post) = self.post() else { return Err("mail links are off".to_owned()) };
        let rights = self.rights();
        let maker = Maker { store: self.store(), clock: self.clock(), rights: &rights };
        let secret = maker.secret(to, Via::MailLink, LINK, &Actor::Daemon).await;
        let secret = secret.map_err(|error: LinkError| error.to_string())?;
        post.send(to, &address_of(&self.setup.origin, &secret, next)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_address_is_written_to() {
        for address in ["ana@example.com", "a+b@mail.example.com"] {
            assert!(is_address(address), "{address}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for address in [
            "",
            "ana",
            "@example.com",
            "ana@localhost",
            "a b@example.com",
            "a@b@example.com",
            "a@x.y\r\nBcc: z@x.y",
            &long,
        ] {
            assert!(!is_address(address), "{address}");
        }
    }
}
