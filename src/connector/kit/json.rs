//! Parses the bytes of an answer, or says what is wrong with them and where.

use serde::{Deserialize, de::IgnoredAny};
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
        return Err(ParseError::Garbled(format!("{call}: an answer that is {}", not_utf8(body))));
    };
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if !error.is_data() {
        if error.is_eof() {
            let place = format!("byte {} of {}", offset(text, &error), body.len());
            return Err(ParseError::BrokenOff(format!("an answer that is not complete JSON ({place})")));
        }
        let encoding = if is_utf16(body) { "UTF-16 and not UTF-8" } else { "not JSON" };
        let why = without_values(&error.to_string());
        return Err(ParseError::Garbled(format!(
            "an answer that is {encoding} ({}): {why}",
            place(text, offset(text, &error))
        )));
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

/// Where a text stops being JSON: the byte, and the user if it is in the record of one.
fn place(text: &str, byte: usize) -> String {
    let record = broken_record(text).map_or_else(String::new, |(place, id)| {
        let user = id.map(|id| format!(", user {}", clean(&id, 40))).unwrap_or_default();
        format!(", in `{place}`{user}")
    });
    format!("byte {byte} of {}{record}", text.len())
}

/// What an answer is that is not UTF-8, and where: at its first such byte, or before it where it stops being JSON.
fn not_utf8(body: &[u8]) -> String {
    if is_utf16(body) {
        return "UTF-16 and not UTF-8".to_owned();
    }
    let first = body.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len()) + 1;
    let broken = |text: &str| serde_json::from_str::<IgnoredAny>(text).err().filter(serde_json::Error::is_syntax);
    let json = with_all_replaced(body, '?');
    let json = broken(&json).map(|error| {
        let place = place(&json, offset(&json, &error));
        (offset(&json, &error), format!("not JSON ({place}): {}", without_values(&error.to_string())))
    });
    // No JSON has this character, wherever it stands: where the answer is JSON until there, it stops being JSON there.
    let utf8 = format!("not UTF-8 ({})", place(&with_all_replaced(body, '\u{1}'), first));
    match json {
        None => utf8,
        Some((at, json)) if at < first => format!("{json}; and not UTF-8 (byte {first})"),
        Some((_, json)) => format!("{utf8}, and {json}"),
    }
}

/// The bytes as a text of the same length, with an ASCII character in place of each byte that is not UTF-8.
fn with_all_replaced(body: &[u8], by: char) -> String {
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| by));
    }
    text
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
            (
                b"{\"users\":[{\"id\":8,\"a\":x},\"\xfc\"]}",
                "is not JSON (byte 23 of 30, in `users[0]`, user 8): expected value; and not UTF-8 (byte 27)",
            ),
            (b"{\"a\":\"\xfc\"}", "is not UTF-8 (byte 7 of 9)"),
            (
                b"{\"users\":[{\"id\":\"4815\",\"full_name\":\"Ren\xe9\"},{\"id\":\"4816\",\"status\":active}]}",
                "is not UTF-8 (byte 40 of 74, in `users[0]`, user 4815), and not JSON (byte 66 of 74, in `users[1]`, user 4816): expected value",
            ),
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
