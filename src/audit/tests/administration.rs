//! Rules about the read and about power.

use crate::{
    access::{drift, matrix::AccessMatrix},
    audit::testing::{ADMINISTRATOR, LEVEL_1, STANDARD, WORKSPACE, World, person, profile, quiet},
    model::{
        directory::Permissions,
        finding::{FindingStatus, RuleResult, Severity},
        id::PersonId,
        reading::{Check, CheckKind, CheckOutcome},
    },
};

#[test]
fn a_quiet_world_names_its_approved_administrators_and_nothing_else() {
    let judged = quiet().judge();
    let rules: Vec<_> = judged.judgement.findings.iter().map(|finding| (&*finding.rule, finding.severity)).collect();
    assert_eq!(rules, [("administrator", Severity::Info), ("administrator", Severity::Info)]);
    let unevaluated = judged.judgement.outcomes.iter().filter(|one| matches!(one.result, RuleResult::NotEvaluated(_)));
    assert_eq!(
        unevaluated.map(|outcome| &*outcome.rule).collect::<Vec<_>>(),
        ["new-full-power", "primary-user-changed"]
    );
}

#[test]
fn an_incomplete_read_is_critical_and_lets_no_rule_about_users_pass() {
    let mut world = quiet();
    let outcome = CheckOutcome::Disagreed { detail: "user 3 came twice".into() };
    world.checks.push(Check { kind: CheckKind::DistinctUsers, outcome, figures: String::new() });
    let judged = world.judge();
    assert_eq!(judged.judgement.findings[0].rule, "incomplete-read");
    assert_eq!(judged.judgement.findings[0].severity, Severity::Critical);
    assert!(judged.messages("incomplete-read")[0].contains("each user on one page only (user 3 came twice)"));
    assert_eq!(judged.not_evaluated("no-role"), "the read was incomplete");
    assert_eq!(judged.not_evaluated("administrator"), "the read was incomplete");
    assert_eq!(judged.result("role-cycle"), &RuleResult::Passed);
}

#[test]
fn a_clock_that_is_wrong_is_named_as_that() {
    let mut world = quiet();
    let outcome = CheckOutcome::Disagreed { detail: "this machine's clock is 3 days behind the server's".into() };
    world.checks.push(Check { kind: CheckKind::Clock, outcome, figures: String::new() });
    let expected = "All users were read, but this machine's clock is 3 days behind the server's; set the clock and run the audit again.";
    assert_eq!(world.judge().messages("incomplete-read"), [expected]);
}

#[test]
fn a_check_that_could_not_be_made_is_not_evaluated() {
    let mut world = quiet();
    world.checks[0].outcome = CheckOutcome::NotEvaluated { detail: "the API answered 403".into() };
    let judged = world.judge();
    assert!(judged.not_evaluated("incomplete-read").ends_with("the API answered 403"));
    assert_eq!(judged.subjects("incomplete-read"), Vec::<String>::new());
}

#[test]
fn somebody_must_be_able_to_administer() {
    let mut world = quiet();
    world.person(1).status = "disabled".into();
    world.person(2).confirmed = Some(false);
    let judged = world.judge();
    assert_eq!(judged.subjects("no-administrator"), ["workspace"]);
    assert_eq!(judged.subjects("only-one-administrator"), Vec::<String>::new());
    assert_eq!(judged.subjects("inactive-administrator"), ["user 1"]);
    assert_eq!(judged.subjects("unconfirmed-administrator"), ["user 2"]);
}

#[test]
fn one_administrator_alone_is_a_finding() {
    let mut world = quiet();
    world.person(2).profile = Some((STANDARD.into(), None));
    assert_eq!(world.judge().subjects("only-one-administrator"), ["workspace"]);
}

#[test]
fn a_policy_whose_administrator_profile_is_on_no_list_is_noticed_and_evaluates_nothing_about_administrators() {
    let mut world = quiet();
    world.policy.administrator_profiles = vec!["Adminstrator".into()];
    world.unmatched_profiles = vec!["Adminstrator".into()];
    let judged = world.judge();
    assert_eq!(judged.subjects("no-administrator"), ["workspace"]);
    assert!(judged.not_evaluated("unapproved-administrator").contains("profile list"));
    let finding = judged.of("unmatched-policy-entry").next().unwrap();
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.message.contains("Adminstrator"));
}

#[test]
fn an_administrator_who_is_not_on_the_list_is_unapproved_whatever_the_name() {
    let mut world = quiet();
    world.person(5).profile = Some((ADMINISTRATOR.into(), Some("Standard".into())));
    let judged = world.judge();
    assert_eq!(judged.subjects("unapproved-administrator"), ["user 5"]);
    assert_eq!(judged.subjects("administrator"), ["user 5", "user 1", "user 2"]);
}

#[test]
fn approval_is_by_address_whatever_its_case_and_not_evaluated_without_a_list() {
    let mut world = quiet();
    world.person(1).email = Some(" User1@Example.COM".into());
    assert_eq!(world.judge().result("unapproved-administrator"), &RuleResult::Passed);
    world.policy.approved_administrators = None;
    let judged = world.judge();
    assert!(judged.not_evaluated("unapproved-administrator").contains("approved_administrators"));
    assert_eq!(judged.of("administrator").next().unwrap().severity, Severity::Medium);
}

#[test]
fn too_many_are_too_many_by_count_and_by_share() {
    let mut world = quiet();
    world.person(3).profile = Some((ADMINISTRATOR.into(), None));
    let judged = world.judge();
    assert_eq!(
        judged.messages("too-many-administrators"),
        ["3 of 10 active users can administer, 30.0 %; the policy allows 20 %."]
    );
    world.policy.max_administrator_percent = 100.0;
    world.policy.max_administrators = 2;
    assert_eq!(
        world.judge().messages("too-many-administrators"),
        ["3 of 10 active users can administer, 30.0 %; the policy allows 2."]
    );
}

#[test]
fn a_share_says_nothing_of_two_administrators() {
    let mut world = quiet();
    world.people.truncate(3);
    assert_eq!(world.judge().result("too-many-administrators"), &RuleResult::Passed);
}

fn with_custom(enabled: &[&str]) -> World {
    let mut world = quiet();
    world.profiles.push(profile("31", "Support", true, enabled));
    world.person(3).profile = Some(("31".into(), None));
    world
}

#[test]
fn a_profile_that_permits_all_that_administrator_permits_is_a_clone() {
    let judged = with_custom(&["view", "edit", "manage users", "export contacts", "more"]).judge();
    assert_eq!(judged.subjects("administrator-clone"), ["user 3", "profile 31"]);
    assert!(judged.messages("administrator-clone")[1].contains("held by 1 active user;"));
    assert_eq!(with_custom(&["view", "edit", "manage users"]).judge().subjects("administrator-clone").len(), 0);
}

#[test]
fn what_the_api_does_not_tell_of_a_profile_is_not_evaluated() {
    let mut world = with_custom(&["view"]);
    world.profiles[2].permissions = Permissions::Unknown("403".into());
    let judged = world.judge();
    assert!(judged.not_evaluated("administrator-clone").contains("“Support”"));
    assert!(judged.not_evaluated("dangerous-profile").contains("“Support”"));
    world.profiles[0].permissions = Permissions::Unknown("403".into());
    assert!(world.judge().not_evaluated("administrator-clone").contains("an administrator profile"));
}

#[test]
fn a_custom_profile_that_may_export_is_dangerous_whatever_the_case() {
    let judged = with_custom(&["view", "EXPORT Contacts"]).judge();
    assert_eq!(judged.subjects("dangerous-profile"), ["profile 31"]);
    assert!(judged.messages("dangerous-profile")[0].contains("“EXPORT Contacts” and is held by 1 active user;"));
    assert_eq!(with_custom(&["view"]).judge().result("dangerous-profile"), &RuleResult::Passed);
    let twice = with_custom(&["Export", "view", "Export", "Import"]).judge();
    let message = twice.messages("dangerous-profile")[0];
    assert_eq!(message.matches("“Export”").count(), 1, "one name for several modules: {message}");
    assert!(message.contains("it is no longer dangerous without this one, so take it away"), "{message}");
}

#[test]
fn an_administrative_role_without_the_profile_is_a_finding_for_active_users() {
    let mut world = quiet();
    world.roles[0].admin_user = Some(true);
    world.people.retain(|person| ["1", "3", "4"].contains(&person.id.as_str()));
    world.person(4).status = "disabled".into();
    assert_eq!(world.judge().subjects("administrative-role"), ["user 3"]);
    world.roles[0].admin_user = None;
    assert!(world.judge().not_evaluated("administrative-role").contains("admin_user"));
}

#[test]
fn the_primary_user_must_be_there_and_able_to_act() {
    let mut world = quiet();
    world.person(1).status = "inactive".into();
    world.person(1).profile = Some((STANDARD.into(), None));
    let judged = world.judge();
    assert_eq!(judged.subjects("primary-user-inactive"), ["user 1"]);
    assert!(judged.messages("primary-user-inactive")[0].contains("“inactive” and has no administrator profile"));
    world.person(1).status = "deleted".into();
    assert_eq!(world.judge().subjects("primary-user-inactive"), ["workspace"]);
    world.organization.primary_zuid = Some(PersonId::from("999"));
    assert_eq!(world.judge().subjects("primary-user-inactive"), ["workspace"]);
    world.people.iter_mut().for_each(|person| person.zuid = None);
    assert!(world.judge().not_evaluated("primary-user-inactive").contains("zuid"));
    world.organization.primary_zuid = None;
    assert!(world.judge().not_evaluated("primary-user-inactive").contains("primary user"));
}

#[test]
fn another_primary_user_than_last_time_is_a_finding() {
    let mut world = quiet();
    let judged = world.judge();
    let administrators = world.administrator_profiles();
    let header = drift::SnapshotHeader::of(
        uuid::Uuid::nil(),
        &drift::Current {
            seen: drift::Seen {
                matrix: &AccessMatrix::new(&judged.directory, &administrators, &world.policy.dangerous_permissions),
                administrator_profiles: &administrators,
                policy: &world.policy,
                rules: crate::audit::testing::rules(),
                workspace: WORKSPACE,
            },
            undecided: &[],
            findings: &judged.judgement.findings,
            outcomes: &judged.judgement.outcomes,
        },
    );
    world.previous = Some(header);
    assert_eq!(world.judge().result("primary-user-changed"), &RuleResult::Passed);
    world.organization.primary_zuid = Some(PersonId::from("72"));
    assert_eq!(
        world.judge().messages("primary-user-changed"),
        ["The primary user (super admin) was 71 at the previous audit and is 72 now; confirm that the owner of the \
          workspace ordered the change."]
    );
}

#[test]
fn deleted_administrators_are_passed_over() {
    let mut world = quiet();
    let mut gone = person(20, ADMINISTRATOR);
    gone.status = "deleted".into();
    gone.role = Some((LEVEL_1.into(), None));
    world.people.push(gone);
    let judged = world.judge();
    assert_eq!(judged.subjects("administrator"), ["user 1", "user 2"]);
    assert!(judged.judgement.findings.iter().all(|finding| finding.status == FindingStatus::Open));
}

#[test]
fn each_active_holder_of_a_clone_is_a_finding_of_its_own_and_is_approved_like_an_administrator() {
    let mut world = with_custom(&["view", "edit", "manage users", "export contacts"]);
    for id in [4, 5] {
        world.person(id).profile = Some(("31".into(), None));
    }
    world.person(4).status = "disabled".into();
    world.person(5).confirmed = Some(false);
    let judged = world.judge();
    assert_eq!(judged.subjects("administrator-clone"), ["user 3", "user 5", "profile 31"]);
    assert_eq!(judged.subjects("unapproved-administrator"), ["user 3", "user 5"]);
    assert_eq!(judged.subjects("inactive-administrator"), ["user 4"]);
    assert_eq!(judged.subjects("unconfirmed-administrator"), ["user 5"]);
    assert_eq!(judged.subjects("administrator"), ["user 1", "user 2"], "by profile id only");
    let approved = world.policy.approved_administrators.as_mut().unwrap();
    approved.insert("user3@example.com".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("unapproved-administrator"), ["user 5"]);
    assert_eq!(judged.subjects("unmatched-policy-entry"), Vec::<String>::new());
}

#[test]
fn whoever_can_administer_counts_however_the_power_is_held() {
    let mut world = quiet();
    world.roles.push(crate::audit::testing::role("22", "Owner"));
    world.roles[1].admin_user = Some(true);
    world.person(3).role = Some(("22".into(), None));
    assert_eq!(
        world.judge().messages("too-many-administrators"),
        ["3 of 10 active users can administer, 30.0 %; the policy allows 20 %."]
    );
    world.person(1).status = "disabled".into();
    world.person(2).status = "disabled".into();
    let judged = world.judge();
    assert_eq!(judged.subjects("only-one-administrator"), ["workspace"]);
    assert_eq!(judged.subjects("no-administrator"), Vec::<String>::new());
}

#[test]
fn new_full_power_is_high_until_somebody_decides() {
    let mut world = quiet();
    assert!(world.judge().not_evaluated("new-full-power").contains("no previous audit"));
    let judged = world.judge();
    let administrators = world.administrator_profiles();
    let seen = drift::Seen {
        matrix: &AccessMatrix::new(&judged.directory, &administrators, &[]),
        administrator_profiles: &administrators,
        policy: &world.policy,
        rules: crate::audit::testing::rules(),
        workspace: WORKSPACE,
    };
    let current = drift::Current { seen, undecided: &[], findings: &[], outcomes: &[] };
    world.previous = Some(drift::SnapshotHeader::of(uuid::Uuid::nil(), &current));
    assert_eq!(world.judge().result("new-full-power"), &RuleResult::Passed);
    world.person(9).profile = Some((ADMINISTRATOR.into(), None));
    world.undecided = vec![crate::model::users::UserIndex(8)];
    let judged = world.judge();
    let finding = judged.of("new-full-power").next().unwrap();
    assert_eq!((finding.severity, judged.subjects("new-full-power")), (Severity::High, vec!["user 9".to_owned()]));
    assert!(finding.message.starts_with("Full power by the profile “Administrator” is new"), "{}", finding.message);
}
