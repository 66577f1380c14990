//! Pure: the reports of an audit.
//!
//! [`write`] writes one of the six files of an audit from a [`ReportInput`]. Every report streams: rows go to
//! the writer as they are joined, so that a million users cost no more memory than a hundred. The words that
//! the HTML report, the mail and the terminal share are in [`summary`]; the rows that the tables share, and
//! the guard against formulas, in `rows` and `cell`.

pub mod summary;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;

/// What a report says of a rule beside its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// The rule as a short heading.
    pub title: &'static str,
    /// The Trust Services Criterion that it supports, as `CC6.3`.
    pub criterion: &'static str,
    /// How to fix what it finds, in one paragraph.
    pub advice: String,
}

/// The text of each rule, by the rule's name.
pub type RuleTexts = BTreeMap<&'static str, RuleText>;
