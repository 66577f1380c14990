//! The kinds of connectors: the one list that configuration, connectors and reports share. How a connector of a kind is
//! made stands in `connector::kinds`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A kind of connector: how a workspace is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectorKind {
    /// Zoho Bigin, over its own API.
    ZohoBigin,
    /// Zoho Bigin, through the integration platform Truto.
    Truto,
}

/// A product that holds accounts, whichever way it is read. Instructions to its administrators depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Zoho Bigin.
    Bigin,
}

/// A key that a workspace of a kind may have in the configuration, beside those that every workspace may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// Whether every workspace of the kind needs it.
    pub is_required: bool,
    /// What its value is.
    pub value: KeyValue,
}

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyValue {
    /// A text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Where a secret is kept.
    Secret,
    /// An address that a token is sent to.
    Address,
    /// A table that says what things are called.
    Names,
}

impl Key {
    const fn required(name: &'static str, value: KeyValue) -> Self {
        Self { name, is_required: true, value }
    }

    const fn optional(name: &'static str, value: KeyValue) -> Self {
        Self { name, is_required: false, value }
    }
}

/// The keys of [`ConnectorKind::ZohoBigin`].
const ZOHO_BIGIN: &[Key] = &[
    Key::required("data_center", KeyValue::OneOf(&DataCenter::CODES)),
    Key::required("client_id", KeyValue::Text),
    Key::required("client_secret", KeyValue::Secret),
    Key::required("refresh_token", KeyValue::Secret),
    Key::optional("accounts_url", KeyValue::Address),
    Key::optional("api_url", KeyValue::Address),
];

/// The keys of [`ConnectorKind::Truto`].
const TRUTO: &[Key] = &[
    Key::required("integrated_account_id", KeyValue::Text),
    Key::required("api_token", KeyValue::Secret),
    Key::optional("api_url", KeyValue::Address),
    Key::optional("resources", KeyValue::Names),
];

impl ConnectorKind {
    /// Every kind, in the order of documentation.
    pub const ALL: [Self; 2] = [Self::ZohoBigin, Self::Truto];

    /// The name in the configuration and in evidence. It is a promise: it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZohoBigin => "zoho_bigin",
            Self::Truto => "truto",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::ZohoBigin => "Zoho Bigin",
            Self::Truto => "Zoho Bigin through Truto",
        }
    }

    /// The keys that a workspace of this kind may have, beside those that every workspace may have.
    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::ZohoBigin => ZOHO_BIGIN,
            Self::Truto => TRUTO,
        }
    }

    /// A key of this kind; `None` if a workspace of this kind may not have it.
    pub fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().iter().find(|key| key.name == name)
    }

    /// The hosts of the vendor's API.
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::ZohoBigin => &[
                "www.zohoapis.com",
                "www.zohoapis.eu",
                "www.zohoapis.in",
                "www.zohoapis.com.au",
                "www.zohoapis.jp",
                "www.zohoapis.com.cn",
                "www.zohoapis.sa",
                "www.zohoapis.ca",
            ],
            Self::Truto => &["api.truto.one"],
        }
    }

    /// The product that holds the accounts.
    pub fn product(self) -> Product {
        match self {
            Self::ZohoBigin | Self::Truto => Product::Bigin,
        }
    }
}

impl Product {
    /// Every product.
    pub const ALL: [Self; 1] = [Self::Bigin];

    /// Its short name, as in the heading “How to fix it in Bigin”.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bigin => "Bigin",
        }
    }
}

impl fmt::Display for ConnectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for ConnectorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ConnectorKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A data center of Zoho (<https://www.bigin.com/developer/docs/apis/v2/multi-dc.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataCenter {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// India.
    In,
    /// Australia.
    Au,
    /// Japan.
    Jp,
    /// China.
    Cn,
    /// Saudi Arabia.
    Sa,
    /// Canada.
    Ca,
}

impl DataCenter {
    /// Every data center, in the order of [`CODES`](Self::CODES).
    pub const ALL: [Self; 8] = [Self::Us, Self::Eu, Self::In, Self::Au, Self::Jp, Self::Cn, Self::Sa, Self::Ca];
    /// Their codes in the configuration.
    pub const CODES: [&str; 8] = ["us", "eu", "in", "au", "jp", "cn", "sa", "ca"];

    /// Its code in the configuration.
    pub fn code(self) -> &'static str {
        Self::CODES[self as usize]
    }
}

impl fmt::Display for DataCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A code that no data center has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid data center `{0}`; expected one of {codes}", codes = DataCenter::CODES.join(", "))]
pub struct UnknownDataCenter(String);

impl FromStr for DataCenter {
    type Err = UnknownDataCenter;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|center| center.code() == code);
        found.ok_or_else(|| UnknownDataCenter(code.to_owned()))
    }
}

/// A name that no kind of connector has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid connector `{0}`; expected {names}", names = ConnectorKind::ALL.map(ConnectorKind::name).join(" or "))]
pub struct UnknownKind(String);

impl FromStr for ConnectorKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_no_other() {
        for kind in ConnectorKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(kind.title().contains(kind.product().name()), "{kind}");
        }
        let error = "zoho".parse::<ConnectorKind>().unwrap_err();
        assert_eq!(error.to_string(), "invalid connector `zoho`; expected zoho_bigin or truto");
    }

    #[test]
    fn every_code_names_its_data_centre() {
        for (center, code) in DataCenter::ALL.into_iter().zip(DataCenter::CODES) {
            assert_eq!((center.code(), code.parse()), (code, Ok(center)));
        }
        let error = "uk".parse::<DataCenter>().unwrap_err().to_string();
        assert_eq!(error, "invalid data center `uk`; expected one of us, eu, in, au, jp, cn, sa, ca");
    }

    #[test]
    fn no_kind_has_a_key_twice() {
        for kind in ConnectorKind::ALL {
            for (place, key) in kind.keys().iter().enumerate() {
                assert_eq!(kind.keys().iter().position(|other| other.name == key.name), Some(place), "{kind}");
                assert_eq!(kind.key(key.name), Some(key));
            }
        }
    }
}
