//! Policies by name: `[policies.NAME]` says only what differs from `[policy]`, and is laid over it before anything is
//! checked. The rule is one for all keys, so that a new key needs nothing here:
//! - single values and lists of values replace those of `[policy]`;
//! - tables (`rules`) are merged by key;
//! - lists of tables (`exceptions`) are added to those of `[policy]`.

use toml::de::{DeArray, DeTable, DeValue};

/// Completes every `[policies.NAME]` with what it takes from `[policy]`. Everything keeps its place in the file.
pub(super) fn complete_policies(root: &mut DeTable<'_>) {
    let base = root.get("policy").and_then(|policy| policy.get_ref().as_table()).cloned();
    let Some(base) = base else { return };
    let named = root.get_mut("policies").map(toml::Spanned::get_mut);
    let Some(DeValue::Table(named)) = named else { return };
    for (_, policy) in named.iter_mut() {
        if let DeValue::Table(policy) = policy.get_mut() {
            *policy = merged(base.clone(), std::mem::take(policy));
        }
    }
}

fn merged<'t>(mut base: DeTable<'t>, over: DeTable<'t>) -> DeTable<'t> {
    for (key, mut value) in over {
        let under = base.remove(key.get_ref().as_ref());
        let value = match (under.map(toml::Spanned::into_inner), value.get_mut()) {
            (Some(DeValue::Table(under)), DeValue::Table(over)) => {
                *over = merged(under, std::mem::take(over));
                value
            }
            (Some(DeValue::Array(under)), DeValue::Array(over)) if has_tables(&under) || has_tables(over) => {
                *over = under.into_iter().chain(std::mem::replace(over, DeArray::new())).collect();
                value
            }
            _ => value,
        };
        base.insert(key, value);
    }
    base
}

fn has_tables(list: &DeArray<'_>) -> bool {
    list.iter().any(|item| item.get_ref().is_table())
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    fn completed(text: &str) -> Table {
        let mut root = DeTable::parse(text).unwrap().into_inner();
        complete_policies(&mut root);
        let root = toml::Spanned::new(0..text.len(), root);
        serde::Deserialize::deserialize(toml::de::Deserializer::from(root)).unwrap()
    }

    #[test]
    fn values_replace_tables_merge_and_lists_of_tables_add() {
        let table = completed(
            r#"
[policy]
max_administrators = 5
unconfirmed_days = 7
company_domains = ["a.example", "b.example"]
rules = { one = "off", two = "high" }
exceptions = [{ rule = "x" }]
roster = "hr"
[policies.strict]
max_administrators = 3
company_domains = ["c.example"]
rules = { two = "low", three = "info" }
exceptions = [{ rule = "y" }]
roster = ["hr", "contractors"]
[policies.plain]
company_domains = []
exceptions = []
"#,
        );
        let expected: Table = r#"
max_administrators = 3
unconfirmed_days = 7
company_domains = ["c.example"]
rules = { one = "off", two = "low", three = "info" }
exceptions = [{ rule = "x" }, { rule = "y" }]
roster = ["hr", "contractors"]
"#
        .parse()
        .unwrap();
        assert_eq!(table["policies"]["strict"].as_table().unwrap(), &expected);
        let plain = &table["policies"]["plain"];
        assert_eq!(plain["company_domains"].as_array().unwrap().len(), 0, "a list of values is replaced, also by none");
        assert_eq!(plain["exceptions"].as_array().unwrap().len(), 1, "a list of tables is added to, also by none");
        assert_eq!(table["policy"]["max_administrators"].as_integer(), Some(5), "the base stays as it is");
    }

    #[test]
    fn without_a_base_a_policy_is_what_it_says() {
        let table = completed("[policies.strict]\nmax_administrators = 3\n");
        assert_eq!(table["policies"]["strict"].as_table().unwrap().len(), 1);
    }
}
