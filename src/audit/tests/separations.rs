//! Rights that one person must not hold together.

use crate::{
    access::{
        matrix::AccessMatrix,
        separation::{Held, Sides},
    },
    audit::testing::{LEVEL_1, STANDARD, World, profile, quiet, role},
    model::{
        directory::Permissions,
        finding::Severity,
        policy::RuleSetting,
        separation::{Right, Separation},
    },
};

fn permission(pattern: &str) -> Right {
    Right::Permission(pattern.into())
}

fn of_profile(pattern: &str) -> Right {
    Right::Profile(pattern.into())
}

fn of_role(pattern: &str) -> Right {
    Right::Role(pattern.into())
}

fn separation(first: Right, second: Right) -> Separation {
    Separation { name: "kept-apart".into(), first, second, severity: None }
}

/// User 3 has a profile that may export, user 4 another role, user 5 both.
fn world(separations: Vec<Separation>) -> World {
    let mut world = quiet();
    world.profiles.push(profile("31", "Sales", true, &["Export Contacts", "view"]));
    world.roles.push(role("22", "Approver"));
    for (id, exports, approves) in [(3, true, false), (4, false, true), (5, true, true)] {
        let person = world.person(id);
        person.profile = Some((if exports { "31" } else { STANDARD }.into(), None));
        person.role = Some((if approves { "22" } else { LEVEL_1 }.into(), None));
    }
    world.policy.separations = separations;
    world
}

#[test]
fn who_holds_one_of_each_is_a_finding_that_names_both() {
    for (first, second) in [
        (permission("export*"), of_role("Approver")),
        (of_role("22"), permission("/export (contacts|accounts)/")),
        (of_profile("sales"), of_role("APPROV*")),
        (of_profile("31"), of_role("Approver")),
    ] {
        let judged = world(vec![separation(first.clone(), second)]).judge();
        assert_eq!(judged.subjects("conflicting-access"), ["user 5"], "{first:?}");
        assert_eq!(judged.of("unmatched-policy-entry").count(), 0);
    }
    let judged = world(vec![separation(permission("export contacts"), of_role("Approver"))]).judge();
    assert_eq!(
        judged.messages("conflicting-access"),
        [
            "kept-apart: this user holds “Export Contacts” by the profile “Sales”, and the role “Approver”; one person must \
          not hold both, so take one of them away."
        ]
    );
}

#[test]
fn one_profile_may_hold_both_sides() {
    let separations = vec![separation(permission("manage users"), permission("export*"))];
    assert_eq!(world(separations).judge().subjects("conflicting-access"), ["user 1", "user 2"]);
    let separations = vec![separation(permission("export*"), of_profile("Administrator"))];
    assert_eq!(world(separations).judge().subjects("conflicting-access"), ["user 1", "user 2"]);
}

#[test]
fn users_who_are_not_active_are_skipped() {
    for status in ["deleted", "disabled", "inactive"] {
        let mut world = world(vec![separation(permission("export*"), of_role("Approver"))]);
        world.person(5).status = status.into();
        assert_eq!(world.judge().of("conflicting-access").count(), 0, "{status}");
    }
}

#[test]
fn a_profile_whose_permissions_are_not_known_is_not_evaluated_where_it_decides() {
    let mut world = world(vec![separation(permission("export*"), of_role("Approver"))]);
    world.profiles.iter_mut().find(|one| one.name == "Sales").unwrap().permissions = Permissions::Unknown("403".into());
    let judged = world.judge();
    assert_eq!(judged.of("conflicting-access").count(), 0);
    // User 3 has another role, so that it does not matter what the profile permits.
    assert_eq!(
        judged.not_evaluated("conflicting-access"),
        "the API does not report what the profile “Sales” permits of 1 active user"
    );
    world.policy.separations = vec![separation(of_profile("Sales"), of_role("Approver"))];
    let judged = world.judge();
    assert_eq!((judged.subjects("conflicting-access").len(), judged.not_evaluated("conflicting-access")), (1, ""));
}

#[test]
fn the_severity_is_that_of_the_separation_unless_the_policy_sets_the_rule() {
    let severity = |world: &World| world.judge().of("conflicting-access").next().unwrap().severity;
    let mut world = world(vec![separation(of_profile("Sales"), of_role("Approver"))]);
    assert_eq!(severity(&world), Severity::High);
    world.policy.separations[0].severity = Some(Severity::Critical);
    assert_eq!(severity(&world), Severity::Critical);
    world.policy.rules.insert("conflicting-access".into(), RuleSetting::Severity(Severity::Low));
    assert_eq!(severity(&world), Severity::Low);
}

#[test]
fn a_side_that_matches_nothing_is_reported() {
    let judged = world(vec![separation(permission("exprot*"), of_role("Aprover"))]).judge();
    assert_eq!(judged.of("conflicting-access").count(), 0);
    assert_eq!(
        judged.messages("unmatched-policy-entry"),
        [
            "The separation “kept-apart” of the policy cannot find anybody: its first (permission “exprot*”) matches \
             nothing here; correct it.",
            "The separation “kept-apart” of the policy cannot find anybody: its second (role “Aprover”) matches nothing \
             here; correct it."
        ]
    );
}

#[test]
fn the_order_of_separations_does_not_matter() {
    let mut separations = vec![
        separation(of_profile("Sales"), of_role("Approver")),
        Separation { name: "second".into(), ..separation(permission("view"), permission("export*")) },
        Separation { name: "third".into(), ..separation(permission("exprot*"), of_role("Nobody")) },
    ];
    let forwards = world(separations.clone()).judge().judgement;
    separations.reverse();
    assert_eq!(world(separations).judge().judgement.findings, forwards.findings);
    assert!(forwards.findings.len() > 4);
}

#[test]
fn several_accesses_of_one_person_are_judged_together() {
    let separation = separation(permission("export*"), of_role("Approver"));
    let world = world(Vec::new());
    let directory = world.directory();
    let administrators = world.administrator_profiles();
    let matrix = AccessMatrix::new(&directory, &administrators, &[]);
    let row = |id: &str| matrix.rows().find(|row| row.user.id() == id).unwrap();
    let sides = Sides::new(&separation);
    assert_eq!(sides.held(&[row("3").into()]), Held::Apart);
    let across = sides.held(&[row("3").into(), row("4").into()]);
    let exports = "“Export Contacts” by the profile “Sales”".to_owned();
    let approves = "the role “Approver”".to_owned();
    assert_eq!(across, Held::Together { first: vec![(0, exports)], second: vec![(1, approves)] });
    assert!(across.is_across());
    assert!(!sides.held(&[row("5").into()]).is_across(), "that is a finding of one workspace");
    assert!(sides.held(&[row("5").into(), row("3").into()]).is_across());
    assert_eq!(sides.held(&[]), Held::Apart);
}
