//! Who is signed in to the console. A session, and a link that begins one, are known by the SHA-256 of their secret: who
//! reads the store cannot sign in with it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::{
    model::actor::Actor,
    review::{event::Via, person::Address},
};

/// A session ends if it is not used for this long.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// A session ends after this, however much it is used.
pub const LONGEST: TimeDelta = TimeDelta::hours(12);
/// A link that somebody asked for can be used for this long.
pub const LINK: TimeDelta = TimeDelta::minutes(10);
/// A link in an invitation or a reminder can be used for this long after it was sent.
pub const INVITED: TimeDelta = TimeDelta::hours(8);
/// A link is known for this long after it has expired: its page then sends another one to the same person.
pub const KNOWN: TimeDelta = TimeDelta::days(60);
/// What ends a review or confirms decisions needs a proof of identity that is not older than this.
pub const FRESH: TimeDelta = TimeDelta::minutes(10);
/// A proof may be this far ahead of the clock: the identity provider has another one.
const AHEAD: TimeDelta = TimeDelta::minutes(1);
/// The most sessions of one person; a new one ends the oldest.
pub const SESSIONS: u32 = 10;
/// The most links of one person that are kept; a new one replaces the oldest.
pub const LINKS: u32 = 5;

/// The SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of a secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// The digest with these bytes; `None` if their number is another one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A name for it that says nothing of the secret, for lists.
    pub fn name(&self) -> String {
        crate::digest::sha256(&self.0).chars().take(20).collect()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// Who signed in, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The person.
    pub address: Address,
    /// The name, as the identity provider has it. `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The groups, as the identity provider has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How the person signed in.
    pub via: Via,
    /// How the identity provider knows the person. `None` after a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// When the person last proved who it is: by a link, or at the identity provider. `None` if the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<DateTime<Utc>>,
    /// From where; it is forgotten with the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl SignedIn {
    /// Somebody of whom nothing else is known.
    pub fn by(address: Address, via: Via) -> Self {
        Self { address, name: None, groups: Vec::new(), via, identity: None, proven_at: None, place: None }
    }

    /// Whether the person proved a short time ago who it is.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.proven_at.is_some_and(|at| (-AHEAD..FRESH).contains(&(now - at)))
    }
}

/// From where somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The address of the client.
    pub client: String,
    /// The browser, in words.
    pub browser: String,
}

/// How an identity provider knows a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The issuer.
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub who: SignedIn,
    /// Since when.
    pub began_at: DateTime<Utc>,
    /// When it was last used.
    pub seen_at: DateTime<Utc>,
}

impl Session {
    /// Whether it has not ended.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        now - self.seen_at < IDLE && now - self.began_at < LONGEST
    }
}

/// Those of some sessions that have not ended, the one that was used last first.
pub(super) fn valid(mut sessions: Vec<(SecretDigest, Session)>, now: DateTime<Utc>) -> Vec<(SecretDigest, Session)> {
    sessions.retain(|(_, session)| session.is_valid(now));
    sessions.sort_by_key(|(_, session)| std::cmp::Reverse((session.seen_at, session.began_at)));
    sessions
}

/// A one-time link to sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// For whom.
    pub address: Address,
    /// How it reached the person, which the record of a decision says.
    pub via: Via,
    /// Until when it can be used.
    pub valid_until: DateTime<Utc>,
    /// When it was used. `None` if it was not.
    pub used_at: Option<DateTime<Utc>>,
}

impl Link {
    /// Whether it can be used.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_none() && now < self.valid_until
    }
}

/// Keeps sessions and one-time links.
#[async_trait::async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a link, and deletes those that expired long ago ([`KNOWN`]).
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    async fn keep_link(&self, id: SecretDigest, link: &Link, by: &Actor, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// A link. `None` if there is none, or it was deleted.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn link(&self, id: SecretDigest) -> Result<Option<Link>, StoreError>;

    /// Begins a session, and ends the one that it replaces and those that are too old. With `link`, the link is used up.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if the link was used or has expired, or any other error; then no session began.
    async fn begin_session(
        &self,
        id: SecretDigest,
        who: &SignedIn,
        replaces: Option<SecretDigest>,
        link: Option<SecretDigest>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// A session that has not ended. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<Option<Session>, StoreError>;

    /// The sessions of a person that have not ended, the one that was used last first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn sessions_of(
        &self,
        address: &Address,
        now: DateTime<Utc>,
    ) -> Result<Vec<(SecretDigest, Session)>, StoreError>;

    /// Notes that a session is used.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn use_session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn end_session(&self, id: SecretDigest) -> Result<(), StoreError>;

    /// Ends every session of a person. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn end_sessions_of(&self, address: &Address) -> Result<u64, StoreError>;
}
