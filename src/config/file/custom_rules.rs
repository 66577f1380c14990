//! Rules of the company's own, as written.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;

/// A rule of your own: a condition in CEL, and what is reported about what it is true for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CustomRule {
    /// The rule's name in kebab-case, not that of a built-in rule.
    #[schemars(with = "String")]
    pub(in crate::config) name: Spanned<String>,
    /// The defect that it finds, as a noun phrase.
    #[schemars(with = "String")]
    pub(in crate::config) title: Spanned<String>,
    /// The severity of its findings: critical, high, medium, low or info.
    #[schemars(with = "String")]
    pub(in crate::config) severity: Spanned<String>,
    /// The criteria that it supports evidence for, such as CC6.1.
    #[serde(default)]
    pub(in crate::config) criteria: Vec<String>,
    /// What it looks at: user, role, profile or workspace.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) for_each: Option<Spanned<String>>,
    /// The condition of a finding, in CEL.
    #[schemars(with = "String")]
    pub(in crate::config) when: Spanned<String>,
    /// What a finding says; `{user.email}` stands for that value.
    #[schemars(with = "String")]
    pub(in crate::config) message: Spanned<String>,
    /// How to fix what it finds.
    #[schemars(with = "String")]
    pub(in crate::config) fix: Spanned<String>,
    /// Test cases: a subject, and whether the condition is true for it.
    #[serde(default)]
    pub(in crate::config) tests: Vec<RuleTest>,
}

/// A test case of a rule. What it does not name is empty.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RuleTest {
    /// Whether the condition is true for this subject.
    #[schemars(with = "bool")]
    pub(in crate::config) expect: Spanned<bool>,
    /// Values of the user.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) user: Values,
    /// Values of the role.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) role: Values,
    /// Values of the profile.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) profile: Values,
    /// Values of the organization.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) organization: Values,
    /// Values of the roster.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) roster: Values,
    /// Values of the user in the previous audit.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Anything>")]
    pub(in crate::config) previous: Values,
    /// When the workspace is judged; without it, when the configuration is loaded.
    #[schemars(with = "Option<Anything>")]
    pub(in crate::config) now: Option<Spanned<toml::Value>>,
    /// The workspace's name.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) workspace: Option<Spanned<toml::Value>>,
}

/// Values by name.
pub(in crate::config) type Values = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// A value of any type: which one it must have depends on its name.
struct Anything;

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A text, a whole number, true, false, a time, or a list of texts."})
    }
}
