//! A step of a trace: what it says, and where in the evidence that stands.

use serde::Serialize;
use uuid::Uuid;

use crate::{evidence::ledger::LEDGER, ledger::fact::BagName, report::guarded};

/// A step from the raw answer to the proof.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) title: &'static str,
    /// The answer in a sentence.
    pub(super) says: String,
    pub(super) facts: Vec<Fact>,
    /// Where it stands.
    pub(super) places: Vec<Place>,
    /// What stands there, word for word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quote: Option<String>,
}

/// A fact and its name.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// A place in the evidence.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    /// The audit; `None` if it is not in an audit's bag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audit: Option<Uuid>,
    /// The bag; `None` if the file is beside the bags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bag: Option<BagName>,
    pub(super) file: String,
    /// Where in the file.
    #[serde(rename = "place")]
    pub(super) at: String,
    /// The digest of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Step {
    pub(super) fn new(title: &'static str, says: impl Into<String>) -> Self {
        Self { title, says: says.into(), facts: Vec::new(), places: Vec::new(), quote: None }
    }

    #[allow(clippy::needless_pass_by_value, reason = "a fact is of any type that has a text")]
    pub(super) fn fact(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.facts.push(Fact { name: name.into(), value: value.to_string() });
        self
    }

    /// Adds a fact, if there is something to say.
    pub(super) fn some_fact(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.fact(name, value),
            None => self,
        }
    }

    pub(super) fn at(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    pub(super) fn quoting(mut self, quote: String) -> Self {
        self.quote = Some(quote);
        self
    }
}

/// An entry of the ledger.
pub(super) fn entry(number: u64) -> Place {
    Place { audit: None, bag: None, file: LEDGER.to_owned(), at: format!("line {number}"), sha256: None }
}

/// A row of a table; the header is row 1.
pub(super) fn row(number: usize) -> String {
    format!("row {number}, the header is row 1")
}

/// A cell of a CSV file, without formulas.
pub(super) fn cell(text: &str) -> String {
    guarded(text).into_owned()
}
