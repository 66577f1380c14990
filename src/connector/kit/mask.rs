//! Secrets, taken out of what a server says.

use bytes::Bytes;

/// What replaces a secret.
const MASK: &str = "[masked]";

/// A text without a secret.
pub(in crate::connector) fn text(text: &str, secret: &str) -> String {
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, MASK) }
}

/// A body without a secret; `None` if the secret is not in it.
pub(in crate::connector) fn body(body: &[u8], secret: &str) -> Option<Bytes> {
    if secret.is_empty() || memchr::memmem::find(body, secret.as_bytes()).is_none() {
        return None;
    }
    Some(Bytes::from(text(&String::from_utf8_lossy(body), secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_wherever_it_stands_and_nothing_else_is() {
        assert_eq!(body(b"a key and a key", "key").as_deref(), Some(&b"a [masked] and a [masked]"[..]));
        assert_eq!(body(b"a word", "key"), None);
        assert_eq!(body(b"a word", ""), None);
        assert_eq!(text("a word", ""), "a word");
    }
}
