//! Parses the bytes of an answer, or says what is wrong with them and where.

use serde::Deserialize;
use serde_json::Value;

use super::record::{USER_LISTS, broken_record};

/// Shown if the vendor gives no error code.
pub(in crate::connector) const NO_CODE: &str = "no code";
/// The same of a message.
pub(in crate::connector) const NO_MESSAGE: &str = "no message";
/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::connector) enum ParseError {
    /// It ends before its end: another try may bring the rest.
    #[error("{0}")]
    BrokenOff(String),
    /// It is not JSON for another reason: another try may bring it.
    #[error("{0}")]
    Garbled(String),
    /// It is JSON of another shape.
    #[error("at `{path}`{user}: {problem}")]
    Shape {
        /// The place in the JSON.
        path: String,
        /// ` (user ID)` if a user is concerned; empty otherwise.
        user: String,
        /// What is wrong.
        problem: String,
    },
}

/// Parses an answer. The fast way first; only a failure is looked at again, for its place.
pub(in crate::connector) fn parse<'de, T: Deserialize<'de>>(body: &'de [u8], call: &str) -> Result<T, ParseError> {
    // RFC 8259 §8.1 lets a reader skip a byte order mark, which some gateways add.
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let Ok(text) = std::str::from_utf8(body) else {
        let encoding = if is_utf16(body) { "is UTF-16 and not UTF-8" } else { "is not UTF-8" };
        return Err(ParseError::Garbled(format!("{call}: an answer that {encoding}")));
    };
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if !error.is_data() {
        let place = format!("byte {} of {}", offset(text, &error), body.len());
        if error.is_eof() {
            return Err(ParseError::BrokenOff(format!("an answer that is not complete JSON ({place})")));
        }
        let record = broken_record(text).map_or_else(String::new, |(place, id)| {
            let user = id.map(|id| format!(", user {}", clean(&id, 40))).unwrap_or_default();
            format!(", in `{place}`{user}")
        });
        let encoding = if is_utf16(body) { "UTF-16 and not UTF-8" } else { "not JSON" };
        let why = without_values(&error.to_string());
        return Err(ParseError::Garbled(format!("an answer that is {encoding} ({place}{record}): {why}")));
    }
    let tracked = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(text));
    let Err(tracked) = tracked else {
        return Err(ParseError::BrokenOff("an answer that could be parsed only at the second try".to_owned()));
    };
    let mut path = tracked.path().to_string();
    let message = tracked.inner().to_string();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        path = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
    }
    Err(ParseError::Shape { user: user_at(text, &path), path, problem: without_values(&message) })
}

/// Whether a text is JSON in UTF-16, with a byte order mark or without.
fn is_utf16(body: &[u8]) -> bool {
    matches!(body, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..])
}

/// Whether a text begins as the JSON of an API does, in whatever encoding. The page of a gateway does not.
pub(super) fn begins_as_json(body: &[u8]) -> bool {
    let is_before = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    matches!(body.iter().find(|byte| !is_before(byte)), Some(b'{' | b'['))
}

/// How many bytes of a text its reader had taken in when it failed.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    before + error.column()
}

/// The id of the user at a path such as `users[3].role.id`, as an error names it.
fn user_at(text: &str, path: &str) -> String {
    let Some((list, rest)) = path.split_once('[').filter(|(list, _)| USER_LISTS.contains(list)) else {
        return String::new();
    };
    let Some(place) = rest.split(']').next().and_then(|place| place.parse::<usize>().ok()) else {
        return String::new();
    };
    let page: Value = serde_json::from_str(text).unwrap_or_default();
    match &page[list][place]["id"] {
        Value::String(id) => format!(" (user {})", clean(id, 40)),
        Value::Number(id) => format!(" (user {id})"),
        _ => " (a user without an id)".to_owned(),
    }
}

/// The reader's message, without the values that it quotes: they may be what people are called.
fn without_values(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let Some((before, after)) = message.split_once('"') else { return message.to_owned() };
    let after = after.rsplit_once('"').map_or("", |(_, after)| after);
    format!("{before}…{after}")
}

/// A text of the API as an error may quote it: one line, bounded.
pub(in crate::connector) fn clean(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_counted_from_the_beginning_of_the_answer() {
        let text = "{\n  \"users\": [\n    :1\n  ]\n}";
        let error = parse::<Value>(text.as_bytes(), "GET users").unwrap_err().to_string();
        let place = text.find(':').map(|_| text.find(":1").unwrap() + 1).unwrap();
        assert_eq!(
            error,
            format!("an answer that is not JSON (byte {place} of {}, in `users[0]`): expected value", text.len())
        );
    }

    #[test]
    fn an_answer_that_is_not_json_says_why_without_its_values() {
        let broken = |body: &[u8]| parse::<Value>(body, "GET users").unwrap_err();
        for (body, why) in [
            (&br#"{"status":active}"#[..], "byte 11 of 17): expected value"),
            (br#"{"full_name":"Ana Lima"} junk"#, "byte 26 of 29): trailing characters"),
            (br#"{"zuid":NaN}"#, "byte 9 of 12): expected value"),
            (br#"{"zuid":1e400}"#, "byte 13 of 14): number out of range"),
            (
                br#"{"info":{},"users":[{"id":"4815","status":"active"},{"id":"4816","role":{"id":"1"},"status":x}]}"#,
                "byte 93 of 96, in `users[1]`, user 4816): expected value",
            ),
            (br#"{"result":[{"name":x,"id":1}]}"#, "byte 20 of 30, in `result[0]`): expected value"),
            (br#"{"users":[{"id":7},{"id":8,"zuid":-1e400}]}"#, "in `users[1]`, user 8): number out of range"),
            (br#"{"users":[{"id":7}],"info":x}"#, "byte 28 of 29): expected value"),
            (b"{\0\"\0", "is UTF-16 and not UTF-8 (byte 2 of 4): key must be a string"),
            (b"\xff\xfe{\0", "is UTF-16 and not UTF-8"),
            (b"{\"a\":\"\xfc\"}", "is not UTF-8"),
        ] {
            let error = broken(body);
            let text = error.to_string();
            assert!(matches!(error, ParseError::Garbled(_)) && text.contains(why), "{text}");
            assert!(!text.contains("active") && !text.contains("Lima"), "{text}");
        }
        for body in ["", "{", r#"{"a":"x"#, r#"{"a":[1,"#] {
            assert!(matches!(broken(body.as_bytes()), ParseError::BrokenOff(_)), "{body}");
        }
    }
}
