//! Accounts that are not people, and every rule that passes over them, or does not.

use chrono::TimeDelta;

use crate::{
    access::drift::SnapshotHeader,
    audit::testing::{ADMINISTRATOR, Judged, World, now, quiet},
    model::{
        account::{Account, AccountKind},
        change::{Change, ChangeKind, Untold},
        policy::Policy,
        unread::Unread,
    },
};

fn account(subject: &str, kind: AccountKind) -> Account {
    Account {
        subject: subject.into(),
        kind,
        owner: "ana@example.com".into(),
        reason: "writes leads".into(),
        until: now().date_naive(),
        workspace: None,
    }
}

/// A world in which user 3 breaks every rule about people, and user 4 shares its person.
fn odd(accounts: &[Account]) -> World {
    let mut world = quiet();
    let person = world.person(3);
    person.email = Some("info@partner.example".into());
    person.confirmed = Some(false);
    person.zuid = Some("74".into());
    world.policy.accounts = accounts.to_vec();
    world
}

const OF_PEOPLE: [&str; 4] = ["outside-domain", "shared-mailbox", "duplicate-person", "unconfirmed-user"];

fn found(judged: &Judged, subject: &str) -> Vec<&'static str> {
    OF_PEOPLE.into_iter().filter(|rule| judged.subjects(rule).iter().any(|one| one == subject)).collect()
}

#[test]
fn a_declared_account_of_any_kind_is_no_finding_of_the_rules_about_people() {
    assert_eq!(found(&odd(&[]).judge(), "user 3"), OF_PEOPLE);
    for kind in [AccountKind::Service, AccountKind::Shared, AccountKind::BreakGlass] {
        for subject in ["Info@Partner.example", "3", "*@partner.example", "/info@.*/"] {
            let judged = odd(&[account(subject, kind)]).judge();
            assert_eq!(found(&judged, "user 3"), [""; 0], "{subject}");
            assert_eq!(found(&judged, "user 4"), [""; 0], "an account and its owner are not one person twice");
            assert_eq!(judged.subjects("unmatched-policy-entry"), [""; 0], "{subject}");
        }
    }
}

#[test]
fn a_declaration_that_is_over_or_for_another_workspace_or_address_changes_nothing() {
    let over = Account { until: now().date_naive() - TimeDelta::days(1), ..account("3", AccountKind::Service) };
    let judged = odd(&[over]).judge();
    assert_eq!(found(&judged, "user 3"), OF_PEOPLE);
    let messages = judged.messages("unmatched-policy-entry");
    assert!(messages.len() == 1 && messages[0].contains("expired after 2026-10-04"), "{messages:?}");
    let elsewhere = Account { workspace: Some("other".into()), ..account("3", AccountKind::Service) };
    let judged = odd(&[elsewhere]).judge();
    assert_eq!(found(&judged, "user 3"), OF_PEOPLE);
    assert_eq!(judged.subjects("unmatched-policy-entry"), [""; 0]);
    let judged = odd(&[account("inf@partner.example", AccountKind::Service)]).judge();
    assert_eq!(found(&judged, "user 3"), OF_PEOPLE);
    assert_eq!(
        judged.messages("unmatched-policy-entry"),
        ["inf@partner.example in accounts of the policy matches no user; correct it or remove it."]
    );
}

#[test]
fn full_power_of_a_declared_account_is_still_said() {
    let mut world = odd(&[account("3", AccountKind::Service)]);
    world.person(3).profile = Some((ADMINISTRATOR.into(), None));
    let judged = world.judge();
    for rule in ["administrator", "unapproved-administrator", "unconfirmed-administrator"] {
        assert!(judged.subjects(rule).contains(&"user 3".to_owned()), "{rule}");
    }
    let said = "declared as a service account of ana@example.com";
    assert!(judged.messages("unapproved-administrator")[0].contains(said));
    assert!(judged.messages("administrator").iter().any(|message| message.contains(said)));
}

#[test]
fn a_pattern_does_not_cover_an_account_with_full_power() {
    let mut world = odd(&[account("*@partner.example", AccountKind::Service)]);
    world.person(3).profile = Some((ADMINISTRATOR.into(), None));
    let judged = world.judge();
    assert_eq!(found(&judged, "user 3"), OF_PEOPLE);
    assert_eq!(judged.subjects("unmatched-policy-entry"), ["user 3"]);
    world.policy.accounts.push(account("info@partner.example", AccountKind::Shared));
    let judged = world.judge();
    assert_eq!((found(&judged, "user 3"), judged.subjects("unmatched-policy-entry").len()), (Vec::new(), 0));
}

#[test]
fn a_service_account_is_nobody_who_can_act_for_the_only_administrator() {
    let only = |accounts: &[Account]| {
        let mut world = quiet();
        world.policy.accounts = accounts.to_vec();
        world.judge().messages("only-one-administrator").join("")
    };
    assert_eq!(only(&[]), "");
    assert_eq!(only(&[account("2", AccountKind::BreakGlass)]), "", "an emergency account can act");
    assert!(only(&[account("2", AccountKind::Service)]).starts_with("Only one active and confirmed person"));
    let both = [account("1", AccountKind::Service), account("2", AccountKind::Service)];
    assert!(only(&both).starts_with("Only service accounts can administer"));
}

#[test]
fn an_emergency_account_may_be_kept_inactive() {
    let inactive = |accounts: &[Account]| {
        let mut world = quiet();
        world.person(2).status = "disabled".into();
        world.policy.accounts = accounts.to_vec();
        world.judge().subjects("inactive-administrator")
    };
    assert_eq!(inactive(&[]), ["user 2"]);
    assert_eq!(inactive(&[account("2", AccountKind::Service)]), ["user 2"]);
    assert_eq!(inactive(&[account("*", AccountKind::BreakGlass)]), ["user 2"], "a pattern covers no full power");
    assert_eq!(inactive(&[account("user2@example.com", AccountKind::BreakGlass)]), [""; 0]);
}

pub(super) fn previous() -> SnapshotHeader {
    SnapshotHeader {
        id: String::new(),
        finished_at: now() - TimeDelta::days(7),
        primary_zuid: None,
        primary_email: None,
        untold: Untold::default(),
        unknown: Vec::new(),
        roles: Vec::new(),
        profiles: Vec::new(),
        administrator_profiles: Vec::new(),
        users: 10,
        administrators: 2,
        findings: Vec::new(),
        unread: Unread::default(),
        undecided: Vec::new(),
        departed: Vec::new(),
        rosters: std::collections::BTreeMap::new(),
        roster_terms: std::collections::BTreeMap::new(),
        aliases: std::collections::BTreeMap::new(),
        said: None,
        policy: Some(Policy::default()),
    }
}

#[test]
fn an_emergency_account_that_changed_or_was_modified_is_said() {
    let mut world = quiet();
    assert_eq!(world.judge().not_evaluated("break-glass-changed"), "", "there is no such account");
    world.policy.accounts = vec![account("2", AccountKind::BreakGlass), account("3", AccountKind::Service)];
    assert_eq!(world.judge().not_evaluated("break-glass-changed"), "there is no previous audit to compare with");
    world.previous = Some(previous());
    assert_eq!(world.judge().subjects("break-glass-changed"), [""; 0]);
    let change = |id: &str, kind, field, before: &str, after: &str| Change {
        kind,
        subject_type: "user",
        subject_id: id.into(),
        subject: String::new(),
        field,
        before: before.into(),
        after: after.into(),
    };
    world.changes = vec![
        change("2", ChangeKind::UserReactivated, "status", "disabled", "active"),
        change("3", ChangeKind::StatusChanged, "status", "active", "disabled"),
    ];
    let judged = world.judge();
    assert_eq!(judged.subjects("break-glass-changed"), ["user 2"], "only an emergency account");
    assert!(judged.messages("break-glass-changed")[0].contains("status “disabled” -> “active”"));
    world.changes.clear();
    world.person(2).modified = Some(now() - TimeDelta::days(8));
    assert_eq!(world.judge().subjects("break-glass-changed"), [""; 0], "before the previous audit");
    world.person(2).modified = Some(now() - TimeDelta::days(1));
    let judged = world.judge();
    assert!(judged.messages("break-glass-changed")[0].contains("modified at 2026-10-04 08:00 UTC"));
}
