//! The criteria of each framework that a built-in rule supports evidence for. A rule states its Trust Services Criteria
//! itself; those of other frameworks are here.

use std::borrow::Cow;

use crate::model::framework::Framework;

/// Controls of ISO/IEC 27001:2022, Annex A, by rule. What is not listed follows from its Trust Services Criteria.
const ISO_27001: &[(&[&str], &[&str])] = &[
    (&["changed-without-decision", "decision-not-carried-out"], &["A.5.18"]),
    (&["conflicting-access"], &["A.5.3", "A.5.18"]),
    (&["leaver-active", "joiner-without-account", "manager-left", "not-on-roster"], &["A.5.16", "A.5.18"]),
    (&["unexpected-access"], &["A.5.15", "A.5.18"]),
    (&["shared-mailbox", "duplicate-person", "look-alike-address", "outside-domain"], &["A.5.16"]),
    (
        &[
            "administrator",
            "administrator-clone",
            "administrative-role",
            "break-glass-changed",
            "inactive-administrator",
            "new-full-power",
            "no-administrator",
            "only-one-administrator",
            "primary-user-changed",
            "primary-user-inactive",
            "too-many-administrators",
            "unapproved-administrator",
            "unconfirmed-administrator",
        ],
        &["A.5.18", "A.8.2"],
    ),
    (&["dangerous-profile"], &["A.8.2", "A.8.3"]),
    (&["expired-exception", "long-exception", "unmatched-exception", "unmatched-policy-entry"], &["A.5.36"]),
];

/// Controls that correspond to a Trust Services Criterion.
fn iso_27001_of(criterion: &str) -> &'static [&'static str] {
    match criterion {
        "CC6.1" => &["A.5.15", "A.8.3"],
        "CC6.2" => &["A.5.16", "A.5.18"],
        "CC6.3" => &["A.5.15", "A.5.18"],
        _ => &[],
    }
}

/// The criteria of some frameworks for a built-in rule with these Trust Services Criteria.
pub(super) fn criteria(
    rule: &str,
    trust_services: &[Cow<'static, str>],
    frameworks: &[Framework],
) -> Vec<Cow<'static, str>> {
    let mut criteria: Vec<Cow<'static, str>> = Vec::new();
    for framework in frameworks {
        let of: Vec<Cow<'static, str>> = match framework {
            Framework::Soc2 => trust_services.to_vec(),
            Framework::Iso27001 => {
                let own = ISO_27001.iter().find(|(rules, _)| rules.contains(&rule)).map(|(_, controls)| *controls);
                let derived = || trust_services.iter().flat_map(|one| iso_27001_of(one)).copied();
                own.map_or_else(|| derived().collect(), <[_]>::to_vec).into_iter().map(Cow::Borrowed).collect()
            }
        };
        for criterion in of {
            if !criteria.contains(&criterion) {
                criteria.push(criterion);
            }
        }
    }
    criteria
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{RuleSet, testing::with_contractor_rule},
        model::policy::Policy,
    };

    fn policy(frameworks: &[Framework]) -> Policy {
        Policy { frameworks: frameworks.to_vec(), roster: vec!["hr".into()], ..Policy::default() }
    }

    #[test]
    fn every_rule_has_criteria_of_every_framework_in_the_order_of_the_policy() {
        let (soc2, iso) = (Framework::Soc2, Framework::Iso27001);
        let (one, other, both) = (policy(&[soc2]), policy(&[iso]), policy(&[iso, soc2]));
        let [one, other, both] = [one, other, both].map(|policy| RuleSet::for_policy(&policy));
        let built_in = RuleSet::built_in();
        assert!(one.list().iter().all(|rule| built_in.list().get(&rule.name) == Some(rule)), "the default");
        for rule in one.list().iter() {
            let iso = &other.list().get(&rule.name).unwrap().criteria;
            assert!(!iso.is_empty() && iso.iter().all(|one| one.starts_with("A.")), "{}: {iso:?}", rule.name);
            assert!(rule.criteria.iter().all(|one| one.starts_with("CC6.")), "{}", rule.name);
            assert_eq!(both.list().get(&rule.name).unwrap().criteria, [iso.clone(), rule.criteria.clone()].concat());
        }
        assert_eq!(other.list().get("administrator").unwrap().criteria_text(), "A.5.18, A.8.2");
    }

    #[test]
    fn a_rule_made_at_run_time_keeps_its_own_criteria() {
        let rules = with_contractor_rule("contractor-export", &policy(&[Framework::Iso27001]));
        assert_eq!(rules.list().get("contractor-export").unwrap().criteria_text(), "CC6.1, A.5.15");
    }
}
