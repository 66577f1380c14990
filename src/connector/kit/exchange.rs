//! An answer as it is recorded.

use super::session::Answer;
use crate::connector::contract::{Exchange, Needed};

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

/// An answer as it is recorded.
pub(super) fn exchange(number: u64, request: String, answer: &Answer) -> Exchange {
    let header = |name: &'static str| Some((name, answer.headers.get(name)?.to_str().ok()?.to_owned()));
    Exchange {
        number,
        request,
        asked_at: answer.asked_at,
        answered_at: answer.answered_at,
        status: answer.status.as_u16(),
        headers: KEPT_HEADERS.into_iter().filter_map(header).collect(),
        masked: answer.masked,
        body: answer.body.clone(),
        needed: Needed::default(),
    }
}
