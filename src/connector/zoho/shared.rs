//! The access token of a client, shared by all processes that use the same store. While it lives, no process asks for another
//! one: the vendor issues few. Those on one machine share a file ([`folder`]), those on several a shelf ([`shelf`]).

mod folder;
mod shelf;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use self::{
    folder::{FileTurn, TokenFile},
    shelf::ShelfTurn,
};
use super::{accounts::TokenAnswer, settings::ZohoSettings};
use crate::{
    connector::{
        parameters::{SharedTokens, TokenPlace},
        shelf::TokenShelf,
    },
    digest::sha256,
};

/// The vendor issues this many access tokens for a refresh token in [`WINDOW`].
const ISSUED: usize = 10;
/// From this many on, a warning says so.
const WARN_AT: usize = 7;
/// The time in which tokens are counted.
const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// No token lives longer.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(1);
/// How long a process waits for another one that is getting a token.
const TURN_WAIT: Duration = Duration::from_secs(30);

/// Where processes share the access token of one client.
#[derive(Debug)]
pub(super) struct SharedToken {
    is_fresh: bool,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(TokenFile),
    Shelf { shelf: Arc<dyn TokenShelf>, name: String },
}

/// What is shared.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    token: Option<Kept>,
    /// When tokens were asked for, as far as that still counts.
    requests: Vec<DateTime<Utc>>,
}

/// A token as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    access_token: String,
    /// The API that the answer named. It is checked again when the token is used.
    api_domain: Option<String>,
    scope: Option<String>,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

impl Kept {
    /// The token of an answer that arrived now, and lives so long.
    pub(super) fn new(answer: &TokenAnswer, life: Duration, now: DateTime<Utc>) -> Self {
        let life = TimeDelta::from_std(life).unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE);
        Self {
            access_token: answer.access_token.clone().unwrap_or_default(),
            api_domain: answer.api_domain.clone(),
            scope: answer.scope.clone(),
            issued_at: now,
            expires_at: now + life,
        }
    }

    /// The answer that brought it, with the life that is `left`.
    pub(super) fn into_answer(self, left: Duration) -> TokenAnswer {
        TokenAnswer::with_token(self.access_token, self.api_domain, self.scope, left)
    }

    /// How long it still lives; `None` if it has expired, or its times cannot be right.
    pub(super) fn left(&self, now: DateTime<Utc>) -> Option<Duration> {
        let is_plausible = self.issued_at <= now && self.expires_at <= self.issued_at + LONGEST_LIFE;
        let left = (self.expires_at - now).to_std().ok()?;
        (is_plausible && !left.is_zero()).then_some(left)
    }
}

/// The right to read and replace what is shared: no other process does so meanwhile.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    is_fresh: bool,
    content: Content,
    /// The token that was shared until a request was counted.
    replaced: Option<Kept>,
    held: Held<'a>,
}

#[derive(Debug)]
enum Held<'a> {
    File(FileTurn<'a>),
    Shelf(ShelfTurn),
}

impl Content {
    fn parse(text: &[u8]) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_slice(text).unwrap_or_else(|_| {
            tracing::warn!("the shared access token cannot be understood; it is not used");
            Self::default()
        })
    }

    /// The token, unless it is the one that was refused or has expired.
    fn token(&self, refused: Option<&SecretString>, now: DateTime<Utc>) -> Option<Kept> {
        let token = self.token.as_ref()?;
        let is_refused = refused.is_some_and(|refused| refused.expose_secret() == token.access_token);
        (!is_refused && token.left(now).is_some()).then(|| token.clone())
    }
}

impl SharedToken {
    /// The place of a client. Its name tells nothing of the client.
    pub(super) fn new(tokens: &SharedTokens, settings: &ZohoSettings) -> Self {
        let client = format!(
            "{}\n{}\n{}\n{}",
            settings.accounts(),
            settings.data_center,
            settings.client_id,
            settings.refresh_token.expose_secret()
        );
        let name = &sha256(client.as_bytes())[..32];
        let place = match &tokens.place {
            TokenPlace::Folder(folder) => Place::File(TokenFile::new(folder, name)),
            TokenPlace::Shelf(shelf) => Place::Shelf { shelf: Arc::clone(shelf), name: name.to_owned() },
        };
        Self { is_fresh: tokens.is_fresh, place }
    }

    /// The token that another process has shared, without waiting for a turn; `None` if that takes a turn.
    pub(super) async fn look(&self, refused: Option<&SecretString>, now: DateTime<Utc>) -> Option<Kept> {
        match &self.place {
            Place::Shelf { shelf, name } if !self.is_fresh => {
                Content::parse(&shelf.look(name).await.unwrap_or_default()).token(refused, now)
            }
            Place::Shelf { .. } | Place::File(_) => None,
        }
    }

    /// Waits until no other process reads or replaces what is shared. `None` if it cannot be used: then every process has a
    /// token of its own.
    pub(super) async fn turn(&self, left: Duration) -> Option<Turn<'_>> {
        let wait = left.min(TURN_WAIT);
        let (held, content) = match &self.place {
            Place::File(file) => {
                let turn = file.turn(wait).await?;
                let content = turn.content();
                (Held::File(turn), content)
            }
            Place::Shelf { shelf, name } => {
                let (turn, content) = ShelfTurn::take(shelf, name, wait).await?;
                (Held::Shelf(turn), content)
            }
        };
        Some(Turn { is_fresh: self.is_fresh, content: Content::parse(&content), replaced: None, held })
    }
}

impl Turn<'_> {
    /// The token that is shared, unless it is the one that was refused or has expired.
    pub(super) fn token(&self, refused: Option<&SecretString>, now: DateTime<Utc>) -> Option<Kept> {
        if self.is_fresh { None } else { self.content.token(refused, now) }
    }

    /// Counts a request for a token.
    pub(super) async fn count(&mut self, now: DateTime<Utc>) {
        self.content.requests.retain(|at| *at <= now && *at > now - WINDOW);
        self.content.requests.push(now);
        self.replaced = self.content.token.take().or(self.replaced.take());
        self.replace().await;
    }

    /// The request that was counted last did not leave this machine: everything is as before.
    pub(super) async fn was_not_sent(&mut self) {
        self.content.requests.pop();
        self.content.token = self.replaced.take();
        self.replace().await;
    }

    /// The request that was counted last may have reached the vendor. Warns before it issues no more tokens.
    pub(super) fn was_sent(&mut self) {
        self.replaced = None;
        let requests = self.content.requests.len();
        if requests >= WARN_AT {
            tracing::warn!(
                "access token {requests} within ten minutes: Zoho issues {ISSUED}, then none for about half an hour. Let \
                 commands share the token: run them as the same account and with the same store"
            );
        }
    }

    /// Shares a token.
    pub(super) async fn share(&mut self, token: Kept) {
        self.content.token = Some(token);
        self.replace().await;
    }

    /// Lets the next process have its turn.
    pub(super) async fn end(self) {
        if let Held::Shelf(turn) = self.held {
            turn.end().await;
        }
    }

    async fn replace(&self) {
        // It can always be written.
        let Ok(text) = serde_json::to_vec(&self.content) else { return };
        match &self.held {
            Held::File(turn) => turn.replace(&text),
            Held::Shelf(turn) => turn.replace(&text).await,
        }
    }
}
