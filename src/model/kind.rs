//! The kinds of connectors: the one list that configuration, connectors and reports share.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

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
}
