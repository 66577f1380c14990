//! What is kept encrypted, so that a copy of the database does not give it away.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};

/// What the key is derived for: the same secret makes other keys for other purposes.
const PURPOSE: &[u8] = b"rolecall access tokens 1";

/// Encrypts and decrypts.
pub struct SealingKey(LessSafeKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// The key of a secret, which has to be random: nothing makes it harder to guess. `None` if the library refuses it.
    pub fn new(secret: &SecretString) -> Option<Self> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().trim().as_bytes());
        let key = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&secret, PURPOSE).as_ref()).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Encrypts a content for one place: it cannot be moved to another. `None` if there is no randomness.
    pub fn seal(&self, place: &str, content: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = content.to_vec();
        let place = Aad::from(place.as_bytes());
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Decrypts it; `None` if it was sealed with another key or for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut content = sealed.to_vec();
        let place = Aad::from(place.as_bytes());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut content).ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_what_is_unchanged_in_its_place() {
        let key = |secret: &str| SealingKey::new(&secret.into()).unwrap();
        let one = key("0123456789abcdef0123456789abcdef");
        let sealed = one.seal("a", b"token").unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        assert_ne!(sealed, one.seal("a", b"token").unwrap(), "each is sealed with a nonce of its own");
        assert_eq!(one.open("a", &sealed).as_deref(), Some(&b"token"[..]));
        // The end of the line of a file does not count.
        assert!(key("0123456789abcdef0123456789abcdef\n").open("a", &sealed).is_some());
        assert_eq!(key("other").open("a", &sealed), None);
        assert_eq!(one.open("b", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(one.open("a", &changed), None, "byte {at}");
        }
        assert_eq!(one.open("a", &sealed[..5]), None);
    }
}
