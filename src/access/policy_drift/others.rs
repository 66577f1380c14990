//! The difference of every key that has no comparison of its own: so none can be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Difference, Differences};
use crate::model::policy::{Policy, RuleSetting};

/// The keys that the other parts compare.
pub(super) const COMPARED: [&str; 17] = [
    "administrator_profiles",
    "approved_administrators",
    "company_domains",
    "custom_rules",
    "dangerous_permissions",
    "domain_aliases",
    "exceptions",
    "expected_access",
    "max_administrator_percent",
    "max_administrators",
    "max_exception_days",
    "may_except",
    "planned_fixes",
    "roster",
    "separations",
    "shared_mailboxes",
    "unconfirmed_days",
];

/// The other keys. One that is not here yet is compared too, under the name `policy`.
const KNOWN: [&str; 3] = ["accounts", "frameworks", "off_reasons"];

/// Keys of tables in a list by which two of them are the same one, with other values.
const IDENTITY: [&str; 4] = ["name", "rule", "subject", "workspace"];

/// What more entries of a key do: the policy then looks at less.
const LOOSENS: [&str; 1] = ["accounts"];

impl Differences {
    /// Compares what has no comparison of its own, by the keys of the configuration.
    pub(super) fn others(&mut self, before: &Policy, now: &Policy) {
        let is_off = |policy: &Policy, rule: &str| policy.rules.get(rule) == Some(&RuleSetting::Off);
        let is_said = |rule: &str| is_off(before, rule) != is_off(now, rule);
        let (before, now) = (before.applied(), now.applied());
        let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for key in keys.into_iter().filter(|key| !COMPARED.contains(&key.as_str()) && *key != "rules") {
            let of = |policy: &serde_json::Map<String, Value>| {
                let mut entries = policy.get(key).map(entries).unwrap_or_default();
                // That a rule is off now, or no longer, is said of the rule: its reason comes and goes with that.
                entries.retain(|entry, _| key != "off_reasons" || !is_said(entry));
                entries
            };
            self.any_entries(key, &of(&before), &of(&now));
        }
    }

    fn any_entries(&mut self, key: &str, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name), now.get(name));
            if was != is {
                // Whether another value looks at less is not known: it may.
                let is_looser = is.is_some() && LOOSENS.contains(&key);
                let known = KNOWN.into_iter().find(|known| *known == key);
                self.0.push(Difference {
                    key: known.unwrap_or("policy"),
                    entry: if known.is_some() { name.clone() } else { format!("{key}.{name}") },
                    before: was.cloned().unwrap_or_default(),
                    after: is.cloned().unwrap_or_default(),
                    is_looser,
                });
            }
        }
    }
}

/// The entries of a key, each with its value: those of a table by key, of a list by what identifies them, and a single
/// value under no name.
fn entries(value: &Value) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    match value {
        Value::Object(keys) => entries.extend(keys.iter().map(|(key, value)| (key.clone(), text(value)))),
        Value::Array(items) => {
            for item in items {
                let mut name = identity(item);
                while entries.contains_key(&name) {
                    name.push('\'');
                }
                entries.insert(name, text(item));
            }
        }
        single => _ = entries.insert(String::new(), text(single)),
    }
    entries
}

/// What identifies an item of a list: its name, rule, subject and workspace, or else all of it.
fn identity(item: &Value) -> String {
    let keys = IDENTITY.iter().filter_map(|key| item.get(key)?.as_str());
    let keys = keys.collect::<Vec<_>>().join(": ");
    if keys.is_empty() { text(item) } else { keys }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::{
        access::policy_drift::differences,
        audit::RuleSet,
        model::{
            account::{Account, AccountKind},
            framework::Framework,
        },
    };

    fn account() -> Account {
        Account {
            subject: "svc-*@example.com".into(),
            kind: AccountKind::Service,
            owner: "ana@example.com".into(),
            reason: "writes leads".into(),
            until: NaiveDate::MAX,
            workspace: None,
        }
    }

    fn shown(before: &Policy, now: &Policy) -> Vec<(String, String, bool)> {
        let found = differences(before, now, RuleSet::built_in().list(), "acme");
        found.into_iter().map(|one| (one.key.to_owned(), one.entry, one.is_looser)).collect()
    }

    #[test]
    fn every_key_of_a_policy_has_a_comparison() {
        // The keys that are there, and one that a later rolecall may add.
        let keys = Policy::default().applied();
        let may_be_empty = [
            "approved_administrators",
            "custom_rules",
            "domain_aliases",
            "expected_access",
            "may_except",
            "planned_fixes",
            "roster",
            "separations",
        ];
        assert!(COMPARED.iter().filter(|key| !may_be_empty.contains(key)).all(|key| keys.contains_key(*key)));
        let mut found = Differences(Vec::new());
        let of = |value: Value| entries(&value);
        found.any_entries("something_new", &of(Value::from(1)), &of(Value::from(2)));
        found.any_entries("something_else", &of(serde_json::json!([{ "a": 1 }])), &of(serde_json::json!([{ "a": 2 }])));
        let shown: Vec<String> = found.0.iter().map(|one| format!("{}.{}", one.key, one.entry)).collect();
        assert_eq!(
            shown,
            ["policy.something_new.", r#"policy.something_else.{"a":1}"#, r#"policy.something_else.{"a":2}"#]
        );
    }

    #[test]
    fn an_account_that_is_added_or_changed_looks_at_less_and_one_that_is_removed_does_not() {
        let with = |accounts: &[Account]| Policy { accounts: accounts.to_vec(), ..Policy::default() };
        let (none, one) = (Policy::default(), with(&[account()]));
        let longer = with(&[Account { kind: AccountKind::BreakGlass, ..account() }]);
        let entry = |is_looser| vec![("accounts".to_owned(), "svc-*@example.com".to_owned(), is_looser)];
        assert_eq!(shown(&none, &one), entry(true));
        assert_eq!(shown(&one, &longer), entry(true));
        assert_eq!(shown(&one, &none), entry(false));
        assert_eq!(shown(&one, &one), Vec::new());
    }

    #[test]
    fn reasons_frameworks_and_the_name_are_changes_too() {
        let mut now = Policy { frameworks: vec![Framework::Iso27001], ..Policy::default() };
        let expected = [("frameworks", "iso27001", false), ("frameworks", "soc2", false)];
        assert_eq!(shown(&Policy::default(), &now), expected.map(|(key, entry, off)| (key.into(), entry.into(), off)));
        now.frameworks = vec![Framework::Soc2];
        now.rules.insert("no-role".into(), RuleSetting::Off);
        let off = now.clone();
        now.off_reasons.insert("no-role".into(), "roles are kept for partners".into());
        assert_eq!(shown(&off, &now), [("off_reasons".into(), "no-role".into(), false)]);
        // A rule that is switched off, or on again, is one change, whether there is a reason or not.
        now.frameworks = Policy::default().frameworks;
        assert_eq!(shown(&Policy::default(), &now), [("rules".into(), "no-role".into(), true)]);
        assert_eq!(shown(&now, &Policy::default()), [("rules".into(), "no-role".into(), false)]);
        let renamed = Policy { name: "strict".into(), ..Policy::default() };
        assert_eq!(shown(&Policy::default(), &renamed), [("name".into(), String::new(), false)]);
    }
}
