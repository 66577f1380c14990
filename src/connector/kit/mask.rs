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
            let without = if memchr::memchr(b'\\', body).is_some() {
                replaced_in_json(body, secret)
            } else {
                memchr::memmem::find(body, secret).map(|_| replaced(body, secret))
            };
            masked = without.or(masked);
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

/// The same of a text in which JSON may write any character as an escape. `None` if the secret is not in it.
fn replaced_in_json(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let first = *secret.first()?;
    let mut kept: Option<Vec<u8>> = None;
    let (mut from, mut at) = (0, 0);
    while let Some(next) = memchr::memchr2(first, b'\\', &bytes[at..]) {
        at += next;
        if let Some(length) = written(&bytes[at..], secret) {
            let kept = kept.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
            kept.extend_from_slice(&bytes[from..at]);
            kept.extend_from_slice(MASK.as_bytes());
            at += length;
            from = at;
        } else {
            // The second backslash of an escaped one begins no escape.
            at += if bytes[at..].starts_with(b"\\\\") { 2 } else { 1 };
        }
    }
    kept.map(|mut kept| {
        kept.extend_from_slice(&bytes[from..]);
        kept
    })
}

/// How many bytes at the beginning of a text write the secret, as it is or with escapes.
fn written(text: &[u8], secret: &[u8]) -> Option<usize> {
    let (mut at, mut rest) = (0, secret);
    while let Some(wanted) = rest.first() {
        let mut utf8 = [0; 4];
        let escaped = escape(&text[at..]).map(|(letter, length)| (letter.encode_utf8(&mut utf8).as_bytes(), length));
        if let Some((after, length)) = escaped.and_then(|(letter, length)| Some((rest.strip_prefix(letter)?, length))) {
            (rest, at) = (after, at + length);
        } else if text.get(at) == Some(wanted) {
            (rest, at) = (&rest[1..], at + 1);
        } else {
            return None;
        }
    }
    Some(at)
}

/// The character that an escape at the beginning of a text stands for, and the escape's length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let (b'\\', rest) = text.split_first()? else { return None };
    Some(match rest.first()? {
        b'u' => {
            let digits = std::str::from_utf8(rest.get(1..5)?).ok()?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            (is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)?, 6)
        }
        letter @ (b'"' | b'\\' | b'/') => (char::from(*letter), 2),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_json_writes_with_escapes_is_taken_out_too() {
        let secrets = ["1000.the/secret\"token", "another-secret"].map(SecretString::from);
        let secrets = Secrets::new(&secrets);
        for written in [
            r#"1000.the/secret"token"#,
            r#"1000.the\/secret\"token"#,
            r"\u0031000\u002ethe\u002Fsecret\u0022token",
            r"1000\u002Ethe/secret\u0022toke\u006e",
            r"\u0061\u006eother\u002Dsecret",
            r"another-secret",
        ] {
            for (before, after) in [("", ""), ("{\"a\":\"\\\\", "\\n\"}"), ("x", "\\u00e9"), ("111", "nn")] {
                let masked = secrets.out_of_body(format!("{before}{written}{after}").as_bytes());
                let expected = format!("{before}[masked]{after}");
                assert_eq!(masked.as_deref(), Some(expected.as_bytes()), "{before}{written}{after}");
            }
        }
        assert!(secrets.out_of_body(br"\another-secret").is_some());
        let twice = secrets.out_of_body(br"another\u002dsecret \u0031000.the\/secret\u0022token another-secret");
        assert_eq!(twice.as_deref(), Some(&b"[masked] [masked] [masked]"[..]));
        for other in [r"\\u0061nother-secret", r"\u0061nother\u002fsecret", r"\u0061nothe", r"\", r"\u00"] {
            assert_eq!(secrets.out_of_body(other.as_bytes()), None, "{other}");
        }
    }

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
