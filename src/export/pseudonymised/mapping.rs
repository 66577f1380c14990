//! The key of an engagement, and who is behind each pseudonym. It is kept back.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a digest that become a pseudonym: 80 bits.
const SHOWN: usize = 10;

/// A file is not a mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is something else.
    #[error("it is not a mapping of pseudonyms: {0}")]
    Malformed(String),
}

/// A mapping as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    key: String,
    people: BTreeMap<String, BTreeSet<String>>,
}

/// The key, and who is behind each pseudonym. The same key gives the same pseudonyms.
pub struct Mapping {
    key: Vec<u8>,
    people: BTreeMap<String, BTreeSet<String>>,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mapping({} pseudonyms)", self.people.len())
    }
}

impl Mapping {
    /// A mapping with a new key, which must be random.
    pub fn new(key: [u8; KEY]) -> Self {
        Self { key: key.to_vec(), people: BTreeMap::new() }
    }

    /// Reads a mapping.
    ///
    /// # Errors
    /// [`MappingError`]
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        // The error of a parser may quote a name.
        let written: Written = serde_json::from_str(text)
            .map_err(|error| MappingError::Malformed(format!("line {}, column {}", error.line(), error.column())))?;
        let key = HEXLOWER_PERMISSIVE.decode(written.key.as_bytes()).ok().filter(|key| key.len() == KEY);
        let key = key.ok_or_else(|| MappingError::Malformed(format!("its key does not have {KEY} bytes")))?;
        Ok(Self { key, people: written.people })
    }

    /// The mapping as a text.
    ///
    /// # Errors
    /// [`MappingError::Malformed`] if it cannot be written, which is a defect of rolecall.
    pub fn text(&self) -> Result<String, MappingError> {
        let written = Written { key: HEXLOWER_PERMISSIVE.encode(&self.key), people: self.people.clone() };
        let text =
            serde_json::to_string_pretty(&written).map_err(|error| MappingError::Malformed(error.to_string()))?;
        Ok(text + "\n")
    }

    /// The pseudonym of somebody, without remembering it.
    pub(super) fn pseudonym(&self, identity: &str) -> String {
        // Every length of key is accepted.
        let digest = Hmac::<Sha256>::new_from_slice(&self.key).map(|mut hmac| {
            hmac.update(identity.as_bytes());
            hmac.finalize().into_bytes()
        });
        let digest = digest.as_ref().map_or(&[][..], |digest| &digest[..SHOWN]);
        format!("P-{}", BASE32_NOPAD.encode(digest))
    }

    /// Remembers what stands for somebody.
    pub(super) fn remember(&mut self, pseudonym: &str, identifier: &str) {
        self.people.entry(pseudonym.to_owned()).or_default().insert(identifier.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_the_same_pseudonyms_again_and_another_key_others() {
        let mut one = Mapping::new([7; 32]);
        let ana = one.pseudonym("ana@example.com");
        assert!(ana.starts_with("P-") && ana.len() == 18, "{ana}");
        one.remember(&ana, "Ana Lopez");
        let again = Mapping::parse(&one.text().unwrap()).unwrap();
        assert_eq!(again.pseudonym("ana@example.com"), ana);
        assert_ne!(Mapping::new([8; 32]).pseudonym("ana@example.com"), ana);
        assert_ne!(one.pseudonym("ben@example.com"), ana);
        assert!(again.text().unwrap().contains("Ana Lopez"));
    }

    #[test]
    fn a_mapping_shows_neither_its_key_nor_its_people() {
        let mut mapping = Mapping::new([0xab; 32]);
        mapping.remember("P-1", "Ana Lopez");
        assert_eq!(format!("{mapping:?}"), "Mapping(1 pseudonyms)");
        let broken = mapping.text().unwrap().replace("\"people\"", "\"persons\"");
        let error = Mapping::parse(&broken).unwrap_err().to_string();
        assert!(!error.contains("Ana") && !error.contains("abab"), "{error}");
    }
}
