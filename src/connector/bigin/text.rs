//! Texts and ids as the API writes them, borrowed from the page where possible.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A text, borrowed unless it holds escapes.
#[derive(Debug)]
pub(in crate::connector) struct Text<'a>(pub(in crate::connector) Cow<'a, str>);

/// An id: a string, or a whole number.
#[derive(Debug)]
pub(in crate::connector) struct Id<'a>(pub(in crate::connector) Cow<'a, str>);

struct Borrowing;

impl<'de> Visitor<'de> for Borrowing {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

struct BorrowingOrNumber;

impl<'de> Visitor<'de> for BorrowingOrNumber {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id: a string or a whole number")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        if text.is_empty() { Err(E::custom("an id must not be empty")) } else { Ok(Cow::Borrowed(text)) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() { Err(E::custom("an id must not be empty")) } else { Ok(Cow::Owned(text.to_owned())) }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        // The JSON reader gives a number of more than 64 bits as a rounded one: another user's id, perhaps.
        Err(E::custom(format!("the number {number} is not exact; an id of that size must be a string")))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowing).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BorrowingOrNumber).map(Self)
    }
}
