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
    pub fn key(&self, address: &str) -> Option<String> {
        let address = email::comparable(&clean(address));
        let (local, domain) = address.rsplit_once('@')?;
        let domain = self.domain_aliases.get(domain).map_or(domain, String::as_str);
        let is_company = self.company_domains.iter().any(|parent| email::within(domain, parent));
        let untagged = local.split_once('+').map(|(name, _)| name).filter(|name| is_company && !name.is_empty());
        let local = untagged.unwrap_or(local);
        (!local.is_empty() && !domain.is_empty()).then(|| format!("{local}@{domain}"))
    }
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
