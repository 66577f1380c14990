//! What holds of every world.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    audit::{
        RuleSet,
        testing::{Person, World, now, person, quiet, role},
    },
    model::finding::{Finding, RuleResult, Subject},
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

/// What was found, without the order: rule, subject and severity.
fn found(world: &World) -> BTreeSet<String> {
    let judged = world.judge();
    let shown = |finding: &Finding| {
        let subject = match &finding.subject {
            Subject::User(index) => format!("user {}", judged.directory.users.get(*index).id()),
            other => format!("{other:?}"),
        };
        format!("{} {subject} {}", finding.rule, finding.severity)
    };
    judged.judgement.findings.iter().map(shown).collect()
}

/// A world in which no two users have one id.
fn world_of_distinct_users() -> impl Strategy<Value = World> {
    any_world().prop_map(|mut world| {
        let mut ids = BTreeSet::new();
        world.people.retain(|person| ids.insert(person.id.clone()));
        world
    })
}

proptest! {
    #[test]
    fn judging_does_not_depend_on_the_order_of_users_roles_and_profiles(
        world in world_of_distinct_users(),
        seed in any::<usize>(),
    ) {
        let mut other = world.clone();
        other.people.reverse();
        let by = seed % other.people.len().max(1);
        other.people.rotate_left(by);
        other.roles.reverse();
        other.profiles.reverse();
        prop_assert_eq!(found(&world), found(&other));
    }

    #[test]
    fn without_a_user_exactly_the_findings_about_that_user_are_gone(
        world in world_of_distinct_users(),
        which in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!world.people.is_empty());
        let mut less = world.clone();
        let gone = format!(" user {} ", less.people.remove(which.index(world.people.len())).id);
        // These two compare accounts with each other. Findings about the workspace, roles and profiles count users.
        let is_of_one = |line: &String| {
            line.contains(" user ") && !["duplicate-person", "look-alike-address"].iter().any(|rule| line.starts_with(rule))
        };
        let kept: BTreeSet<String> =
            found(&world).into_iter().filter(|line| is_of_one(line) && !line.contains(&gone)).collect();
        let left: BTreeSet<String> = found(&less).into_iter().filter(is_of_one).collect();
        prop_assert_eq!(kept, left);
    }

    #[test]
    fn a_higher_limit_adds_no_finding(
        world in any_world(),
        limits in (1_usize..5, 0.0..60.0, 0_i64..100, 1_i64..400),
        more in (0_usize..5, 0.0..40.0, 0_i64..100, 0_i64..400),
    ) {
        let with = |(administrators, percent, unconfirmed, exception): (usize, f64, i64, i64)| {
            let mut world = world.clone();
            world.policy.max_administrators = administrators;
            world.policy.max_administrator_percent = percent;
            world.policy.unconfirmed_days = unconfirmed;
            world.policy.max_exception_days = exception;
            found(&world)
        };
        let higher = (limits.0 + more.0, limits.1 + more.1, limits.2 + more.2, limits.3 + more.3);
        let (low, high) = (with(limits), with(higher));
        prop_assert!(high.is_subset(&low), "{:?}", high.difference(&low).collect::<Vec<_>>());
    }
}
