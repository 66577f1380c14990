//! Why a workspace could not be read: where it happened, the cause in words that all connectors share, and the remedy
//! in the words of the kind of system.
//!
//! No part of an error holds a token, a secret or the body of an answer.

use std::{fmt, time::Duration};

/// A workspace could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorError {
    /// The call or the server concerned; empty if it concerns the workspace as a whole.
    pub at: Box<str>,
    /// What happened.
    pub cause: Cause,
    /// What the reader can do; empty if the cause already says so.
    pub remedy: Box<str>,
}

/// A credential, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The id of an OAuth client.
    ClientId,
    /// The secret of an OAuth client.
    ClientSecret,
    /// An OAuth authorization code, which is exchanged for a refresh token once.
    GrantCode,
    /// An OAuth refresh token.
    RefreshToken,
    /// An access token that was issued for a refresh token.
    AccessToken,
    /// A token that is used as it is in the configuration.
    ApiToken,
    /// Credentials that an integration platform keeps.
    StoredCredentials,
}

/// What happened, in words that fit every kind of system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The HTTP client or an address is not usable.
    #[error("the connection cannot be set up: {0}")]
    Setup(String),
    /// A credential was rejected (HTTP 401 in whatever form the vendor gives it).
    #[error("{credential} was rejected ({code})")]
    Unauthorized {
        /// The credential.
        credential: Credential,
        /// The server's word.
        code: String,
    },
    /// No more access tokens are issued for the moment.
    #[error("no more access tokens are issued for now: too many were requested")]
    TokensThrottled,
    /// The token server answered with something other than a token.
    #[error("the token request was answered with {0}")]
    TokenAnswer(String),
    /// The token server names an API address that is not the vendor's.
    #[error("the token answer names the API address {0}, which is not one of the vendor's; no token was sent there")]
    ForeignAddress(String),
    /// The credentials lack a scope.
    #[error("{holder} lacks the scope {scopes}")]
    MissingScope {
        /// The credential that lacks it.
        holder: Credential,
        /// The scope, or several; the vendor's word if it names none.
        scopes: String,
    },
    /// The account behind the credentials lacks a permission.
    #[error("the account behind the credentials lacks a permission{}", in_brackets(.0))]
    MissingRight(String),
    /// The credentials are accepted, and not for this.
    #[error("the credentials do not allow this ({0})")]
    Forbidden(String),
    /// The account or the resource does not exist, as far as the credentials reach.
    #[error("not found ({0})")]
    NotFound(String),
    /// The vendor does not let anybody change this workspace.
    #[error("the account is read-only")]
    ReadOnly,
    /// The vendor has blocked the account.
    #[error("the account is blocked")]
    Blocked,
    /// Rate limited for longer than the run may take.
    #[error("rate limited; the API asks to wait {}, and {} of this run are left", rounded(*wait), rounded(*left))]
    RateLimited {
        /// How long the API asks to wait.
        wait: Duration,
        /// How long the run may still take.
        left: Duration,
    },
    /// It failed on every try.
    #[error("{}{what}", tries(*attempts))]
    Unavailable {
        /// How often it was tried.
        attempts: u32,
        /// How it failed the last time.
        what: String,
    },
    /// The proxy, or a server behind it, could not be reached on any try.
    #[error("{}{what}", tries(*attempts))]
    Proxy {
        /// How often it was tried.
        attempts: u32,
        /// How it failed the last time.
        what: String,
    },
    /// The run's deadline passed.
    #[error("the workspace was not read within {}", rounded(*.0))]
    Deadline(Duration),
    /// A final refusal for any other reason.
    #[error("the API refused the call (HTTP {status}, {code}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The API's word.
        code: String,
        /// The API's sentence, shortened.
        message: String,
    },
    /// The answer is larger than rolecall accepts, in bytes.
    #[error("the answer is larger than {0} bytes and was not read further")]
    TooLarge(usize),
    /// All answers of a read together are larger than rolecall accepts, in bytes.
    #[error("the answers of this read are larger than {0} bytes in all; it was not continued")]
    TooMuch(u64),
    /// An id that an address cannot contain: the call would go to another place.
    #[error("the id `{0}` cannot be part of an address; the call was not made")]
    UnusableId(String),
    /// A redirect, with its HTTP status. It is not followed: the token would go along.
    #[error("the server redirects (HTTP {0}); rolecall sends no token to another address")]
    Redirect(u16),
    /// The same answer came twice, and it is not JSON from its beginning to its end: what is wrong with it.
    #[error("the server answered twice in the same way, with {0}")]
    DamagedAnswer(String),
    /// The answer is JSON of another shape than the API's.
    #[error("the answer is not what this API returns: at `{path}`{user}: {problem}")]
    InvalidAnswer {
        /// The place in the JSON.
        path: String,
        /// ` (user ID)` if a user is concerned; empty otherwise.
        user: Box<str>,
        /// What is wrong there.
        problem: Box<str>,
    },
    /// No users at all, although the credentials belong to one.
    #[error("the API lists no users, not even the one that the credentials belong to. Nothing was reported")]
    NoUsers,
    /// The API answered with another user than the requested one.
    #[error("asked for user {asked}, the API answered with user {answered}")]
    AnotherUser {
        /// The id asked for.
        asked: String,
        /// The id in the answer.
        answered: String,
    },
}

impl ConnectorError {
    /// An error with the remedy that fits every kind of system, if there is one.
    pub fn new(at: impl Into<Box<str>>, cause: Cause) -> Self {
        let remedy = cause.remedy().into();
        Self { at: at.into(), cause, remedy }
    }

    /// The same error with the remedy of the kind of system, if it has one of its own.
    #[must_use]
    pub fn with_remedy(self, remedy: Option<String>) -> Self {
        match remedy {
            Some(remedy) => Self { remedy: remedy.into(), ..self },
            None => self,
        }
    }

    /// The connection cannot be set up.
    pub fn setup(why: impl Into<String>) -> Self {
        Self::new("", Cause::Setup(why.into()))
    }

    /// Whether another attempt may succeed without any change.
    pub fn is_transient(&self) -> bool {
        self.cause.is_transient()
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        write!(f, "{}", self.cause)?;
        if !self.remedy.is_empty() {
            write!(f, ". {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectorError {}

/// How often something failed, before how it failed.
fn tries(attempts: u32) -> String {
    if attempts == 1 { "failed with ".to_owned() } else { format!("failed {attempts} times, the last time with ") }
}

impl Cause {
    /// Whether another attempt may succeed without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TokensThrottled
            | Self::TokenAnswer(_)
            | Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Proxy { .. }
            | Self::Deadline(_)
            | Self::TooLarge(_)
            | Self::TooMuch(_)
            | Self::InvalidAnswer { .. }
            | Self::DamagedAnswer(_)
            | Self::NoUsers => true,
            Self::Setup(_)
            | Self::Unauthorized { .. }
            | Self::ForeignAddress(_)
            | Self::MissingScope { .. }
            | Self::MissingRight(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::ReadOnly
            | Self::Blocked
            | Self::Refused { .. }
            | Self::Redirect(_)
            | Self::UnusableId(_)
            | Self::AnotherUser { .. } => false,
        }
    }

    /// What helps whatever the kind of system is; empty if that depends on it.
    fn remedy(&self) -> &'static str {
        match self {
            Self::ForeignAddress(_) => "If a gateway is meant, set `api_url`",
            Self::RateLimited { .. } => "Run it later, or raise `deadline_minutes`",
            Self::Unavailable { .. } => "If this continues, check the vendor's status page",
            Self::Proxy { .. } => {
                "Check the proxy, and the variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY that say when it is used"
            }
            Self::Deadline(_) => "Raise `deadline_minutes`, or find out what makes the API slow",
            Self::Redirect(_) => "Correct `api_url`",
            Self::NoUsers => "Try again; if it stays like this, check the scopes of the credentials",
            Self::AnotherUser { .. } | Self::UnusableId(_) => "Check the id",
            _ => "",
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientId => "the client id",
            Self::ClientSecret => "the client secret",
            Self::GrantCode => "the grant code",
            Self::RefreshToken => "the refresh token",
            Self::AccessToken => "the access token",
            Self::ApiToken => "the API token",
            Self::StoredCredentials => "the stored connection",
        })
    }
}

/// A length of time in whole seconds, or in milliseconds if it is shorter than one.
fn rounded(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds => format!("{} s", seconds.saturating_add(u64::from(time.subsec_millis() >= 500))),
    }
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_what_and_what_to_do() {
        let error = ConnectorError::new("GET /users", Cause::MissingRight("Manage Users".to_owned()));
        let text = "GET /users: the account behind the credentials lacks a permission (Manage Users)";
        assert_eq!(error.to_string(), text);
        let error = error.with_remedy(None).with_remedy(Some("Grant it".to_owned()));
        assert_eq!(error.to_string(), format!("{text}. Grant it"));
        assert_eq!(ConnectorError::setup("no TLS").to_string(), "the connection cannot be set up: no TLS");
    }

    #[test]
    fn a_remedy_of_the_kind_replaces_the_common_one() {
        let error = ConnectorError::new("", Cause::Redirect(302));
        assert!(error.to_string().ends_with(". Correct `api_url`"), "{error}");
        let error = error.with_remedy(Some("Correct `accounts_url`".to_owned()));
        assert!(error.to_string().ends_with("address. Correct `accounts_url`"), "{error}");
    }
}
