//! The README and the script of an export.

use std::collections::BTreeSet;

use askama::Template;

use crate::{
    evidence::{NAMESPACE, PRINCIPAL, SIGNATURE, period::Period, review::SHEET_NAMESPACE, seal::SUMS},
    words::count,
};

/// Addresses that are not the vendor's and are named.
const MOST_ADDRESSES: usize = 5;

/// What an export says of itself.
#[derive(Debug)]
pub(super) struct Texts<'a> {
    pub(super) period: Period,
    pub(super) due: usize,
    pub(super) gaps: usize,
    pub(super) bags: &'a BTreeSet<String>,
    /// The addresses that reviews were read from, where they are not the vendor's.
    pub(super) foreign: BTreeSet<String>,
    /// The name of the checkpoint's file.
    pub(super) checkpoint: &'a str,
    /// Whether people reviewed accounts in the period, or had to.
    pub(super) decisions: bool,
    pub(super) is_signed: bool,
    /// How many timestamps are in the export.
    pub(super) timestamps: usize,
}

#[derive(Template)]
#[template(path = "evidence/export/README.txt")]
struct Readme<'a> {
    from: String,
    to: String,
    verdict: String,
    version: &'static str,
    bags: String,
    foreign: String,
    checkpoint: &'a str,
    decisions: bool,
    principal: &'static str,
    namespace: &'static str,
    sums: &'static str,
    signed: bool,
    timestamps: bool,
}

#[derive(Template)]
#[template(path = "evidence/export/verify.sh", escape = "none")]
struct Script {
    sheets: &'static str,
    principal: &'static str,
    namespace: &'static str,
    signature: &'static str,
    sums: &'static str,
    signed: bool,
    timestamps: bool,
}

impl Texts<'_> {
    pub(super) fn readme(&self) -> Result<String, askama::Error> {
        let (from, to) = self.period.days();
        let (due, gaps, bags) = (count(self.due, "due review"), count(self.gaps, "gap"), count(self.bags.len(), "bag"));
        let readme = Readme {
            from: from.to_string(),
            to: to.to_string(),
            verdict: format!("{due}, {gaps}; {bags}."),
            version: env!("CARGO_PKG_VERSION"),
            bags: beginnings(self.bags),
            foreign: self.foreign.iter().map(String::as_str).take(MOST_ADDRESSES).collect::<Vec<_>>().join(", "),
            checkpoint: self.checkpoint,
            decisions: self.decisions,
            principal: PRINCIPAL,
            namespace: NAMESPACE,
            sums: SUMS,
            signed: self.is_signed,
            timestamps: self.timestamps > 0,
        };
        // Templates end without the end of their last line.
        Ok(readme.render()? + "\n")
    }

    pub(super) fn script(&self) -> Result<String, askama::Error> {
        let script = Script {
            sheets: SHEET_NAMESPACE,
            principal: PRINCIPAL,
            namespace: NAMESPACE,
            signature: SIGNATURE,
            sums: SUMS,
            signed: self.is_signed,
            timestamps: self.timestamps > 0,
        };
        Ok(script.render()? + "\n")
    }
}

/// How the names of bags begin, as a list of contents has it.
fn beginnings(bags: &BTreeSet<String>) -> String {
    let years: BTreeSet<&str> = bags.iter().filter_map(|bag| bag.split('-').next()).collect();
    let years: Vec<String> = years.into_iter().map(|year| format!("{year}-.../")).collect();
    if years.is_empty() { "(no folder)".to_owned() } else { years.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_contents_has_the_years_of_the_bags() {
        assert_eq!(
            beginnings(&["2027-01-04T0700_a", "2026-12-28T0700_a", "2026-12-21T0700_a"].map(str::to_owned).into()),
            "2026-.../, 2027-.../"
        );
        assert_eq!(beginnings(&BTreeSet::new()), "(no folder)");
    }
}
