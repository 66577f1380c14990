//! A subject that is written down: a test case, and the two with which every condition is tried when it is loaded.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    Program,
    evaluate::Failure,
    keys::{Key, Kind},
    view::{Reading, Texts, View},
};
use crate::model::policy::{RuleTest, TestValue};

/// A subject that is written down.
#[derive(Debug)]
pub struct Case {
    values: BTreeMap<Key, Value>,
}

#[derive(Debug)]
enum Value {
    Plain(TestValue),
    Texts(Texts),
}

impl Case {
    /// The subject of a test case, at a time if it does not say one.
    pub fn of(test: &RuleTest, now: DateTime<Utc>) -> Self {
        let given = test.given.iter().filter_map(|(path, value)| Some((Key::parse(path)?, value)));
        let mut values: BTreeMap<Key, Value> = given.map(|(key, value)| (key, Value::from(value))).collect();
        values.entry(Key::Now).or_insert(Value::Plain(TestValue::Time(now)));
        Self { values }
    }

    /// A subject of which everything is there.
    pub fn full(now: DateTime<Utc>) -> Self {
        let value = |key: &Key| match key.kind() {
            Kind::Bool => TestValue::Bool(true),
            Kind::Int => TestValue::Int(1),
            Kind::Text => TestValue::Text("ana@example.com".into()),
            Kind::Time => TestValue::Time(now),
            Kind::Texts => TestValue::Texts(vec!["Export Data".into()]),
        };
        Self { values: Key::ALL.iter().map(|key| (*key, Value::from(&value(key)))).collect() }
    }
}

impl From<&TestValue> for Value {
    fn from(value: &TestValue) -> Self {
        match value {
            TestValue::Texts(texts) => Self::Texts(Texts::new(texts.iter().map(String::as_str))),
            plain => Self::Plain(plain.clone()),
        }
    }
}

impl View for Case {
    fn value(&self, key: Key) -> Reading<'_> {
        match self.values.get(&key) {
            Some(Value::Texts(texts)) if !texts.is_empty() => Reading::Texts(texts),
            Some(Value::Plain(TestValue::Bool(value))) => Reading::Bool(*value),
            Some(Value::Plain(TestValue::Int(value))) => Reading::Int(*value),
            Some(Value::Plain(TestValue::Time(time))) => Reading::Time(*time),
            Some(Value::Plain(TestValue::Text(text))) => Some(text.as_str()).into(),
            None | Some(Value::Texts(_) | Value::Plain(TestValue::Texts(_))) => Reading::Empty,
        }
    }

    fn group(&self) -> u64 {
        0
    }
}

impl Program {
    /// Runs a test case, at a time if it does not say one.
    ///
    /// # Errors
    /// What is wrong, as a clause: “true is expected, but it is false”.
    pub fn test(&self, test: &RuleTest, now: DateTime<Utc>) -> Result<(), String> {
        let outcome = match self.evaluate(&Case::of(test, now)) {
            Ok(found) if found == test.expect => return Ok(()),
            Ok(found) => format!("it is {found}"),
            Err(failure) => format!("it cannot be evaluated: {failure}"),
        };
        Err(format!("{} is expected, but {outcome}", test.expect))
    }

    /// Whether the condition is true for one subject.
    ///
    /// # Errors
    /// [`Failure`] if that cannot be said.
    pub fn evaluate(&self, view: &dyn View) -> Result<bool, Failure> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough")]
        self.over(view, |session| session.evaluate())
    }
}
