//! What goes wrong with an answer that was right: on its way, or in the shape of its ids.

use std::{io, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{Answer, Shared};
use crate::faults::{CallNumber, Fault};

/// Pieces in which a slow body comes.
const SLOW_PIECES: usize = 8;

/// Size of one piece of an endless body.
const ENDLESS_PIECE: usize = 64 * 1024;

/// Puts an answer on the wire, with the faults that are on.
pub(super) fn respond(shared: &Shared, mut answer: Answer, number: CallNumber, path: &str) -> Response<Body> {
    let faults = &shared.faults;
    if answer.status != 200 {
        return answer.into_response(None);
    }
    if faults.is_on(Fault::IdsAsNumbers) {
        answer.body = ids_as_numbers(&answer.body);
    }
    if faults.is_on(Fault::OddFields) {
        answer.body = odd_fields(&answer.body);
    }
    if faults.is_on(Fault::GarbledText) {
        answer.body = answer.body.replace("\"full_name\":\"", "\"full_name\":\"\\ud83d\n");
    }
    let of_users = path.ends_with("/users");
    if of_users && faults.is_on(Fault::EndlessBody) {
        let body = endless(&answer.body);
        return answer.into_response(Some(body));
    }
    if of_users && faults.is_on(Fault::SlowBody) {
        let body = slow(&answer.body, shared.slow_body_pause);
        return answer.into_response(Some(body));
    }
    if number.is_struck() && faults.is_on(Fault::TruncatedJson) {
        answer.body.truncate(middle(&answer.body));
    } else if number.is_struck() && faults.is_on(Fault::ConnectionDropped) {
        return dropped(answer);
    }
    answer.into_response(None)
}

/// The body begins, then the connection breaks although the length promised more.
fn dropped(answer: Answer) -> Response<Body> {
    let length = answer.body.len();
    let half = Bytes::copy_from_slice(&answer.body.as_bytes()[..length / 2]);
    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "dropped on purpose");
    // Without a break between the two, the server would give up before it had sent anything.
    let pieces = stream::iter([Ok(half), Err(broken)]).then(|piece| async move {
        if piece.is_err() {
            tokio::task::yield_now().await;
        }
        piece
    });
    let body = Body::from_stream(pieces);
    let mut response = answer.into_response(Some(body));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn slow(body: &str, pause: Duration) -> Body {
    let size = body.len().div_ceil(SLOW_PIECES).max(1);
    let pieces: Vec<Bytes> = body.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(piece)
    }))
}

/// The list continues with blanks, which are valid JSON between two rows, and never ends.
fn endless(body: &str) -> Body {
    let start = Bytes::copy_from_slice(&body.as_bytes()[..middle_between_rows(body)]);
    let blanks = Bytes::from(vec![b' '; ENDLESS_PIECE]);
    Body::from_stream(stream::iter([start]).chain(stream::repeat(blanks)).map(Ok::<_, io::Error>))
}

fn middle_between_rows(body: &str) -> usize {
    body.find(r#"{"users":["#).map_or(0, |start| start + r#"{"users":["#.len())
}

fn middle(text: &str) -> usize {
    text.floor_char_boundary(text.len() / 2)
}

/// Turns `"id":"123"` into `"id":123` everywhere. Inside a string the quotes would be escaped, so
/// that no text is taken for an id.
fn ids_as_numbers(body: &str) -> String {
    const KEY: &str = r#""id":"#;
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(KEY) {
        let (before, after) = rest.split_at(at + KEY.len());
        out.push_str(before);
        let digits = after.strip_prefix('"').and_then(|value| value.split_once('"')).map(|(digits, _)| digits);
        match digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(digits) => {
                out.push_str(digits);
                rest = &after[digits.len() + 2..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

/// Changes the first field of each of these names in a body.
fn odd_fields(body: &str) -> String {
    let changes = [
        ("\"created_time\":", "1706774400000"),
        ("\"zuid\":", "\"\""),
        ("\"confirm\":", "[true]"),
        ("\"reporting_to\":", "\"\""),
        ("\"Modified_Time\":", "\"2026-01-01T00:00:00+0100\",\"Modified_Time\":\"2025-12-31T23:00:00Z\""),
    ];
    changes.iter().fold(body.to_owned(), |body, (key, value)| change_first(&body, key, value))
}

/// Puts another value in the place of the first text, truth value or null after `key`.
fn change_first(body: &str, key: &str, value: &str) -> String {
    let Some(at) = body.find(key).map(|at| at + key.len()) else { return body.to_owned() };
    let old = &body[at..];
    let length = match old.strip_prefix('"').and_then(|text| text.find('"')) {
        Some(end) => end + 2,
        None => old.find([',', '}']).unwrap_or(old.len()),
    };
    format!("{}{value}{}", &body[..at], &old[length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_numbers_and_nothing_else_does() {
        let body = r#"{"id":"12","name":"\"id\":\"3\"","zuid":"4","role":{"id":"5"},"other":{"id":"x"}}"#;
        let expected = r#"{"id":12,"name":"\"id\":\"3\"","zuid":"4","role":{"id":5},"other":{"id":"x"}}"#;
        assert_eq!(ids_as_numbers(body), expected);
    }
}
