//! Rules of the company's own.

use chrono::TimeDelta;

use crate::{
    audit::testing::{ADMINISTRATOR, LEVEL_1, STANDARD, World, now, person, quiet, role},
    model::{
        directory::Permissions,
        finding::{RuleResult, Severity},
        policy::{CustomRule, ForEach, RuleSetting},
        unread::{Field, Fields},
    },
};

const NAME: &str = "own-rule";

fn custom(for_each: ForEach, when: &str) -> CustomRule {
    CustomRule {
        name: NAME.into(),
        title: "Something of our own".into(),
        severity: Severity::High,
        criteria: vec!["CC6.1".into()],
        for_each,
        when: when.into(),
        message: "Found in {workspace}.".into(),
        fix: "Change it.".into(),
        tests: Vec::new(),
    }
}

fn world(for_each: ForEach, when: &str) -> World {
    let mut world = quiet();
    world.policy.custom_rules = vec![custom(for_each, when)];
    world
}

/// The subjects of the rule in the quiet world after a change.
fn found(for_each: ForEach, when: &str, change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = world(for_each, when);
    change(&mut world);
    world.judge().subjects(NAME)
}

#[test]
fn every_value_of_a_user_is_that_of_the_access_matrix() {
    let users = |when: &str| {
        found(ForEach::User, when, |world| {
            let person = world.person(4);
            person.email = None;
            person.role = None;
            person.profile = None;
            world.person(5).status = "deleted".into();
            world.person(6).status = "disabled".into();
            world.person(7).created = Some(now() - TimeDelta::days(5));
        })
    };
    assert_eq!(users("user.administrator"), ["user 1", "user 2"]);
    assert_eq!(users("user.email == ''"), ["user 4"]);
    assert_eq!(users("!user.has_role && role.name == '' && role.path.size() == 0"), ["user 4"]);
    assert_eq!(users("user.profile_id == '' && profile.permissions == []"), ["user 4"]);
    assert_eq!(users("!user.active"), ["user 6"]);
    assert_eq!(users("now - user.created < days(6)"), ["user 7"]);
    assert_eq!(users("user.id == '10' && user.role_name == 'Level 1' && profile.name == 'Standard'"), ["user 10"]);
    assert_eq!(users("profile.permissions.exists(p, p.contains('export'))"), ["user 1", "user 2"]);
    assert_eq!(
        users("user.id == '3' && organization.users == 8 && profile.users == 5 && workspace == 'acme'"),
        ["user 3"]
    );
}

#[test]
fn roles_profiles_and_the_workspace_are_judged_too() {
    let roles = |when| {
        found(ForEach::Role, when, |world| {
            let mut below = role("22", "Level 2");
            below.reporting_to = Some(LEVEL_1.into());
            world.roles.push(below);
        })
    };
    assert_eq!(
        roles("role.depth == 1 && role.parent == 'Level 1' && role.path == ['Level 1', 'Level 2']"),
        ["role 22"]
    );
    assert_eq!(roles("role.users == 10 && !has(role.parent)"), ["role 21"]);
    let profiles = |when| found(ForEach::Profile, when, |_| {});
    assert_eq!(profiles("profile.administrator && profile.users == 2"), ["profile 11"]);
    assert_eq!(profiles("size(profile.permissions) == 1 && !profile.custom"), ["profile 14"]);
    let workspace = |when| found(ForEach::Workspace, when, |_| {});
    assert_eq!(workspace("organization.administrators == 2 && organization.users == 10"), ["workspace"]);
    assert_eq!(workspace("organization.administrators > 2"), Vec::<String>::new());
}

#[test]
fn what_is_not_known_is_not_evaluated_for_that_user() {
    let mut world = world(ForEach::User, "user.confirmed && now - user.created > days(30)");
    world.person(3).created = None;
    world.person(4).unread = Fields::of(&[Field::Confirmed]);
    world.person(4).confirmed = None;
    let judged = world.judge();
    assert_eq!(judged.of(NAME).count(), 8);
    assert_eq!(
        judged.not_evaluated(NAME),
        "it could not be evaluated for 2 users (first: user 3: user.created is not known)"
    );
    world.policy.custom_rules[0].when = "has(user.created) && user.created > now".into();
    assert_eq!(*world.judge().result(NAME), RuleResult::Passed);
    world.policy.custom_rules[0].when = "roster.found".into();
    assert!(matches!(world.judge().result(NAME), RuleResult::NotEvaluated(reason) if reason.contains("10 users")));
    world.profiles[1].permissions = Permissions::Unknown("not returned".into());
    world.policy.custom_rules[0].when = "profile.permissions.exists(p, p == 'export contacts')".into();
    let judged = world.judge();
    assert_eq!(judged.subjects(NAME), ["user 1", "user 2"]);
    assert!(judged.not_evaluated(NAME).contains("8 users (first: user 3: profile.permissions is not known)"));
}

#[test]
fn the_policy_sets_its_severity_and_switches_it_off() {
    let mut world = world(ForEach::User, "user.administrator");
    world.policy.rules.insert(NAME.into(), RuleSetting::Severity(Severity::Info));
    assert!(world.judge().of(NAME).all(|finding| finding.severity == Severity::Info));
    world.policy.rules.insert(NAME.into(), RuleSetting::Off);
    assert_eq!(*world.judge().result(NAME), RuleResult::SwitchedOff);
}

#[test]
fn a_rule_that_is_not_accepted_is_not_evaluated() {
    let world = world(ForEach::User, "user.nosuch == 1 || true");
    assert!(world.judge().not_evaluated(NAME).contains("does not accept the rule: unknown name `user.nosuch`"));
}

#[test]
fn in_the_first_audit_no_previous_user_was_found() {
    assert_eq!(
        found(ForEach::User, "previous.found || has(previous.email) || previous.role_name != ''", |_| {}).len(),
        0
    );
}

#[test]
fn a_previous_audit_that_is_not_kept_is_unknown_and_not_the_first() {
    let mut world = world(ForEach::User, "!previous.found");
    world.lacking.previous = true;
    let judged = world.judge();
    assert!(judged.subjects(NAME).is_empty());
    let RuleResult::NotEvaluated(reason) = judged.result(NAME) else { panic!("{:?}", judged.result(NAME)) };
    assert!(reason.starts_with("it could not be evaluated for 10 users"), "{reason}");
    let expected = RuleResult::NotEvaluated("the previous audit is not kept with this one".into());
    assert_eq!(judged.result("new-full-power"), &expected);
    assert_eq!(judged.result("primary-user-changed"), &expected);
}

#[test]
fn what_is_shared_is_that_of_each_user() {
    let when = "profile.permissions.exists(p, p == 'view') && role.path.exists(r, r == 'Level 2') && user.active";
    let users = found(ForEach::User, when, |world| {
        world.roles.push(role("22", "Level 2"));
        for id in [2, 5, 9] {
            world.person(id).role = Some(("22".into(), None));
        }
        world.person(9).status = "disabled".into();
        world.people.push(person(11, ADMINISTRATOR));
        world.people.push(person(12, STANDARD));
        world.person(12).role = Some(("22".into(), Some("Old name".into())));
    });
    assert_eq!(users, ["user 2", "user 5", "user 12"]);
}
