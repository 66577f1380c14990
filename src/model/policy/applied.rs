//! The policy as it is applied, complete: with the keys of the configuration, in a canonical form, and its digest.

use serde_json::{Map, Value, json};

use super::Policy;
use crate::digest;

impl Policy {
    /// The policy with the keys of the configuration, every value included that a default gives. Its name is not part of it:
    /// policies that judge alike are the same whatever they are called.
    pub fn applied(&self) -> Map<String, Value> {
        // It has only text keys and finite numbers, so it can be written.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        prune(&mut value);
        let Value::Object(mut applied) = value else { return Map::new() };
        applied.remove("name");
        if let Some(Value::Object(rules)) = applied.get_mut("rules") {
            for (_, setting) in rules.iter_mut() {
                if let Some(severity) = setting.get_mut("severity").map(Value::take) {
                    *setting = severity;
                }
            }
        }
        applied
    }

    /// The SHA-256 of the canonical form (RFC 8785) of [`Self::applied`]: the same on every machine, and whatever the order
    /// of the keys in the configuration.
    pub fn sha256(&self) -> String {
        // What serde_json has parsed or made can be written in canonical form.
        let text = serde_json_canonicalizer::to_string(&self.applied()).unwrap_or_default();
        digest::sha256(text.as_bytes())
    }

    /// The policy as evidence has it: its name, its digest, and [`Self::applied`].
    pub fn document(&self) -> Value {
        json!({ "name": self.name, "sha256": self.sha256(), "policy": self.applied() })
    }

    /// The policy as a table `[policy]` that a configuration may contain.
    ///
    /// # Errors
    /// If it has a value that TOML has not.
    pub fn toml(&self) -> Result<String, toml::ser::Error> {
        let mut table = toml::Table::try_from(self.applied())?;
        table.iter_mut().for_each(|(key, value)| write_dates(key, value));
        let policy: toml::Table = [("policy".to_owned(), toml::Value::Table(table))].into_iter().collect();
        toml::to_string(&policy)
    }
}

/// Removes what has no value.
fn prune(value: &mut Value) {
    match value {
        Value::Object(keys) => {
            keys.retain(|_, value| !value.is_null());
            keys.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// JSON has no dates: those of the policy are the last days.
fn write_dates(key: &str, value: &mut toml::Value) {
    match value {
        toml::Value::String(text) if key == "until" => {
            if let Ok(date) = text.parse() {
                *value = toml::Value::Datetime(date);
            }
        }
        toml::Value::Array(items) => items.iter_mut().for_each(|item| write_dates(key, item)),
        toml::Value::Table(keys) => keys.iter_mut().for_each(|(key, value)| write_dates(key, value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{finding::Severity, policy::RuleSetting};

    #[test]
    fn the_digest_is_of_the_canonical_form_and_of_nothing_else() {
        let policy = Policy::default();
        let text = serde_json_canonicalizer::to_string(&policy.applied()).unwrap();
        assert!(text.starts_with(r#"{"administrator_profiles":["Administrator"],"company_domains":[],"#), "{text}");
        assert!(text.contains(r#""max_administrator_percent":20,"#), "{text}");
        assert_eq!(policy.sha256(), digest::sha256(text.as_bytes()));
        let renamed = Policy { name: "strict".into(), ..Policy::default() };
        assert_eq!(policy.sha256(), renamed.sha256(), "the name judges nothing");
        assert_ne!(policy.sha256(), Policy { max_administrators: 4, ..Policy::default() }.sha256());
        let read: Policy = serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
        assert_eq!(read.sha256(), policy.sha256());
    }

    #[test]
    fn a_setting_is_the_word_of_the_configuration_and_what_is_not_set_is_left_out() {
        let mut policy = Policy::default();
        policy.rules.insert("no-role".into(), RuleSetting::Off);
        policy.rules.insert("no-profile".into(), RuleSetting::Severity(Severity::High));
        let applied = policy.applied();
        assert_eq!(applied["rules"], json!({ "no-role": "off", "no-profile": "high" }));
        assert!(!applied.contains_key("approved_administrators") && !applied.contains_key("name"));
    }
}
