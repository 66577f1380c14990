//! What holds of every world.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    audit::{
        RuleSet,
        testing::{Person, World, now, person, quiet, role},
    },
    model::finding::{RuleResult, Subject},
};

fn held() -> impl Strategy<Value = Option<(String, Option<String>)>> {
    let id = prop_oneof!["(11|14|21|22|31|99)", "[a-z0-9]{0,3}"];
    proptest::option::of((id, proptest::option::of("(Administrator|Standard|Level 1|.{0,4})")))
}

fn any_person() -> impl Strategy<Value = Person> {
    let texts = (
        proptest::option::of("[0-9]{0,2}"),
        proptest::option::of(".{0,12}"),
        proptest::option::of("(info|ana|bo)?(\\+x)?@?(example\\.com|other\\.example|\\PC{0,3})"),
    );
    let status = "(active|disabled|inactive|deleted|closed|)";
    let rest = (any::<Option<bool>>(), held(), held(), proptest::option::of(-40_i64..4000));
    (0_u32..40, texts, status, rest).prop_map(|(id, (zuid, name, email), status, rest)| {
        let (confirmed, role, profile, age) = rest;
        let created = age.map(|days| now() - chrono::TimeDelta::days(days));
        Person { zuid, name, email, status, confirmed, role, profile, created, ..person(id, "11") }
    })
}

fn any_world() -> impl Strategy<Value = World> {
    let parents = proptest::collection::vec(proptest::option::of("2[0-4]"), 0..5);
    (proptest::collection::vec(any_person(), 0..25), parents).prop_map(|(people, parents)| {
        let roles = parents.into_iter().enumerate().map(|(number, parent)| {
            let mut role = role(&format!("2{number}"), "Level 1");
            role.reporting_to = parent.as_deref().map(Into::into);
            role
        });
        World { people, roles: roles.collect(), ..quiet() }
    })
}

proptest! {
    #[test]
    fn judging_never_panics_and_stays_within_its_promises(world in any_world()) {
        let judged = world.judge();
        let rules = RuleSet::for_policy(&world.policy);
        let names: BTreeSet<&str> = rules.list().names().collect();
        for finding in &judged.judgement.findings {
            prop_assert!(names.contains(finding.rule.as_str()));
            prop_assert!(!finding.message.is_empty());
            if let Subject::User(index) = finding.subject {
                prop_assert!(!judged.directory.users.get(index).status().is_deleted(), "{:?}", finding);
            }
        }
        prop_assert!(judged.judgement.findings.is_sorted_by(|a, b| a.severity >= b.severity));
        for (rule, outcome) in rules.list().iter().zip(&judged.judgement.outcomes) {
            prop_assert_eq!(&rule.name, &outcome.rule);
            let found = judged.of(&rule.name).count();
            if let RuleResult::Failed { open, excepted, .. } = &outcome.result {
                prop_assert!(found > 0);
                prop_assert_eq!(open + excepted, found);
            } else {
                prop_assert_eq!(found, 0);
            }
        }
    }
}
