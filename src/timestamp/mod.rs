//! Proof of time by a third party: timestamps by RFC 3161.
//!
//! An authority is sent a digest ([`Request`]) and answers with a [`Token`]: the digest and the time, signed. A token is
//! accepted only if it answers the request, its signature is valid, and its certificate was valid for timestamps at that time
//! and leads to one of the trusted [`Roots`]. `openssl ts -verify` verifies the same tokens without rolecall.

mod asn1;
pub mod authorities;
mod request;
mod roots;
mod token;

use chrono::{DateTime, Duration, Utc};

pub use self::{
    request::Request,
    roots::{Root, Roots},
    token::Token,
};

/// How far the time of a new token may differ from this machine's clock.
pub const TOLERANCE: Duration = Duration::minutes(5);

/// The largest answer of an authority, in bytes. With its certificates a usual one has 1 to 6 KB.
pub const LARGEST: usize = 64 << 10;

/// A token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The bytes are something else.
    #[error("it is not an answer of a timestamp authority (RFC 3161): {0}")]
    Malformed(String),
    /// The authority answered that it gives no timestamp.
    #[error("the authority refused: {0}")]
    Refused(String),
    /// It is about something else.
    #[error("the timestamp is of other data: its digest is {found}, expected {expected}")]
    Imprint {
        /// The digest in the token.
        found: String,
        /// The digest that it should have.
        expected: String,
    },
    /// It answers another request.
    #[error("the timestamp answers another request: its nonce differs")]
    Nonce,
    /// It was given under another policy.
    #[error("the timestamp was given under the policy {found}; expected {expected}")]
    Policy {
        /// The policy in the token.
        found: String,
        /// The policy that was asked for.
        expected: String,
    },
    /// Its time is far from this machine's.
    #[error(
        "the timestamp says {theirs}, but this machine's clock says {ours}. Set the clock right, or use another authority"
    )]
    Time {
        /// The time in the token.
        theirs: DateTime<Utc>,
        /// The time of this machine.
        ours: DateTime<Utc>,
    },
    /// The signature is not valid.
    #[error("the signature of the timestamp is not valid: {0}")]
    Signature(String),
    /// The certificate is not for timestamps.
    #[error("the certificate of the authority is not one for timestamps: {0}")]
    Usage(String),
    /// The certificate does not lead to a trusted one.
    #[error("the certificate of the authority is not trusted: {0}")]
    Untrusted(String),
}
