//! Why a workspace could not be read: what happened, to which call, and what the user can do.
//!
//! No variant holds a token, a secret or an answer's body.

use std::time::Duration;

/// A workspace could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// The HTTP client or an address is not usable.
    #[error("the connection cannot be set up: {0}")]
    Setup(String),
    /// The accounts server does not know the client.
    #[error(
        "{accounts_url} does not know the client ({code}). Is `data_center = \"{data_center}\"` the one where the client was registered, and is `client_id` whole? A client of another data centre is answered like this"
    )]
    UnknownClient {
        /// The accounts server.
        accounts_url: String,
        /// The data centre's code.
        data_center: String,
        /// The server's word.
        code: String,
    },
    /// The client secret is wrong.
    #[error(
        "{accounts_url} refuses the client secret ({code}). Copy it again from the API console into what `client_secret` names"
    )]
    ClientSecret {
        /// The accounts server.
        accounts_url: String,
        /// The server's word.
        code: String,
    },
    /// The refresh token is not valid.
    #[error(
        "{accounts_url} refuses the refresh token ({code}): it was revoked, pushed out by newer ones, or belongs to another data centre than \"{data_center}\" or another client. Make a new one from a grant code and put it into what `refresh_token` names"
    )]
    RefreshToken {
        /// The accounts server.
        accounts_url: String,
        /// The data centre's code.
        data_center: String,
        /// The server's word.
        code: String,
    },
    /// The accounts server gives no more tokens for now.
    #[error(
        "{accounts_url} gives no more access tokens for now: too many were asked for. Nothing is revoked; it goes on after about half an hour without requests"
    )]
    TokensThrottled {
        /// The accounts server.
        accounts_url: String,
    },
    /// The accounts server's answer is no token answer.
    #[error("{accounts_url} answered the token request with {what}")]
    TokenAnswer {
        /// The accounts server.
        accounts_url: String,
        /// What it was.
        what: String,
    },
    /// The token answer names an API address that is not the vendor's.
    #[error(
        "the token answer names the API address {api_domain}, which is none of the vendor's: no token was sent there. Set `api_url` if a gateway is meant"
    )]
    ForeignApiDomain {
        /// The address.
        api_domain: String,
    },
    /// The access token is refused again and again.
    #[error(
        "{call}: the API refuses the access token that the accounts server just gave ({code}). Do `accounts_url` and `api_url` belong to the same data centre (\"{data_center}\")?"
    )]
    TokenRefused {
        /// The call.
        call: String,
        /// The API's word.
        code: String,
        /// The data centre's code.
        data_center: String,
    },
    /// The token lacks a scope.
    #[error(
        "{call}: the token lacks the scope {scope}. Generate a new grant code with it in Zoho's API console (Self Client, Generate Code), exchange it for a refresh token, and put that into what `refresh_token` names"
    )]
    MissingScope {
        /// The call.
        call: String,
        /// The scope.
        scope: &'static str,
    },
    /// The account lacks a right.
    #[error(
        "{call}: the account that the token belongs to lacks a right{permissions}. In Bigin, Setup > Profiles, let its profile manage users and see roles and profiles, or use the token of an account that may"
    )]
    MissingRight {
        /// The call.
        call: String,
        /// The permissions that the API names, in brackets; empty where it names none.
        permissions: String,
    },
    /// Rate limited for longer than the run may take.
    #[error(
        "{call}: rate limited; the API asks to wait {wait:?}, and {left:?} are left of this run. Run it later, or raise `deadline_minutes`"
    )]
    RateLimited {
        /// The call.
        call: String,
        /// How long the API asks to wait.
        wait: Duration,
        /// How long the run may still take.
        left: Duration,
    },
    /// It failed again and again.
    #[error(
        "{call}: failed {attempts} times, the last time with {what}. If it lasts, the vendor's status page may know"
    )]
    Unavailable {
        /// The call.
        call: String,
        /// How often it was tried.
        attempts: u32,
        /// How it failed the last time.
        what: String,
    },
    /// The run's deadline passed.
    #[error("the workspace was not read within {0:?}. Raise `deadline_minutes`, or see what makes the API slow")]
    Deadline(Duration),
    /// A final refusal.
    #[error("{call}: the API refuses with {status} {code}: {message}")]
    Refused {
        /// The call.
        call: String,
        /// The HTTP status.
        status: u16,
        /// The API's word.
        code: String,
        /// The API's sentence, shortened.
        message: String,
    },
    /// An answer larger than we take.
    #[error("{call}: the answer is larger than {limit} bytes, which no page of this API is; it was not read further")]
    TooLarge {
        /// The call.
        call: String,
        /// The greatest size in bytes.
        limit: usize,
    },
    /// A redirect, which is not followed with a token.
    #[error(
        "{call}: the server redirects (HTTP {status}); rolecall does not carry a token elsewhere. Correct `api_url` or `accounts_url`"
    )]
    Redirect {
        /// The call.
        call: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer in another shape than the API's.
    #[error("{call}: the answer is not what this API gives: at `{path}`{user}: {problem}")]
    Shape {
        /// The call.
        call: String,
        /// The place in the JSON.
        path: String,
        /// ` (user ID)` where a user is concerned; empty elsewhere.
        user: String,
        /// What is wrong there.
        problem: String,
    },
    /// No users at all, although the token belongs to one.
    #[error(
        "{call}: the API lists no users at all, which cannot be: the token itself belongs to one. Nothing was reported; try again, and check the scopes if it stays"
    )]
    NoUsers {
        /// The call.
        call: String,
    },
    /// Truto does not know the token.
    #[error(
        "{call}: Truto does not accept the API token. Copy it again from Truto's dashboard into what `api_token` names; a token belongs to one environment"
    )]
    TrutoToken {
        /// The call.
        call: String,
    },
    /// Truto's token may not do this.
    #[error(
        "{call}: the API token may not do this ({message}). Use a token of the environment's API, and not one of a link or an account"
    )]
    TrutoForbidden {
        /// The call.
        call: String,
        /// Truto's sentence, shortened.
        message: String,
    },
    /// The vendor refuses the credentials that Truto keeps.
    #[error(
        "{call}: the vendor refuses the credentials that Truto keeps ({code}). Connect the integrated account again in Truto; it stays refused until then"
    )]
    TrutoNeedsReauth {
        /// The call.
        call: String,
        /// The vendor's word.
        code: String,
    },
    /// The credentials that Truto keeps lack scopes.
    #[error(
        "{call}: the credentials that Truto keeps lack {scopes}. Connect the integrated account again in Truto with it"
    )]
    TrutoScopes {
        /// The call.
        call: String,
        /// The scopes, or the vendor's word where none are named.
        scopes: String,
    },
    /// Truto does not know the account, or the resource.
    #[error(
        "{call}: Truto does not find this ({message}). Is `integrated_account_id` an account of the token's environment? Are the resources called otherwise there? `[workspaces.NAME.resources]` names them"
    )]
    TrutoUnknown {
        /// The call.
        call: String,
        /// Truto's sentence, shortened.
        message: String,
    },
    /// The account is a sandbox.
    #[error("{call}: the integrated account is a sandbox, which Truto lets nobody write to")]
    TrutoSandbox {
        /// The call.
        call: String,
    },
    /// The account is blocked.
    #[error(
        "{call}: Truto has blocked the integrated account. Somebody has to lift that in Truto; waiting does not help"
    )]
    TrutoBlocked {
        /// The call.
        call: String,
    },
    /// The API answered with another user than the one asked for.
    #[error(
        "{call}: asked for user {asked}, the API answered with user {answered}. Is the id right? For some wrong ids this API answers with the caller"
    )]
    AnotherUser {
        /// The call.
        call: String,
        /// The id asked for.
        asked: String,
        /// The id that came.
        answered: String,
    },
}

impl ConnectorError {
    /// Whether another try may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TokensThrottled { .. }
            | Self::TokenAnswer { .. }
            | Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Deadline(_)
            | Self::TooLarge { .. }
            | Self::Shape { .. }
            | Self::NoUsers { .. } => true,
            Self::Setup(_)
            | Self::UnknownClient { .. }
            | Self::ClientSecret { .. }
            | Self::RefreshToken { .. }
            | Self::ForeignApiDomain { .. }
            | Self::TokenRefused { .. }
            | Self::MissingScope { .. }
            | Self::MissingRight { .. }
            | Self::Refused { .. }
            | Self::TrutoToken { .. }
            | Self::TrutoForbidden { .. }
            | Self::TrutoNeedsReauth { .. }
            | Self::TrutoScopes { .. }
            | Self::TrutoUnknown { .. }
            | Self::TrutoSandbox { .. }
            | Self::TrutoBlocked { .. }
            | Self::Redirect { .. }
            | Self::AnotherUser { .. } => false,
        }
    }
}
