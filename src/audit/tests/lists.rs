//! Rules about the master lists.

use crate::audit::testing::{ADMINISTRATOR, LEVEL_1, STANDARD, profile, quiet, role};

#[test]
fn roles_in_a_circle_are_one_finding_that_names_them() {
    let mut world = quiet();
    world.roles.extend([role("22", "Second"), role("23", "Third")]);
    world.roles[1].reporting_to = Some("23".into());
    world.roles[2].reporting_to = Some("22".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("role-cycle"), ["role 22"]);
    assert!(judged.messages("role-cycle")[0].contains("through “Second” and “Third”;"));
}

#[test]
fn a_superior_on_no_list_is_missing() {
    let mut world = quiet();
    world.roles[0].reporting_to = Some("77".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("missing-parent-role"), [format!("role {LEVEL_1}")]);
    assert!(judged.messages("missing-parent-role")[0].contains("77"));
}

#[test]
fn a_stale_name_is_one_finding_for_all_its_users() {
    let mut world = quiet();
    for id in [3, 4] {
        world.person(id).profile = Some((STANDARD.into(), Some("Basic".into())));
        world.person(id).role = Some((LEVEL_1.into(), Some("CEO".into())));
    }
    world.person(5).profile = Some((STANDARD.into(), Some("Standard".into())));
    world.person(6).profile = Some((STANDARD.into(), Some("Gone".into())));
    world.person(6).status = "deleted".into();
    let judged = world.judge();
    assert_eq!(judged.subjects("stale-role-name"), [format!("role {LEVEL_1}")]);
    assert_eq!(
        judged.messages("stale-profile-name"),
        ["2 user records say “Basic” for this profile; the profile list and the reports call it “Standard”."]
    );
}

#[test]
fn roles_and_custom_profiles_that_nobody_has_are_unused() {
    let mut world = quiet();
    world.roles.push(role("22", "Nobody"));
    world.profiles.push(profile("31", "Custom", true, &[]));
    world.profiles.push(profile("32", "Vendor's own", false, &[]));
    world.person(3).role = Some(("22".into(), None));
    world.person(3).status = "deleted".into();
    let judged = world.judge();
    assert_eq!(judged.subjects("unused-role"), ["role 22"]);
    assert_eq!(judged.subjects("unused-profile"), ["profile 31"]);
}

#[test]
fn names_that_look_alike_are_reported_for_both() {
    let mut world = quiet();
    world.roles.push(role("22", "level-1"));
    world.profiles.push(profile("31", "Аdministrator", true, &[]));
    world.person(3).role = Some(("22".into(), None));
    world.person(3).profile = Some(("31".into(), None));
    let judged = world.judge();
    assert_eq!(judged.subjects("similar-role-names"), [format!("role {LEVEL_1}"), "role 22".into()]);
    assert_eq!(judged.subjects("similar-profile-names"), [format!("profile {ADMINISTRATOR}"), "profile 31".into()]);
    assert!(judged.messages("similar-profile-names")[0].contains("profile 31;"));
}
