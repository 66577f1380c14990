//! What the user expects of a workspace: `key=value`.

use std::str::FromStr;

use super::Facts;

/// In the order of the help.
const KEYS: [(&str, Key); 11] = [
    ("org", Key::Org),
    ("administrator", Key::Administrator),
    ("profile", Key::Profile),
    ("role", Key::Role),
    ("user", Key::User),
    ("time_zone", Key::TimeZone),
    ("country", Key::Country),
    ("currency", Key::Currency),
    ("locale", Key::Locale),
    ("licence", Key::Licence),
    ("data_center", Key::DataCenter),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Org,
    Administrator,
    Profile,
    Role,
    User,
    TimeZone,
    Country,
    Currency,
    Locale,
    Licence,
    DataCenter,
}

/// Something that must hold for a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    name: &'static str,
    key: Key,
    value: String,
}

/// A text that is not an expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// There is no `key=` in front of a value.
    #[error("invalid expectation `{0}`; expected KEY=VALUE, with a KEY of {known}", known = known())]
    NoKey(String),
    /// There is no such key.
    #[error("unknown key `{written}` in an expectation{hint}; expected one of {known}", known = known())]
    UnknownKey {
        /// What was written.
        written: String,
        /// ` (did you mean …?)`, or empty.
        hint: String,
    },
    /// A key without a value.
    #[error("the expectation `{0}=` has no value")]
    NoValue(&'static str),
    /// An impossible value.
    #[error("invalid value `{0}` for `administrator`; expected true or false")]
    NoTruth(String),
}

fn known() -> String {
    KEYS.map(|(name, _)| name).join(", ")
}

/// Parses expectations separated by commas. A comma that is not followed by `key=` belongs to the value before it, because
/// company names have commas.
///
/// # Errors
/// [`ExpectationError`]
pub fn parse(text: &str) -> Result<Vec<Expectation>, ExpectationError> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(',') {
        match parts.last_mut() {
            Some(before) if !begins_with_key(part) => {
                before.push(',');
                before.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts.iter().map(|part| part.parse()).collect()
}

fn begins_with_key(part: &str) -> bool {
    part.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((written, value)) = text.split_once('=') else {
            return Err(ExpectationError::NoKey(text.trim().to_owned()));
        };
        let (written, value) = (written.trim(), value.trim());
        let Some(&(name, key)) = KEYS.iter().find(|(name, _)| *name == written) else {
            let hint = nearest(written).map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
            return Err(ExpectationError::UnknownKey { written: written.to_owned(), hint });
        };
        if value.is_empty() {
            return Err(ExpectationError::NoValue(name));
        }
        if key == Key::Administrator && !["true", "false"].contains(&value) {
            return Err(ExpectationError::NoTruth(value.to_owned()));
        }
        Ok(Self { name, key, value: value.to_owned() })
    }
}

/// The most similar key.
fn nearest(word: &str) -> Option<&'static str> {
    /// Similarity from which a word counts as a misspelling; 1 is equal.
    const ALIKE: f64 = 0.8;
    let likeness = KEYS.iter().map(|(name, _)| (strsim::jaro_winkler(word, name), *name));
    likeness.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

impl Expectation {
    /// The key.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is met, and a sentence about it. An unknown value does not meet it.
    pub(super) fn met(&self, facts: &Facts) -> (bool, String) {
        let values: Vec<String> = self.values(facts).into_iter().flatten().collect();
        let same = |value: &String| value.trim().to_lowercase() == self.value.to_lowercase();
        match values.as_slice() {
            [] => (false, format!("expected {}, but the API does not return it", self.value)),
            all if all.iter().any(same) => (true, format!("{}, as expected", self.value)),
            all => (false, format!("expected {}, found {}", self.value, all.join(" or "))),
        }
    }

    /// The workspace's values for the key; matching one of them is enough.
    fn values(&self, facts: &Facts) -> Vec<Option<String>> {
        let organization = facts.organization.as_ref();
        let user = facts.user.as_ref();
        let of = |text: Option<&Option<String>>| vec![text.cloned().flatten()];
        match self.key {
            Key::Org => organization
                .map(|org| vec![org.name.clone(), org.id.clone(), org.zgid.clone(), org.domain_name.clone()])
                .unwrap_or_default(),
            Key::Administrator => vec![facts.administrator.map(|is| is.to_string())],
            Key::Profile => {
                user.map(|user| vec![user.profile_name.clone(), user.profile_id.clone()]).unwrap_or_default()
            }
            Key::Role => user.map(|user| vec![user.role_name.clone(), user.role_id.clone()]).unwrap_or_default(),
            Key::User => user.map(|user| vec![user.email.clone(), Some(user.user_id.clone())]).unwrap_or_default(),
            Key::TimeZone => of(organization.map(|org| &org.time_zone)),
            Key::Country => of(organization.map(|org| &org.country)),
            Key::Currency => of(organization.map(|org| &org.currency)),
            Key::Locale => of(organization.map(|org| &org.locale)),
            Key::Licence => of(organization.map(|org| &org.licence)),
            Key::DataCenter => of(Some(&facts.data_center)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_separates_only_where_a_key_follows() {
        let parsed = parse("org=Example, Inc., time_zone = Europe/Berlin,administrator=true").unwrap();
        let parsed: Vec<_> = parsed.iter().map(|e| (e.name, e.value.as_str())).collect();
        assert_eq!(parsed, [("org", "Example, Inc."), ("time_zone", "Europe/Berlin"), ("administrator", "true")]);
    }

    #[test]
    fn an_invalid_expectation_is_refused_with_the_valid_keys() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(refused("timezone=UTC").contains("did you mean `time_zone`?"));
        assert!(refused("colour=red").contains("expected one of org, administrator"));
        assert!(refused("administrator").contains("expected KEY=VALUE"));
        assert!(refused("org= ").contains("has no value"));
        assert!(refused("administrator=yes").contains("true or false"));
    }
}
