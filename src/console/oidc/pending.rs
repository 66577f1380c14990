//! Sign-ins that are under way at the provider: each is answered once, by the browser that began it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::is_over;
use crate::store::sessions::SecretDigest;

/// The most sign-ins at a time; a new one replaces the oldest.
const MOST: usize = 1_000;

/// A sign-in that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct One {
    /// The digest of the secret of the browser.
    pub(super) browser: SecretDigest,
    /// What the ID token has to contain.
    pub(super) nonce: String,
    /// What proves to the provider that the code is ours.
    pub(super) verifier: String,
    /// When it began, if the person has to prove again who it is. `None` if an earlier proof is enough.
    pub(super) again: Option<DateTime<Utc>>,
    /// Where to go then; `None` for the first page.
    pub(super) next: Option<String>,
}

/// The sign-ins, by the digest of their state.
#[derive(Debug, Default)]
pub(super) struct Pending(HashMap<SecretDigest, (DateTime<Utc>, One)>);

impl Pending {
    /// Keeps one.
    pub(super) fn keep(&mut self, state: SecretDigest, one: One, now: DateTime<Utc>) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (began, _)| !is_over(*began, now));
        }
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (began, _))| *began).map(|(state, _)| *state)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(state, (now, one));
    }

    /// Takes one out; `None` if there is none, or it is over.
    pub(super) fn take(&mut self, state: SecretDigest, now: DateTime<Utc>) -> Option<One> {
        let (began, one) = self.0.remove(&state)?;
        (!is_over(began, now)).then_some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn one(name: &str) -> (SecretDigest, One) {
        let browser = SecretDigest::of("browser");
        (SecretDigest::of(name), One { browser, nonce: name.into(), verifier: name.into(), again: None, next: None })
    }

    #[test]
    fn a_sign_in_is_answered_once_and_in_its_time() {
        let mut pending = Pending::default();
        for name in ["a", "b", "c"] {
            let (state, one) = one(name);
            pending.keep(state, one, at(0));
        }
        let (state, kept) = one("a");
        assert_eq!(pending.take(state, at(599)), Some(kept));
        assert_eq!(pending.take(state, at(599)), None);
        assert_eq!(pending.take(one("b").0, at(600)), None);
        assert_eq!(pending.take(one("c").0, at(-1)), None, "the clock was set back");
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut pending = Pending::default();
        for number in 0..=1_000 {
            let (state, one) = one(&number.to_string());
            pending.keep(state, one, at(number / 10));
        }
        assert_eq!(pending.0.len(), MOST);
        assert!(pending.take(one("1000").0, at(100)).is_some());
    }
}
