//! When two addresses are the same.

use std::{borrow::Cow, collections::BTreeMap};

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::model::{email, policy::Policy};

/// What a policy says about addresses.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    company_domains: &'a [String],
    domain_aliases: &'a BTreeMap<String, String>,
}

impl<'a> Addresses<'a> {
    /// What a policy says about addresses.
    pub fn of(policy: &'a Policy) -> Self {
        Self::new(&policy.company_domains, &policy.domain_aliases)
    }

    /// With these domains of the company, and these domains that stand for another one.
    pub fn new(company_domains: &'a [String], domain_aliases: &'a BTreeMap<String, String>) -> Self {
        Self { company_domains, domain_aliases }
    }

    /// The form in which the addresses of a roster and of users are the same. `None` if the text is not an address.
    pub fn key<'t>(&self, address: &'t str) -> Option<Cow<'t, str>> {
        let address = match address {
            usual if is_usual(usual) => Cow::Borrowed(usual),
            other => Cow::Owned(email::comparable(&clean(other))),
        };
        let (local, written) = address.rsplit_once('@')?;
        let domain = self.domain_aliases.get(written).map_or(written, String::as_str);
        let is_company = || self.company_domains.iter().any(|parent| email::within(domain, parent));
        let untagged = local.split_once('+').map(|(name, _)| name).filter(|name| !name.is_empty() && is_company());
        if local.is_empty() || domain.is_empty() {
            return None;
        }
        if untagged.is_none() && domain == written {
            return Some(address);
        }
        Some(Cow::Owned(format!("{}@{domain}", untagged.unwrap_or(local))))
    }
}

/// Whether an address is written as addresses are compared, which most are.
fn is_usual(address: &str) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b'!'..=b'~') && !byte.is_ascii_uppercase();
    address.as_bytes().iter().all(is_plain) && !address.ends_with('.') && !address.starts_with("mailto:")
}

/// A text in its composed form (NFC): a letter with its accent is one character.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// An address without what cannot be seen, and without `mailto:`.
fn clean(address: &str) -> Cow<'_, str> {
    let is_unseen =
        |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}') || c.is_control();
    let mut address = composed(address);
    if address.contains(is_unseen) {
        address = Cow::Owned(address.chars().filter(|c| !is_unseen(*c)).collect());
    }
    let trimmed = address.trim();
    let start = trimmed.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
    let bare = if start.is_some() { trimmed[7..].trim() } else { trimmed };
    if bare.len() == address.len() { address } else { Cow::Owned(bare.to_owned()) }
}
