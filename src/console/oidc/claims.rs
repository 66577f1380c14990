//! From what a provider says of a person to who signed in.

use chrono::{DateTime, Utc};
use openidconnect::{AdditionalClaims, EndUserName, GenderClaim, IdTokenClaims, LocalizedClaim, UserInfoClaims};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::OidcError;
use crate::{
    model::email::domain,
    review::{event::Via, person::Address},
    store::sessions::{Identity, SignedIn},
};

/// The most groups of a person that are looked at.
const GROUPS: usize = 2_000;
/// The longest address, in bytes (RFC 5321).
const LONGEST: usize = 254;
/// Characters of a name that are kept.
const NAME: usize = 100;

/// The claims that OpenID Connect does not define.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

impl Others {
    /// The names in a claim; `None` if there is no such claim. One name is a list of one.
    fn groups(&self, claim: &str) -> Option<Vec<String>> {
        match self.all.get(claim)? {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(names) => {
                Some(names.iter().filter_map(Value::as_str).take(GROUPS).map(str::to_owned).collect())
            }
            _ => None,
        }
    }
}

/// What a provider says of a person.
#[derive(Debug, Default)]
pub(super) struct Known {
    email: Option<String>,
    /// Whether the same source calls the address verified.
    is_verified: bool,
    name: Option<String>,
    groups: Option<Vec<String>>,
    /// When the person last proved to the provider who it is. `None` if the provider does not say.
    proven_at: Option<DateTime<Utc>>,
}

impl Known {
    /// By the ID token.
    pub(super) fn of_token<GC: GenderClaim>(claims: &IdTokenClaims<Others, GC>, groups: &str) -> Self {
        Self {
            email: claims.email().map(|email| email.as_str().to_owned()),
            is_verified: claims.email_verified() == Some(true),
            name: named(claims.name()),
            groups: claims.additional_claims().groups(groups),
            proven_at: claims.auth_time(),
        }
    }

    /// Whether the address or the groups are missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.email.is_none() || self.groups.is_none()
    }

    /// Adds what is missing from what the provider says when it is asked.
    pub(super) fn complete<GC: GenderClaim>(&mut self, told: &UserInfoClaims<Others, GC>, groups: &str) {
        if self.email.is_none() {
            self.email = told.email().map(|email| email.as_str().to_owned());
            self.is_verified = told.email_verified() == Some(true);
        }
        self.name = self.name.take().or_else(|| named(told.name()));
        self.groups = self.groups.take().or_else(|| told.additional_claims().groups(groups));
    }

    /// Who signed in. An address that counts without being verified is only that of a trusted provider.
    pub(super) fn signed_in(self, identity: Identity, trust_email: bool) -> Result<SignedIn, OidcError> {
        let email = self.email.filter(|email| is_address(email));
        let email = email.ok_or_else(|| OidcError::NoAddress(identity.subject.clone()))?;
        if !self.is_verified && !trust_email {
            return Err(OidcError::Unverified(identity.subject));
        }
        Ok(SignedIn {
            name: self.name,
            groups: self.groups.unwrap_or_default(),
            identity: Some(identity),
            proven_at: self.proven_at,
            ..SignedIn::by(Address::of(&email), Via::Console)
        })
    }
}

fn is_address(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '<' | '>' | ',' | ';');
    text.len() <= LONGEST && text.chars().all(is_plain) && domain(text).is_some()
}

/// The name in the language of nobody in particular.
fn named(names: Option<&LocalizedClaim<EndUserName>>) -> Option<String> {
    let name = names.and_then(|names| names.get(None))?;
    let visible = name.chars().filter(|c| !c.is_control()).take(NAME).collect::<String>();
    Some(visible.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { issuer: "https://login.example.com".into(), subject: "7".into() }
    }

    fn known(email: Option<&str>, is_verified: bool) -> Known {
        Known { email: email.map(str::to_owned), is_verified, name: None, groups: None, proven_at: None }
    }

    #[test]
    fn an_address_counts_if_it_is_verified_or_the_provider_is_trusted() {
        let who = known(Some("Ana@Example.com"), true).signed_in(identity(), false).unwrap();
        assert_eq!((who.address.as_str(), who.via, who.groups.len()), ("ana@example.com", Via::Console, 0));
        let refused = known(Some("ana@example.com"), false).signed_in(identity(), false);
        assert!(matches!(refused, Err(OidcError::Unverified(_))), "{refused:?}");
        assert!(known(Some("ana@example.com"), false).signed_in(identity(), true).is_ok());
        let long = format!("{}@example.com", "a".repeat(250));
        for email in [None, Some(""), Some("ana"), Some("a b@example.com"), Some("Ana <a@example.com>"), Some(&*long)] {
            let refused = known(email, true).signed_in(identity(), true);
            assert!(matches!(refused, Err(OidcError::NoAddress(_))), "{email:?}");
        }
    }

    #[test]
    fn groups_are_a_list_of_names_or_one_name() {
        let groups = |claims: &str| serde_json::from_str::<Others>(claims).unwrap().groups("groups");
        assert_eq!(groups(r#"{"groups": ["a", 7, "b"]}"#).unwrap(), ["a", "b"]);
        assert_eq!(groups(r#"{"groups": "a"}"#).unwrap(), ["a"]);
        assert_eq!(groups(r#"{"roles": ["a"], "groups": null}"#), None);
        assert_eq!(groups(r#"{"_claim_names": {"groups": "src1"}}"#), None, "too many: they are elsewhere");
    }
}
