//! Secrets, taken out of what a server says.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// What replaces a secret.
const MASK: &str = "[masked]";
/// A shorter secret is not looked for: ordinary words contain it.
pub(in crate::connector) const SHORTEST: usize = 10;

/// A text without a secret.
pub(in crate::connector) fn text(text: &str, secret: &str) -> String {
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, MASK) }
}

/// The secrets that an answer may echo.
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.expose_secret().len() >= SHORTEST);
        Self(long.cloned().collect())
    }

    /// A body without the secrets; `None` if there is none in it.
    pub(super) fn out_of_body(&self, body: &[u8]) -> Option<Bytes> {
        let mut masked: Option<Vec<u8>> = None;
        for secret in &self.0 {
            let secret = secret.expose_secret().as_bytes();
            let body = masked.as_deref().unwrap_or(body);
            if memchr::memmem::find(body, secret).is_some() {
                masked = Some(replaced(body, secret));
            }
        }
        masked.map(Bytes::from)
    }

    /// Takes the secrets out of headers. Says whether there were any.
    pub(super) fn out_of_headers(&self, headers: &mut HeaderMap) -> bool {
        let mut found = false;
        for value in headers.values_mut() {
            for secret in &self.0 {
                let secret = secret.expose_secret().as_bytes();
                if memchr::memmem::find(value.as_bytes(), secret).is_some() {
                    found = true;
                    let masked = replaced(value.as_bytes(), secret);
                    *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static(MASK));
                }
            }
        }
        found
    }
}

/// Bytes in which a secret is replaced, and which are otherwise the same.
fn replaced(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let (mut kept, mut from) = (Vec::with_capacity(bytes.len()), 0);
    for at in memchr::memmem::find_iter(bytes, secret) {
        kept.extend_from_slice(&bytes[from..at]);
        kept.extend_from_slice(MASK.as_bytes());
        from = at + secret.len();
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_they_stand_and_nothing_else_is() {
        let secrets = ["the-long-secret", "another-secret", "", "word"].map(SecretString::from);
        let secrets = Secrets::new(&secrets);
        let masked = secrets.out_of_body(b"\xff the-long-secret, another-secret and the-long-secret");
        assert_eq!(masked.as_deref(), Some(&b"\xff [masked], [masked] and [masked]"[..]));
        assert_eq!(secrets.out_of_body(b"a word"), None);
        let mut headers =
            HeaderMap::from_iter([(reqwest::header::ETAG, HeaderValue::from_static("of another-secret"))]);
        assert!(secrets.out_of_headers(&mut headers));
        assert_eq!(headers[reqwest::header::ETAG], "of [masked]");
        assert_eq!(text("a word", ""), "a word");
    }
}
