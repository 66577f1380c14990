//! What the rest of the program knows of a connector: [`Connector`] reads, [`Remover`] also removes, [`Recorder`] keeps
//! answers, [`Progress`] shows how far a read is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::error::ConnectorError;
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
};

/// Whether an answer turned out to be needed: a read asks ahead, and sometimes further than there is anything.
#[derive(Debug, Clone, Default)]
pub struct Needed(Arc<AtomicBool>);

impl Needed {
    /// The answer is needed.
    pub fn confirm(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the answer was needed, once the read is over.
    pub fn is_confirmed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer of the API as it arrived.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Which answer of the read it is, in their order of arrival, from 1.
    pub number: u64,
    /// The request line, without the protocol: method and address with its query. No token is part of it.
    pub request: String,
    /// When the call was made.
    pub asked_at: DateTime<Utc>,
    /// When the answer was complete.
    pub answered_at: DateTime<Utc>,
    /// The HTTP status.
    pub status: u16,
    /// The headers that describe the answer, by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body, decompressed, otherwise byte for byte.
    pub body: bytes::Bytes,
    /// Whether the body contained the token, which was masked.
    pub masked: bool,
    /// Whether the read needed it.
    pub needed: Needed,
}

/// Records the answers of a read: every one, also those of calls that are repeated; not those of the accounts server,
/// which are tokens.
pub trait Recorder: fmt::Debug + Send + Sync {
    /// Records an answer.
    fn answered(&self, exchange: &Exchange);
}

/// The parameters of a read.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Names or ids of the profiles that make an administrator, to compare with the API's own list of administrators.
    pub administrator_profiles: Vec<String>,
    /// How long the whole read may take.
    pub deadline: Duration,
    /// Records the answers; `None` to keep none.
    pub recorder: Option<Arc<dyn Recorder>>,
}

/// Shows how far a read is.
pub trait Progress: Send + Sync {
    /// This many pages with this many users have arrived.
    fn read(&self, pages: u32, users: u64);
    /// A check disagreed, and everything is read again, for the `attempt`-th time.
    fn again(&self, attempt: u32);
}

/// Shows nothing.
impl Progress for () {
    fn read(&self, _pages: u32, _users: u64) {}
    fn again(&self, _attempt: u32) {}
}

/// Reads one workspace.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Reads everything, and checks that it was everything.
    ///
    /// # Errors
    /// [`ConnectorError`]. A directory that could not be read completely is not an error: it says so itself.
    async fn read(&self, request: &ReadRequest, progress: &dyn Progress) -> Result<Directory, ConnectorError>;

    /// The account that the credentials belong to.
    ///
    /// # Errors
    /// [`ConnectorError`]
    async fn current_user(&self) -> Result<UserRecord, ConnectorError>;

    /// The organization.
    ///
    /// # Errors
    /// [`ConnectorError`]
    async fn organization(&self) -> Result<Organization, ConnectorError>;

    /// One user by id; `None` if there is no such user.
    ///
    /// # Errors
    /// [`ConnectorError`], also if the API answers with another user than the requested one.
    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError>;

    /// What the credentials reach, found by calls that change nothing.
    ///
    /// # Errors
    /// [`ConnectorError`] if the credentials are not accepted at all, or the API cannot be reached. What they only lack is
    /// part of the survey.
    async fn survey(&self) -> Result<Survey, ConnectorError>;
}

/// What became of a request to remove a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// The API says that it was done. Only reading proves it.
    Accepted,
    /// The API says that the user does not exist any more.
    AlreadyGone,
    /// It may have been carried out or not: no answer, or one that does not say; how it ended, in a sentence.
    Unknown(String),
}

/// Removes users from a workspace.
#[async_trait]
pub trait Remover: Connector {
    /// The exact request that [`remove`](Self::remove) makes: method and address. It is not made.
    ///
    /// # Errors
    /// [`ConnectorError`] if the address depends on credentials that are not accepted.
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError>;

    /// Asks for the removal of a user, once. It is repeated only if the API certainly did nothing: it asked to wait, or
    /// the token had expired.
    ///
    /// # Errors
    /// [`ConnectorError`] if certainly nothing was removed.
    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError>;
}
