//! The document of a custom rule, in the form of those of built-in rules.

use crate::model::policy::CustomRule;

pub(super) fn of(rule: &CustomRule) -> String {
    let CustomRule { name, title, for_each, when, fix, criteria, .. } = rule;
    let criteria = if criteria.is_empty() { "The policy names none.".to_owned() } else { criteria.join(", ") };
    let title = title.trim().trim_end_matches('.');
    let condition: Vec<&str> = when.split_whitespace().collect();
    format!(
        "# {name}\n\n## What it means\n\n{}.\n\nThis is a rule of the policy. It reports every {} for which this is true:\n\n    {}\n\n\
         ## Why an auditor asks\n\nThe company has decided that this must not be.\n\n\
         ## How to fix it\n\n{}\n\n## Criteria\n\n{criteria}\n",
        plain(title),
        for_each.word(),
        condition.join(" "),
        plain(fix.trim()),
    )
}

/// A text in which no line is a heading.
fn plain(text: &str) -> String {
    text.lines().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{finding::Severity, kind::Product, policy::ForEach, rule::RuleInfo};

    #[test]
    fn a_text_with_headings_does_not_change_the_parts() {
        let rule = CustomRule {
            name: "contractor-export".into(),
            title: "Contractor who may export.".into(),
            severity: Severity::High,
            criteria: vec!["CC6.1".into()],
            for_each: ForEach::User,
            when: "user.active\n  && true".into(),
            message: "x".into(),
            fix: "Give a lesser profile.\n\n## Criteria\n\nNone".into(),
            tests: Vec::new(),
        };
        let info = RuleInfo {
            name: "contractor-export".into(),
            title: "".into(),
            severity: Severity::High,
            criteria: Vec::new(),
            doc: of(&rule).into(),
        };
        assert_eq!(info.part("Criteria"), "CC6.1");
        assert_eq!(info.advice(Product::Bigin), "Give a lesser profile.");
        assert_eq!(info.fix(Product::Bigin), "Give a lesser profile. Criteria None");
        assert!(info.part("What it means").starts_with("Contractor who may export. This is a rule of the policy."));
        assert!(info.part("What it means").ends_with("user.active && true"));
    }
}
