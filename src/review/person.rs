//! The people of a review, by their addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::email::comparable;

/// A person's address, in the form in which addresses are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// The address of a text.
    pub fn of(text: &str) -> Self {
        Self(comparable(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What is known of the person behind an address, apart from the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worker {
    /// The person's other addresses.
    pub addresses: Vec<Address>,
    /// The departments.
    pub departments: Vec<String>,
    /// The manager, who has not left.
    pub manager: Option<Address>,
    /// Whether the person has left.
    pub has_left: bool,
}
