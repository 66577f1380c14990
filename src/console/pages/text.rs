//! Texts of pages.

use chrono::{DateTime, Utc};

use crate::model::plain::shown;

/// The characters of a name, an address or an id that a page shows.
const LABEL: usize = 120;
/// The characters of a sentence that a page shows.
const PROSE: usize = 600;

/// A name, an address or an id from elsewhere.
pub(in crate::console) fn label(text: &str) -> String {
    shown(text, LABEL)
}

/// A sentence from elsewhere.
pub(in crate::console) fn prose(text: &str) -> String {
    shown(text, PROSE)
}

/// A day: `2 March 2026`.
pub(in crate::console) fn day(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y").to_string()
}

/// A moment: `2 March 2026, 08:01 UTC`.
pub(in crate::console) fn moment(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// An address within the console: each segment encoded.
pub(in crate::console) fn path(segments: &[&str]) -> String {
    segments.iter().flat_map(|segment| ["/".to_owned(), encoded(segment)]).collect()
}

/// A segment of a path or a value of a query, with every letter that could mean something encoded.
pub(in crate::console) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            out.push(char::from(byte));
        } else if byte == b'.' && text.bytes().any(|byte| byte != b'.') {
            out.push('.');
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An address with a query of the values that are not empty.
pub(in crate::console) fn with_query(path: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<String> = values
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if values.is_empty() { path.to_owned() } else { format!("{path}?{}", values.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(path(&["workspaces", "a/../b?x#y"]), "/workspaces/a%2F..%2Fb%3Fx%23y");
        assert_eq!(path(&["workspaces", ".."]), "/workspaces/%2E%2E");
        assert_eq!(path(&["users", "ä <b>"]), "/users/%C3%A4%20%3Cb%3E");
    }

    #[test]
    fn a_query_has_only_what_is_said() {
        assert_eq!(with_query("/x", &[("q", ""), ("page", "")]), "/x");
        assert_eq!(with_query("/x", &[("q", "a&b=c"), ("page", "2")]), "/x?q=a%26b%3Dc&page=2");
    }
}
