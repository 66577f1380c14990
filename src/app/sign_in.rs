//! One-time links to sign in with, in messages and on request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;
use uuid::Uuid;

use crate::{
    clock::Clock,
    config::settings::{Console, Settings},
    console::{
        link::{LinkError, Maker},
        post::Post,
    },
    mail::{
        review::Door,
        sign_in::sign_in_mail,
        smtp::{Mailer as _, SmtpMailer},
    },
    model::{actor::Actor, right::Rights},
    notify::email::SignInLinks,
    review::{event::Via, person::Address},
    run::reviews::messages::Sender,
    store::{
        Database,
        sessions::{INVITED, LINK},
    },
};

/// The most messages whose link is remembered.
const REMEMBERED: usize = 1_000;

/// Who sends messages about reviews, and where their recipients decide. `None` if no mail server is configured.
pub fn sender(settings: &Settings) -> Option<Sender> {
    let smtp = settings.smtp.as_ref()?;
    let door = |console: &Console| {
        let origin = console.public_url.clone()?;
        Some(Door { origin, signs_in: console.mail_links })
    };
    Some(Sender { from: smtp.from.clone(), door: settings.console.as_ref().and_then(door) })
}

/// Makes the links of invitations and reminders when these are sent.
pub struct Links {
    clock: Clock,
    store: OnceLock<Arc<dyn Database>>,
    /// The secret of a message that was not accepted yet, and when it was made: each attempt would make another one.
    made: Mutex<HashMap<String, (String, DateTime<Utc>)>>,
}

impl Links {
    /// Makes links as soon as there is a store.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, store: OnceLock::new(), made: Mutex::default() })
    }

    /// Keeps links in a store from now on.
    pub fn keep_in(&self, store: &Arc<dyn Database>) {
        self.store.get_or_init(|| Arc::clone(store));
    }

    /// A secret that was made a short time ago for the same message.
    fn remembered(&self, message_id: &str, now: DateTime<Utc>) -> Option<String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, (_, at)| (now - *at).abs() < INVITED / 2);
        made.get(message_id).map(|(secret, _)| secret.clone())
    }

    fn remember(&self, message_id: &str, secret: &str, now: DateTime<Utc>) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() < REMEMBERED {
            made.insert(message_id.to_owned(), (secret.to_owned(), now));
        }
    }
}

#[async_trait]
impl SignInLinks for Links {
    async fn secret(&self, message_id: &str, to: &str) -> Result<Option<String>, String> {
        let Some(store) = self.store.get() else { return Err("the store is not open yet".to_owned()) };
        let now = self.clock.now();
        if let Some(secret) = self.remembered(message_id, now) {
            return Ok(Some(secret));
        }
        // Only the people of a review are invited: no other right counts.
        let maker = Maker { store: &**store, clock: &self.clock, rights: &Rights::default() };
        match maker.secret(&Address::of(to), Via::MailLink, INVITED, &Actor::Daemon).await {
            Ok(secret) => {
                self.remember(message_id, &secret, now);
                Ok(Some(secret))
            }
            Err(LinkError::NoRight(_)) => Ok(None),
            Err(LinkError::Store(error)) => Err(error.to_string()),
        }
    }
}

/// Sends links that somebody asks for.
pub(super) struct Postman {
    pub(super) mailer: SmtpMailer,
    pub(super) from: String,
    pub(super) clock: Clock,
}

#[async_trait]
impl Post for Postman {
    async fn send(&self, to: &Address, link: &Url) -> Result<(), String> {
        let (now, id) = (self.clock.now(), Uuid::new_v4().to_string());
        let email = sign_in_mail(&self.from, to.as_str(), link, LINK.num_minutes(), now, &id);
        let email = email.map_err(|error| error.to_string())?;
        self.mailer.send(&email).await.map(|_| ()).map_err(|error| error.to_string())
    }
}
