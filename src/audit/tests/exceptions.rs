//! Exceptions by pattern, planned fixes, protected rules, and what holds of all of them.

use chrono::Days;
use proptest::prelude::*;

use crate::{
    audit::testing::{ADMINISTRATOR, Judged, STANDARD, World, now, profile, quiet},
    model::{
        finding::{Finding, FindingStatus},
        policy::{Exception, PlannedFix},
    },
};

fn exception(rule: &str, subject: &str) -> Exception {
    Exception {
        rule: rule.into(),
        subject: subject.into(),
        approved_by: "ana@example.com".into(),
        reason: "known".into(),
        until: now().date_naive(),
        ..Exception::default()
    }
}

fn planned(rule: &str, subject: &str, days: i64) -> PlannedFix {
    PlannedFix {
        rule: rule.into(),
        subject: subject.into(),
        owner: "ben@example.com".into(),
        reason: "will be fixed".into(),
        until: now().date_naive() + chrono::TimeDelta::days(days),
        ..PlannedFix::default()
    }
}

/// A world in which users 3, 4 and 5 have no role.
fn world() -> World {
    let mut world = quiet();
    for id in 3..=5 {
        world.person(id).role = None;
    }
    world.person(4).email = Some("SVC-sync@Example.com".into());
    world.person(5).email = Some("svc-mail@example.com".into());
    world
}

fn accepted(judged: &Judged, rule: &str) -> Vec<Option<usize>> {
    let place = |finding: &Finding| match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => Some(place),
    };
    judged.of(rule).map(place).collect()
}

#[test]
fn a_pattern_accepts_every_subject_that_it_matches_and_no_other() {
    for (subject, expected) in [
        ("svc-*", [None, Some(0), Some(0)]),
        ("svc-*@example.com", [None, Some(0), Some(0)]),
        ("SVC-SYNC@example.???", [None, Some(0), None]),
        (r"/svc-(sync|mail)@example\.com/", [None, Some(0), Some(0)]),
        ("/svc/", [None, None, None]),
        ("*", [Some(0); 3]),
        ("svc-", [None; 3]),
    ] {
        let mut world = world();
        world.policy.exceptions = vec![exception("no-role", subject)];
        let judged = world.judge();
        assert_eq!(accepted(&judged, "no-role"), expected, "{subject}");
        let is_unmatched = expected == [None; 3];
        assert_eq!(judged.of("unmatched-exception").count(), usize::from(is_unmatched), "{subject}");
    }
}

#[test]
fn a_pattern_of_names_accepts_profiles_of_the_same_name_too() {
    let mut world = quiet();
    world.profiles.push(profile("31", "Support", true, &["export"]));
    world.profiles.push(profile("32", "Support", true, &["export"]));
    world.person(3).profile = Some(("31".into(), None));
    world.policy.exceptions = vec![exception("dangerous-profile", "Supp*")];
    assert_eq!(accepted(&world.judge(), "dangerous-profile"), [Some(0), Some(0)]);
}

#[test]
fn an_exact_exception_applies_before_a_pattern_and_then_the_one_that_lasts_longest() {
    let mut world = world();
    let longer = Exception { until: now().date_naive() + Days::new(9), ..exception("no-role", "*") };
    world.policy.exceptions = vec![exception("no-role", "svc-*"), longer, exception("no-role", "5")];
    assert_eq!(accepted(&world.judge(), "no-role"), [Some(1), Some(1), Some(2)]);
}

#[test]
fn a_planned_fix_leaves_the_finding_open_also_after_its_day() {
    for days in [10, 0, -1] {
        let mut world = world();
        world.policy.planned_fixes = vec![planned("no-role", "svc-*", days)];
        let judged = world.judge();
        assert_eq!(accepted(&judged, "no-role"), [None; 3]);
        let places: Vec<_> = judged.of("no-role").map(|finding| finding.planned).collect();
        assert_eq!(places, [None, Some(0), Some(0)]);
        assert_eq!(judged.of("unmatched-policy-entry").count(), 0);
    }
}

#[test]
fn a_finding_that_is_accepted_is_not_planned_and_the_nearest_day_of_several_counts() {
    let mut world = world();
    world.policy.exceptions = vec![exception("no-role", "3")];
    world.policy.planned_fixes = vec![planned("no-role", "*", 20), planned("no-role", "svc-*", 5)];
    let judged = world.judge();
    let places: Vec<_> = judged.of("no-role").map(|finding| finding.planned).collect();
    assert_eq!(places, [None, Some(1), Some(1)]);
}

#[test]
fn a_planned_fix_of_nothing_is_reported() {
    let mut world = quiet();
    world.policy.planned_fixes = vec![planned("no-role", "3", 5)];
    assert_eq!(
        world.judge().messages("unmatched-policy-entry"),
        [
            "The planned fix of no-role for 3 (ben@example.com) matches no finding; remove it if that is fixed, or correct it."
        ]
    );
    world.policy.planned_fixes[0].workspace = Some("other".into());
    assert_eq!(world.judge().of("unmatched-policy-entry").count(), 0);
}

/// Exceptions and planned fixes that meet the findings of a busy world in every way.
fn any_exception() -> impl Strategy<Value = Exception> {
    let rule = prop_oneof!["(no-role|administrator|dangerous-profile|administrator-clone|outside-domain)", "x"];
    let subject = "(3|4|5|\\*|svc-\\*|/user[0-9]@.*/|user3@example.com|Copy|Supp\\*|31|workspace|/\\(/)";
    (rule, subject, -2_i64..3, proptest::option::of("(acme|other)"), "[ab]").prop_map(
        |(rule, subject, days, workspace, reason)| Exception {
            until: now().date_naive() + chrono::TimeDelta::days(days),
            workspace,
            reason,
            ..exception(&rule, &subject)
        },
    )
}

fn busy() -> World {
    let mut world = world();
    world.profiles.push(profile("31", "Support", true, &["export"]));
    world.profiles.push(profile("32", "Copy", true, &["view", "edit", "manage users", "export contacts"]));
    world.person(6).profile = Some(("31".into(), None));
    world.person(7).profile = Some(("32".into(), None));
    world.person(8).profile = Some((ADMINISTRATOR.into(), None));
    world.person(9).email = Some("user9@other.example".into());
    world.person(10).profile = Some((STANDARD.into(), None));
    world
}

type Said = (String, String, String, Option<Exception>, Option<PlannedFix>);

/// Rule, subject, message and what an exception or a planned fix says of it, without its place.
fn said(world: &World, judged: &Judged) -> Vec<Said> {
    let one = |finding: &Finding| {
        let exception = match finding.status {
            FindingStatus::Open => None,
            FindingStatus::Excepted(place) => Some(world.policy.exceptions[place].clone()),
        };
        let planned = finding.planned.map(|place| world.policy.planned_fixes[place].clone());
        let subject = format!("{:?}", finding.subject);
        (finding.rule.to_string(), subject, finding.message.to_string(), exception, planned)
    };
    judged.judgement.findings.iter().map(one).collect()
}

/// The rules that look at exceptions and planned fixes themselves.
const ABOUT_POLICY: [&str; 4] =
    ["expired-exception", "long-exception", "unmatched-exception", "unmatched-policy-entry"];

proptest! {
    #[test]
    fn an_exception_hides_no_other_finding(exceptions in proptest::collection::vec(any_exception(), 0..6)) {
        let (mut with, without) = (busy(), busy());
        with.policy.exceptions = exceptions;
        let without = said(&without, &without.judge());
        let judged = with.judge();
        let with_exceptions = said(&with, &judged);
        let findings = with_exceptions.iter().filter(|one| !ABOUT_POLICY.contains(&one.0.as_str()));
        let same: Vec<_> = findings.clone().map(|one| (&one.0, &one.1, &one.2)).collect();
        let expected = without.iter().filter(|one| !ABOUT_POLICY.contains(&one.0.as_str()));
        let expected: Vec<_> = expected.map(|one| (&one.0, &one.1, &one.2)).collect();
        prop_assert_eq!(same, expected, "every finding is still there");
        for (rule, .., exception, _) in findings {
            if let Some(exception) = exception {
                prop_assert_eq!(rule, &exception.rule);
                prop_assert!(exception.until >= now().date_naive());
                prop_assert!(exception.workspace.as_deref().is_none_or(|name| name == "acme"));
            }
        }
    }

    #[test]
    fn the_order_of_exceptions_and_planned_fixes_does_not_matter(
        exceptions in proptest::collection::vec(any_exception(), 0..8).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let with = |exceptions: &[Exception]| {
            let mut world = busy();
            world.policy.exceptions = exceptions.to_vec();
            world.policy.planned_fixes =
                exceptions.iter().map(|one| PlannedFix { until: one.until, ..planned(&one.rule, &one.subject, 0) }).collect();
            let judged = world.judge();
            said(&world, &judged)
        };
        prop_assert_eq!(with(&exceptions.0), with(&exceptions.1));
    }
}
