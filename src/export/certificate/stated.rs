//! What a bag states of its read. Bags of an older rolecall do not have everything: what is missing is said to be.

use std::io;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    evidence::sealed::SealedBag,
    export::bag::{COMPLETENESS, REPORT, json},
};

/// The files that state it, each as it is; null if it is not there.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) source: Value,
    pub(super) organization: Value,
    pub(super) reader: Value,
    pub(super) profiles: Value,
    pub(super) completeness: Value,
    pub(super) policy: Value,
    pub(super) occasion: Value,
    pub(super) report: Report,
}

/// What is used of `report.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    #[serde(default)]
    pub(super) workspace: String,
    #[serde(default)]
    pub(super) complete: bool,
    #[serde(default)]
    pub(super) summary: Value,
    #[serde(default)]
    pub(super) reading: Value,
    #[serde(default)]
    pub(super) not_available: Vec<String>,
    #[serde(default)]
    pub(super) previous: Value,
    #[serde(default)]
    pub(super) rules: Vec<Value>,
    #[serde(default)]
    pub(super) policy: Value,
    #[serde(default)]
    pub(super) roster: Value,
}

/// One check of the read.
pub(super) struct Check {
    pub(super) title: String,
    pub(super) outcome: String,
    pub(super) figures: String,
    pub(super) detail: String,
    /// Whether the sides agree; `None` if it could not be made.
    pub(super) agrees: Option<bool>,
}

impl Stated {
    /// Reads the files; `None` if the bag holds no audit.
    pub(super) fn of(bag: &SealedBag<'_>) -> io::Result<Option<Self>> {
        let Some(report) = json(bag, REPORT)? else { return Ok(None) };
        let file = |file: &str| json(bag, file).map(Option::<Value>::unwrap_or_default);
        Ok(Some(Self {
            source: file("data/directory/source.json")?,
            organization: file("data/directory/organization.json")?,
            reader: file("data/directory/current-user.json")?,
            profiles: file("data/directory/profiles.json")?,
            completeness: file(COMPLETENESS)?,
            policy: file("data/policy.json")?,
            occasion: file("data/occasion.json")?,
            report,
        }))
    }

    /// A number of the read.
    pub(super) fn reading(&self, name: &str) -> Option<u64> {
        self.completeness.pointer(&format!("/reading/{name}")).and_then(Value::as_u64)
    }

    /// The checks of the read: titles from the report, figures from the completeness, in the same order.
    pub(super) fn checks(&self) -> Vec<Check> {
        let figures = self.completeness.pointer("/reading/checks").and_then(Value::as_array);
        let checks = self.report.reading.get("checks").and_then(Value::as_array);
        let text = |value: Option<&Value>, name: &str| {
            value.and_then(|value| value.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let check = |(place, check): (usize, &Value)| {
            let outcome = text(Some(check), "outcome");
            Check {
                title: text(Some(check), "check"),
                agrees: match outcome.as_str() {
                    "agrees" | "repaired" => Some(true),
                    "disagrees" => Some(false),
                    _ => None,
                },
                outcome,
                figures: text(figures.and_then(|all| all.get(place)), "figures"),
                detail: text(Some(check), "detail"),
            }
        };
        checks.into_iter().flatten().enumerate().map(check).collect()
    }
}

/// A value as text; `None` if it is null, or a list or an object.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(if *truth { "yes" } else { "no" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
