//! Reads a workspace over its API. A [`Connector`] has no method that writes: an auditor may believe its type. What
//! offboarding needs beside it is a [`Remover`], which is made only where the configuration allows it.

mod bigin;
pub mod error;
pub mod http;
mod survey;
pub mod truto;
mod verify;
pub mod zoho;

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

pub use self::error::ConnectorError;
use crate::model::{
    directory::{Directory, Organization, UserRecord},
    id::UserId,
    survey::Survey,
};

/// Whether an answer turned out to be needed: a read asks ahead, and sometimes further than there is anything.
#[derive(Debug, Clone, Default)]
pub struct Needed(Arc<AtomicBool>);

impl Needed {
    /// It is.
    pub fn confirm(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is, once the read is over.
    pub fn is_confirmed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer of the API as it came.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Which answer of the read it is, counted as they came, from 1.
    pub number: u64,
    /// The request line, without the protocol: method and address with its query. No token is part of it.
    pub request: String,
    /// When the call was made.
    pub asked_at: DateTime<Utc>,
    /// When its answer had come.
    pub answered_at: DateTime<Utc>,
    /// The HTTP status.
    pub status: u16,
    /// The headers that say something of the answer, by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body, decompressed, otherwise byte for byte.
    pub body: bytes::Bytes,
    /// Whether the token stood in the body and was masked there.
    pub masked: bool,
    /// Whether the read needed it.
    pub needed: Needed,
}

/// Keeps the answers of a read. Told of every answer, also of those that are asked for again; not of the accounts
/// server's, which are tokens.
pub trait Recorder: fmt::Debug + Send + Sync {
    /// An answer has come.
    fn answered(&self, exchange: &Exchange);
}

/// What a read is asked for.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Names or ids of the profiles that make an administrator, to compare with the API's own list.
    pub administrator_profiles: Vec<String>,
    /// How long the whole read may take.
    pub deadline: Duration,
    /// Keeps the answers; none where nobody wants them.
    pub recorder: Option<Arc<dyn Recorder>>,
}

/// Told how far a read is.
pub trait Progress: Send + Sync {
    /// So many pages with so many users have come.
    fn read(&self, pages: u32, users: u64);
    /// A check disagreed, and everything is read again.
    fn again(&self, attempt: u32);
}

/// Nobody wants to know.
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
    /// [`ConnectorError`]; a directory that could not be read completely is no error but says so.
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

    /// One user by id; none where there is no such user.
    ///
    /// # Errors
    /// [`ConnectorError`], also where the API answers with another user than the one asked for.
    async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, ConnectorError>;

    /// What the credentials reach, found by calls that change nothing.
    ///
    /// # Errors
    /// [`ConnectorError`] where the credentials are not accepted at all, or the API cannot be reached; what they only
    /// lack is told in the survey.
    async fn survey(&self) -> Result<Survey, ConnectorError>;
}

/// What became of the wish to remove a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// The API says that it was done. Only reading proves it.
    Accepted,
    /// The API says that there is no such user any more.
    AlreadyGone,
    /// The wish may have been carried out or not: no answer, or one that does not tell; how it ended, in a sentence.
    Unknown(String),
}

/// Removes users from a workspace.
#[async_trait]
pub trait Remover: Connector {
    /// The exact request that [`remove`](Self::remove) makes: method and address. It is not made.
    ///
    /// # Errors
    /// [`ConnectorError`] where the address depends on credentials that are not accepted.
    async fn removal_request(&self, id: &UserId) -> Result<String, ConnectorError>;

    /// Asks for the removal of a user, once. It is repeated only where the API certainly did nothing: it asked to wait,
    /// or the token had expired.
    ///
    /// # Errors
    /// [`ConnectorError`] where certainly nothing was removed.
    async fn remove(&self, id: &UserId) -> Result<Removal, ConnectorError>;
}
