//! Rules that a policy brings with it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::finding::Severity;

/// What a rule looks at, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForEach {
    /// Every user that is not deleted.
    #[default]
    User,
    /// Every role.
    Role,
    /// Every profile.
    Profile,
    /// The workspace, once.
    Workspace,
}

impl ForEach {
    /// Its word in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Profile => "profile",
            Self::Workspace => "workspace",
        }
    }
}

/// A rule of a company's own: a condition in CEL, and what is said about what it is true for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomRule {
    /// The name; not that of a built-in rule.
    pub name: String,
    /// The defect that it finds, as a noun phrase.
    pub title: String,
    /// The severity of its findings.
    pub severity: Severity,
    /// The criteria that it supports evidence for.
    pub criteria: Vec<String>,
    /// What it looks at.
    pub for_each: ForEach,
    /// The condition of a finding.
    pub when: String,
    /// What a finding says; `{user.email}` stands for that value.
    pub message: String,
    /// How to fix what it finds.
    pub fix: String,
    /// Its test cases.
    #[serde(default)]
    pub tests: Vec<RuleTest>,
}

/// A test case of a rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "WrittenTest", into = "WrittenTest")]
pub struct RuleTest {
    /// Whether the condition is true.
    pub expect: bool,
    /// The values that are there, by name, such as `user.email`. All others are empty.
    pub given: BTreeMap<String, TestValue>,
}

/// A value in a test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TestValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A point in time.
    Time(DateTime<Utc>),
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
}

/// A test case as the configuration has it: `user = { email = "…" }` for `user.email`.
#[derive(Serialize, Deserialize)]
struct WrittenTest {
    expect: bool,
    #[serde(flatten)]
    given: BTreeMap<String, WrittenValue>,
}

/// A value, or the values of a table.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenValue {
    Value(TestValue),
    Table(BTreeMap<String, TestValue>),
}

impl From<WrittenTest> for RuleTest {
    fn from(written: WrittenTest) -> Self {
        let values = |(name, value)| match value {
            WrittenValue::Value(value) => vec![(name, value)],
            WrittenValue::Table(table) => {
                table.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect()
            }
        };
        Self { expect: written.expect, given: written.given.into_iter().flat_map(values).collect() }
    }
}

impl From<RuleTest> for WrittenTest {
    fn from(test: RuleTest) -> Self {
        let mut given = BTreeMap::new();
        for (path, value) in test.given {
            match path.split_once('.') {
                None => _ = given.insert(path, WrittenValue::Value(value)),
                Some((table, key)) => {
                    let entry = given.entry(table.to_owned()).or_insert_with(|| WrittenValue::Table(BTreeMap::new()));
                    if let WrittenValue::Table(table) = entry {
                        table.insert(key.to_owned(), value);
                    }
                }
            }
        }
        Self { expect: test.expect, given }
    }
}
