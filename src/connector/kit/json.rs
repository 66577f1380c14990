//! Parses the bytes of an answer, or says what is wrong with them and where.

use serde::Deserialize;
use serde_json::Value;

/// Shown if the vendor gives no error code.
pub(in crate::connector) const NO_CODE: &str = "no code";
/// The same of a message.
pub(in crate::connector) const NO_MESSAGE: &str = "no message";
/// The names of lists that hold users.
const USER_LISTS: [&str; 3] = ["users", "result", "results"];

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::connector) enum ParseError {
    /// It is incomplete, or not JSON: another try may bring it.
    #[error("{0}")]
    BrokenOff(String),
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
        return Err(ParseError::BrokenOff(format!("{call}: an answer that is not UTF-8")));
    };
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if !error.is_data() {
        return Err(ParseError::BrokenOff(format!(
            "an answer that is not complete JSON (byte {} of {})",
            offset(text, &error),
            body.len()
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
        assert_eq!(error, format!("an answer that is not complete JSON (byte {place} of {})", text.len()));
    }
}
