//! What a rule is, apart from how it judges: its name, title, severity, criteria and documentation.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{finding::Severity, kind::Product, rule_name::RuleName};

/// What a rule is. Built-in rules borrow their texts; those of a rule made at run time are owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// A promise: never changed, and never given to another rule.
    pub name: RuleName,
    /// The defect that it finds, as a noun phrase.
    pub title: Cow<'static, str>,
    /// The severity of its findings unless the policy sets another.
    pub severity: Severity,
    /// The criteria that it supports evidence for, such as `CC6.3`.
    pub criteria: Vec<Cow<'static, str>>,
    /// What it means, why an auditor asks, and how to fix what it finds, in Markdown.
    pub doc: Cow<'static, str>,
}

/// The heading of the part of a document that says how to fix what a rule finds.
const FIX: &str = "How to fix it";

impl RuleInfo {
    /// The criteria in one cell.
    pub fn criteria_text(&self) -> Cow<'_, str> {
        match self.criteria.as_slice() {
            [one] => Cow::Borrowed(one),
            several => Cow::Owned(several.join(", ")),
        }
    }

    /// A part of the documentation by its heading, on one line. Empty if there is no such part.
    pub fn part(&self, heading: &str) -> String {
        one_line(section(&self.doc, "\n## ", heading).unwrap_or_default())
    }

    /// How to fix what it finds in workspaces of a product: the part for that product, or the general part if the rule
    /// has none for it.
    pub fn fix(&self, product: Product) -> String {
        one_line(fix_part(&self.doc, product.name()))
    }

    /// The first paragraph of [`Self::fix`], for lists.
    pub fn advice(&self, product: Product) -> String {
        one_line(fix_part(&self.doc, product.name()).split("\n\n").next().unwrap_or_default())
    }
}

fn fix_part<'d>(doc: &'d str, product: &str) -> &'d str {
    let part = section(doc, "\n## ", FIX).unwrap_or_default();
    let general = part.split("\n### ").next().unwrap_or_default().trim();
    section(part, "\n### ", product).unwrap_or(general)
}

/// The text under a heading.
fn section<'d>(text: &'d str, level: &str, heading: &str) -> Option<&'d str> {
    let parts = text.split(level).skip(1).filter_map(|part| part.split_once('\n'));
    parts.into_iter().find(|(title, _)| title.trim() == heading).map(|(_, body)| body.trim())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rules that an audit was judged by, in the order of reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleList {
    infos: Vec<Arc<RuleInfo>>,
    places: BTreeMap<RuleName, usize>,
}

impl RuleList {
    /// The rule of a name.
    pub fn get(&self, name: &str) -> Option<&RuleInfo> {
        self.places.get(name).map(|place| &*self.infos[*place])
    }

    /// All rules.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RuleInfo> + Clone {
        self.infos.iter().map(|info| &**info)
    }

    /// The names of all rules, in the same order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.iter().map(|info| info.name.as_str())
    }
}

impl FromIterator<Arc<RuleInfo>> for RuleList {
    fn from_iter<I: IntoIterator<Item = Arc<RuleInfo>>>(infos: I) -> Self {
        let infos: Vec<Arc<RuleInfo>> = infos.into_iter().collect();
        let places = infos.iter().enumerate().map(|(place, info)| (info.name.clone(), place)).collect();
        Self { infos, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(doc: &'static str) -> RuleInfo {
        RuleInfo {
            name: "contractor-export".into(),
            title: "Contractor who may export".into(),
            severity: Severity::High,
            criteria: vec!["CC6.1".into(), "A.5.15".into()],
            doc: doc.into(),
        }
    }

    const DOC: &str = "# contractor-export

## What it means

Two
lines.

## How to fix it

Give a lesser role.

### Bigin

Choose another
profile.

Then save.

## Criteria

CC6.1
";

    #[test]
    fn a_fix_is_that_of_the_product_or_else_the_general_one() {
        let info = info(DOC);
        assert_eq!(info.fix(Product::Bigin), "Choose another profile. Then save.");
        assert_eq!(info.advice(Product::Bigin), "Choose another profile.");
        assert_eq!(fix_part(DOC, "Another product"), "Give a lesser role.");
    }

    #[test]
    fn a_part_is_found_by_its_whole_heading() {
        let info = info(DOC);
        assert_eq!(info.part("What it means"), "Two lines.");
        assert_eq!([info.part("What"), info.part("Why an auditor asks")], ["", ""]);
    }

    #[test]
    fn several_criteria_stand_in_one_cell() {
        assert_eq!(info("").criteria_text(), "CC6.1, A.5.15");
    }

    #[test]
    fn a_list_finds_a_rule_by_its_name() {
        let list: RuleList = [Arc::new(info(DOC))].into_iter().collect();
        assert_eq!(list.get("contractor-export").map(|info| &*info.title), Some("Contractor who may export"));
        assert!(list.get("contractor").is_none());
    }
}
