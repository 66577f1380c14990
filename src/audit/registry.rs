//! The one list of rules. A rule's name is a promise: it stands in policies, reports and evidence, and is
//! never given to another rule.
//!
//! To add a rule: write `rules/<name>.rs` and `rules/<name>.md` beside it, declare the module in `rules.rs`,
//! add it to `RULES` where it belongs, and accept the snapshot of the list.

use std::fmt;

use super::{context::Context, rules, sink::Sink};
use crate::model::finding::Severity;

/// A rule: what it is called, and how it judges.
pub struct Rule {
    /// The name: kebab-case, the same in policies, reports and `rolecall rules`.
    pub name: &'static str,
    /// The defect, as a noun phrase.
    pub title: &'static str,
    /// How grave its findings are unless the policy says otherwise.
    pub severity: Severity,
    /// The Trust Services Criterion that it supports evidence for.
    pub criterion: &'static str,
    /// Its documentation, in Markdown.
    pub doc: &'static str,
    /// Whether it looks at the users: then it cannot pass on an incomplete read.
    pub(super) judges_population: bool,
    /// Looks, and reports what it finds.
    pub(super) evaluate: fn(&Context<'_>, &mut Sink<'_>),
}

impl Rule {
    /// How to fix what it finds: the first paragraph of that part of its documentation, on one line.
    pub fn advice(&self) -> String {
        self.paragraphs("How to fix").next().unwrap_or_default()
    }

    /// A part of its documentation, by how its heading begins, on one line.
    pub fn part(&self, heading: &str) -> String {
        self.paragraphs(heading).collect::<Vec<_>>().join(" ")
    }

    fn paragraphs(&self, heading: &str) -> impl Iterator<Item = String> {
        let part = self.doc.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
        let one_line = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        part.split("\n\n").skip(1).map(one_line)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({}, {})", self.name, self.severity)
    }
}

/// All rules: first whether the read can be relied on, then power, then people, then the role and profile
/// lists, and last the policy itself, which looks at what the others found.
static RULES: [Rule; 33] = [
    rules::incomplete_read::RULE,
    rules::no_administrator::RULE,
    rules::unapproved_administrator::RULE,
    rules::primary_user_changed::RULE,
    rules::primary_user_inactive::RULE,
    rules::administrator_clone::RULE,
    rules::unconfirmed_administrator::RULE,
    rules::inactive_administrator::RULE,
    rules::administrative_role::RULE,
    rules::dangerous_profile::RULE,
    rules::too_many_administrators::RULE,
    rules::only_one_administrator::RULE,
    rules::administrator::RULE,
    rules::unknown_profile::RULE,
    rules::unknown_role::RULE,
    rules::no_profile::RULE,
    rules::no_role::RULE,
    rules::unknown_status::RULE,
    rules::outside_domain::RULE,
    rules::shared_mailbox::RULE,
    rules::duplicate_person::RULE,
    rules::unconfirmed_user::RULE,
    rules::role_cycle::RULE,
    rules::missing_parent_role::RULE,
    rules::stale_role_name::RULE,
    rules::stale_profile_name::RULE,
    rules::unused_profile::RULE,
    rules::unused_role::RULE,
    rules::similar_profile_names::RULE,
    rules::similar_role_names::RULE,
    rules::expired_exception::RULE,
    rules::unmatched_exception::RULE,
    rules::unmatched_policy_entry::RULE,
];

/// All rules, in the order of reports.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The rule of a name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_severities_are_a_promise() {
        let list: Vec<String> = rules().iter().map(|rule| format!("{} {}", rule.name, rule.severity)).collect();
        insta::assert_snapshot!(list.join("\n"));
    }

    #[test]
    fn every_name_is_its_own_and_found_again() {
        let names: BTreeSet<&str> = rules().iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), rules().len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name} is not kebab-case");
            assert_eq!(rule(name).map(|rule| rule.name), Some(name));
        }
        assert!(rule("no-such-rule").is_none());
    }

    #[test]
    fn every_rule_documents_what_why_how_and_which_criterion() {
        for rule in rules() {
            let headings: Vec<&str> = rule.doc.lines().filter(|line| line.starts_with('#')).collect();
            let title = format!("# {}", rule.name);
            let expected = [
                title.as_str(),
                "## What it means",
                "## Why an auditor asks",
                "## How to fix it in Bigin",
                "## Trust Services Criterion",
            ];
            assert_eq!(headings, expected);
            assert!(rule.doc.contains(rule.criterion), "{} does not document {}", rule.name, rule.criterion);
        }
    }
}
