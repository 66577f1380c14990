//! The one list of built-in rules. A rule's name is a promise: it stands in policies, reports and evidence, and is
//! never given to another rule. `CONTRIBUTING.md` says how to add one.

use super::{
    rule::{BuiltIn, Rule},
    rules,
};
use crate::{access::drift::SnapshotHeader, model::policy::Policy};

/// All rules: first whether the read can be relied on, then power, then people, then the role and profile
/// lists, and last the policy itself, which looks at what the others found.
const RULES: &[BuiltIn] = &[
    rules::incomplete_read::RULE,
    rules::new_full_power::RULE,
    rules::no_administrator::RULE,
    rules::unapproved_administrator::RULE,
    rules::primary_user_changed::RULE,
    rules::primary_user_inactive::RULE,
    rules::administrator_clone::RULE,
    rules::unconfirmed_administrator::RULE,
    rules::inactive_administrator::RULE,
    rules::administrative_role::RULE,
    rules::dangerous_profile::RULE,
    rules::break_glass_changed::RULE,
    rules::conflicting_access::RULE,
    rules::too_many_administrators::RULE,
    rules::only_one_administrator::RULE,
    rules::administrator::RULE,
    rules::unknown_profile::RULE,
    rules::unknown_role::RULE,
    rules::no_profile::RULE,
    rules::no_role::RULE,
    rules::unknown_status::RULE,
    rules::unreliable_roster::RULE,
    rules::leaver_active::RULE,
    rules::ambiguous_roster_match::RULE,
    rules::not_on_roster::RULE,
    rules::unexpected_access::RULE,
    rules::manager_left::RULE,
    rules::joiner_without_account::RULE,
    rules::decision_not_carried_out::RULE,
    rules::changed_without_decision::RULE,
    rules::outside_domain::RULE,
    rules::shared_mailbox::RULE,
    rules::duplicate_person::RULE,
    rules::look_alike_address::RULE,
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
    rules::long_exception::RULE,
    rules::unmatched_exception::RULE,
    rules::unmatched_policy_entry::RULE,
];

/// The first rule about the policy itself. All others judge before it.
pub(super) const FIRST_ABOUT_POLICY: &str = rules::expired_exception::RULE.name;

/// Whether an audit under a policy has a rule.
type Applies = fn(&Policy) -> bool;

/// The rules that an audit has only if the policy gives them something to look at, and when it does. Without a roster
/// nobody asked who works for the company, and a report does not list what nobody asked for.
const CONDITIONAL: &[(&str, Applies)] = &[
    ("unreliable-roster", has_roster),
    ("leaver-active", has_roster),
    ("ambiguous-roster-match", has_roster),
    ("not-on-roster", has_roster),
    ("unexpected-access", |policy| has_roster(policy) && !policy.expected_access.is_empty()),
    ("manager-left", has_roster),
    // Not everybody in a company needs an account: only if the policy gives it a severity.
    ("joiner-without-account", |policy| has_roster(policy) && policy.rules.contains_key("joiner-without-account")),
];

/// The rules about what people decided in reviews. An audit has them if there is a review to look at.
const ABOUT_REVIEWS: [&str; 2] =
    [rules::decision_not_carried_out::RULE.name, rules::changed_without_decision::RULE.name];

/// Whether an audit found something about reviews.
pub fn found_about_reviews(header: &SnapshotHeader) -> bool {
    header.findings.iter().any(|finding| ABOUT_REVIEWS.contains(&&*finding.rule))
}

fn has_roster(policy: &Policy) -> bool {
    !policy.roster.is_empty()
}

/// The built-in rules that an audit under a policy has, in the order of reports.
pub(super) fn under(policy: &Policy, has_reviews: bool) -> impl Iterator<Item = Rule> {
    let applies =
        |rule: &&BuiltIn| CONDITIONAL.iter().filter(|(name, _)| *name == rule.name).all(|(_, applies)| applies(policy));
    let is_meant = move |rule: &&BuiltIn| has_reviews || !ABOUT_REVIEWS.contains(&rule.name);
    RULES.iter().filter(applies).filter(is_meant).map(Rule::from)
}

/// All built-in rules, in the order of reports.
pub(super) fn built_in() -> impl Iterator<Item = Rule> {
    RULES.iter().map(Rule::from)
}

/// Whether a rule comes with rolecall.
pub(super) fn is_built_in(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::kind::Product;

    #[test]
    fn names_and_severities_are_a_promise() {
        let list: Vec<String> = RULES.iter().map(|rule| format!("{} {}", rule.name, rule.severity)).collect();
        insta::assert_snapshot!(list.join("\n"));
    }

    #[test]
    fn every_name_is_unique_and_kebab_case() {
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name} is not kebab-case");
        }
    }

    #[test]
    fn every_rule_documents_what_why_how_and_which_criteria() {
        for rule in RULES {
            let headings: Vec<&str> = rule.doc.lines().filter(|line| line.starts_with('#')).collect();
            let title = format!("# {}", rule.name);
            let expected = [
                title.as_str(),
                "## What it means",
                "## Why an auditor asks",
                "## How to fix it",
                "### Bigin",
                "## Criteria",
            ];
            assert_eq!(headings, expected);
            assert!(!rule.criteria.is_empty(), "{} supports no criterion", rule.name);
            for criterion in rule.criteria {
                assert!(rule.doc.contains(criterion), "{} does not document {criterion}", rule.name);
            }
        }
    }

    #[test]
    fn every_part_of_a_document_has_a_text_and_menus_are_named_only_for_their_product() {
        for rule in built_in() {
            let name = &rule.info.name;
            for part in ["What it means", "Why an auditor asks", "Criteria"] {
                assert!(!rule.info.part(part).is_empty(), "{name}: {part}");
            }
            for product in Product::ALL {
                assert!(!rule.info.advice(product).is_empty(), "{name}: {product}");
            }
            let general = rule.info.doc.split("## How to fix it\n").nth(1).unwrap().split("\n### ").next().unwrap();
            assert!(!general.trim().is_empty() && !general.contains("Setup >"), "{name}: {general}");
        }
    }
}
