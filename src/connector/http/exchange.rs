//! An answer as it is kept.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::Answer;
use crate::connector::{Exchange, Needed};

/// The headers that say something of an answer: what it is, when the server made it, what it still allows.
const KEPT_HEADERS: [&str; 15] = [
    "content-type",
    "content-length",
    "content-encoding",
    "date",
    "etag",
    "last-modified",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "server",
    "x-api-credits-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// An answer as it is kept. A server that echoes the token is quoted without it.
pub(in crate::connector) fn exchange(
    number: u64,
    request: String,
    (asked_at, answered_at): (DateTime<Utc>, DateTime<Utc>),
    answer: &Answer,
    token: &str,
) -> Exchange {
    let header = |name: &'static str| {
        let value = answer.headers.get(name)?.to_str().ok()?;
        Some((name, value.replace(token, MASK)))
    };
    let masked = memchr::memmem::find(&answer.body, token.as_bytes()).is_some();
    let body = if masked {
        Bytes::from(String::from_utf8_lossy(&answer.body).replace(token, MASK))
    } else {
        answer.body.clone()
    };
    Exchange {
        number,
        request,
        asked_at,
        answered_at,
        status: answer.status.as_u16(),
        headers: KEPT_HEADERS.into_iter().filter_map(header).collect(),
        body,
        masked,
        needed: Needed::default(),
    }
}

/// What stands where the token stood.
const MASK: &str = "[masked]";
