//! Rules about single users.

use chrono::TimeDelta;

use crate::{
    audit::testing::{ADMINISTRATOR, LEVEL_1, now, person, quiet},
    model::{
        finding::RuleResult,
        unread::{Field, Fields},
    },
};

#[test]
fn ids_on_no_master_list_are_findings_of_the_user() {
    let mut world = quiet();
    world.person(3).role = Some(("99".into(), Some("Sales".into())));
    world.person(4).profile = Some(("98".into(), None));
    let judged = world.judge();
    assert_eq!(judged.subjects("unknown-role"), ["user 3"]);
    assert!(judged.messages("unknown-role")[0].contains("99 “Sales”"));
    assert_eq!(judged.subjects("unknown-profile"), ["user 4"]);
}

#[test]
fn a_profile_id_in_the_place_of_a_role_is_unknown() {
    let mut world = quiet();
    world.person(3).role = Some((ADMINISTRATOR.into(), None));
    assert_eq!(world.judge().subjects("unknown-role"), ["user 3"]);
}

#[test]
fn no_role_and_no_profile_are_findings() {
    let mut world = quiet();
    world.person(3).role = None;
    world.person(4).profile = None;
    let judged = world.judge();
    assert_eq!(judged.subjects("no-role"), ["user 3"]);
    assert_eq!(judged.subjects("no-profile"), ["user 4"]);
}

#[test]
fn a_status_that_is_not_known_is_reported_in_its_own_word() {
    let mut world = quiet();
    world.person(3).status = "closed".into();
    world.person(4).status = "Inactive".into();
    assert_eq!(world.judge().subjects("unknown-status"), ["user 3"]);
    assert!(world.judge().messages("unknown-status")[0].contains("“closed”"));
}

#[test]
fn an_invitation_is_too_old_after_the_policys_days_and_not_on_them() {
    let mut world = quiet();
    for (id, age) in [(3, TimeDelta::days(14)), (4, TimeDelta::days(15)), (5, TimeDelta::days(-2))] {
        world.person(id).confirmed = Some(false);
        world.person(id).created = Some(now() - age);
    }
    assert_eq!(world.judge().subjects("unconfirmed-user"), ["user 4"]);
    assert!(world.judge().messages("unconfirmed-user")[0].contains("pending for 15 days; the policy allows 14"));
}

#[test]
fn an_invitation_of_unknown_age_is_not_evaluated() {
    let mut world = quiet();
    world.person(3).confirmed = Some(false);
    world.person(3).created = None;
    world.person(4).confirmed = None;
    let judged = world.judge();
    assert_eq!(
        judged.not_evaluated("unconfirmed-user"),
        "the API did not report whether 1 active user confirmed; the API did not report when 1 unconfirmed user was created"
    );
}

#[test]
fn a_domain_that_only_ends_alike_is_outside() {
    let mut world = quiet();
    world.person(3).email = Some("user3@Mail.Example.com".into());
    world.person(4).email = Some("user4@notexample.com".into());
    world.person(5).email = None;
    let judged = world.judge();
    assert_eq!(judged.subjects("outside-domain"), ["user 4"]);
    assert_eq!(judged.not_evaluated("outside-domain"), "1 user has no e-mail address");
    world.policy.company_domains.clear();
    assert!(world.judge().not_evaluated("outside-domain").contains("company_domains"));
}

#[test]
fn a_mailbox_named_for_a_function_is_shared() {
    let mut world = quiet();
    world.person(3).email = Some("Info+crm@example.com".into());
    world.person(4).email = Some("information@example.com".into());
    assert_eq!(world.judge().subjects("shared-mailbox"), ["user 3"]);
}

#[test]
fn one_person_with_two_accounts_is_known_by_zuid_address_or_name_and_mailbox() {
    let mut world = quiet();
    world.person(3).zuid = Some("74".into());
    world.person(5).email = Some("USER6+crm@example.com".into());
    world.person(7).name = Some("Generated  NAME".into());
    world.person(7).email = Some("user8@sub.example.com".into());
    world.person(8).name = Some("generated name".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("duplicate-person"), ["user 3", "user 4", "user 5", "user 6", "user 7", "user 8"]);
    let messages = judged.messages("duplicate-person");
    assert_eq!(messages[0], "Has the same zuid as user 4; keep one account and delete the rest.");
    assert!(messages[2].starts_with("Has the same address as user 6;"));
    assert!(messages[4].starts_with("Has the same name and, in another domain, the same mailbox name as user 8;"));
}

#[test]
fn a_namesake_and_a_mailbox_of_the_same_name_are_two_people() {
    let mut world = quiet();
    world.person(3).name = world.person(4).name.clone();
    world.person(5).email = Some("user6@sub.example.com".into());
    for id in [7, 8] {
        world.person(id).name = Some("The Office".into());
    }
    world.person(7).email = Some("office@example.com".into());
    world.person(8).email = Some("office@sub.example.com".into());
    world.person(9).name = Some("Single".into());
    world.person(9).email = Some("user10@sub.example.com".into());
    world.person(10).name = Some("Single".into());
    assert_eq!(world.judge().result("duplicate-person"), &RuleResult::Passed);
}

#[test]
fn an_account_that_was_deleted_is_no_second_account() {
    let mut world = quiet();
    let mut gone = person(3, LEVEL_1);
    gone.id = "33".into();
    gone.status = "deleted".into();
    world.people.push(gone);
    assert_eq!(world.judge().result("duplicate-person"), &RuleResult::Passed);
}

#[test]
fn a_rule_is_not_evaluated_for_a_record_whose_field_could_not_be_read() {
    let mut world = quiet();
    world.person(3).profile = None;
    world.person(3).unread = Fields::of(&[Field::Profile]);
    world.person(4).profile = None;
    world.person(5).status = "unknown".into();
    world.person(5).unread = Fields::of(&[Field::Status]);
    let judged = world.judge();
    assert_eq!(judged.subjects("no-profile"), ["user 4"]);
    let said = judged.not_evaluated("no-profile");
    assert_eq!(said, "1 record with a field that could not be read: user 3 (profile)");
    assert_eq!(judged.subjects("unknown-status"), [""; 0]);
    assert!(judged.not_evaluated("unknown-status").contains("user 5 (status)"));
    assert_eq!(*judged.result("no-role"), RuleResult::Passed);
}

#[test]
fn nobody_is_not_said_while_the_profile_of_somebody_is_unknown() {
    let mut world = quiet();
    world.people.truncate(1);
    world.person(1).profile = None;
    assert_eq!(world.judge().subjects("no-administrator"), ["workspace"]);
    world.person(1).unread = Fields::of(&[Field::Profile]);
    let judged = world.judge();
    assert_eq!(judged.subjects("no-administrator"), [""; 0]);
    assert!(judged.not_evaluated("no-administrator").contains("user 1"));
}

#[test]
fn an_address_that_only_looks_like_an_approved_one_is_not_approved_and_is_named() {
    let mut world = quiet();
    world.policy.approved_administrators = Some(["kim@example.com".to_owned(), "user2@example.com".to_owned()].into());
    world.person(1).email = Some("\u{212a}im@example.com".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("unapproved-administrator"), ["user 1"]);
    assert_eq!(judged.subjects("look-alike-address"), ["user 1"]);
    let message = judged.messages("look-alike-address")[0];
    assert!(message.contains("looks like kim@example.com, an approved administrator and is another one"), "{message}");
    assert!(message.contains("U+212A"), "{message}");
    world.person(1).email = Some("KIM@example.com".into());
    assert_eq!(world.judge().subjects("look-alike-address"), Vec::<String>::new());
}

#[test]
fn an_address_whose_domain_is_written_with_what_name_servers_pass_over_is_not_approved() {
    for written in ["kim@example.com\u{200b}", "kim@exam\u{ad}ple.com", "kim@\u{ff45}xample.com"] {
        let mut world = quiet();
        world.person(1).email = Some(written.into());
        let alone = world.judge();
        assert_eq!(alone.subjects("look-alike-address"), ["user 1"], "{written}");
        let message = alone.messages("look-alike-address")[0];
        assert!(message.contains("looks like kim@example.com, the address that name servers make of it"), "{message}");
        assert!(message.contains("(it contains U+"), "{message}");
        world.policy.approved_administrators = Some(["kim@example.com".to_owned()].into());
        let judged = world.judge();
        assert!(judged.subjects("unapproved-administrator").contains(&"user 1".to_owned()), "{written}");
        assert_eq!(judged.subjects("look-alike-address"), ["user 1"], "{written}");
        world.person(3).email = Some("kim@example.com".into());
        let subjects = world.judge().subjects("look-alike-address");
        assert!(subjects.contains(&"user 1".to_owned()), "{written}: {subjects:?}");
    }
}

#[test]
fn users_whose_addresses_look_alike_are_both_named() {
    for (one, other) in [
        ("kim@example.com", "kirn@example.com"),
        ("paul1@example.com", "paull@example.com"),
        ("kim@example.com", "kim@ex\u{430}mple.com"),
        ("kim@example.com", "kim@xn--exmple-4nf.com"),
        ("zoe@example.com", "zo\u{435}@example.com"),
        ("iris@example.com", "\u{130}ris@example.com"),
        ("iris@example.com", "i\u{307}ris@example.com"),
        ("kim@iris.example", "kim@\u{130}ris.example"),
        ("kim@iris.example", "kim@i\u{307}ris.example"),
    ] {
        let mut world = quiet();
        world.person(3).email = Some(one.into());
        world.person(4).email = Some(other.into());
        assert_eq!(world.judge().subjects("look-alike-address"), ["user 3", "user 4"], "{one} {other}");
    }
    let mut world = quiet();
    world.person(3).email = Some("kim@b\u{fc}cher.example".into());
    world.person(4).email = Some("KIM@xn--bcher-kva.example".into());
    let judged = world.judge();
    assert_eq!(judged.subjects("look-alike-address"), Vec::<String>::new());
    assert_eq!(judged.subjects("duplicate-person"), ["user 3", "user 4"]);
}
