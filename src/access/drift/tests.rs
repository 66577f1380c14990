//! Drift of a small world that changes in one thing, and of random worlds that change in many.

use std::convert::Infallible;

use proptest::prelude::*;

use super::{Current, SnapshotHeader, SnapshotUser, compare, mark_continuing, snapshot_users};
use crate::{
    access::matrix::AccessMatrix,
    audit::testing::{ADMINISTRATOR, Judged, LEVEL_1, STANDARD, WORKSPACE, World, person, profile, quiet, role},
    model::{
        change::{Change, ChangeKind, Drift},
        directory::Permissions,
        id::PersonId,
        policy::RuleSetting,
        reading::{Check, CheckKind, CheckOutcome},
        unread::{Field, Fields},
    },
};

/// Calls with the audit of a world.
fn with<T>(world: &World, judged: &Judged, then: impl FnOnce(&Current<'_>) -> T) -> T {
    let administrators = world.administrator_profiles();
    then(&Current {
        matrix: &AccessMatrix::new(&judged.directory, &administrators),
        administrator_profiles: &administrators,
        findings: &judged.judgement.findings,
        outcomes: &judged.judgement.outcomes,
        workspace: WORKSPACE,
    })
}

/// What a store would give back: through JSON, as it is kept.
fn stored(world: &World) -> (SnapshotHeader, Vec<SnapshotUser<'static>>) {
    let judged = world.judge();
    let header = with(world, &judged, |current| SnapshotHeader::of(uuid::Uuid::nil(), current));
    let users = snapshot_users(&judged.directory).map(|user| {
        let text = serde_json::to_string(&user).unwrap();
        serde_json::from_str::<SnapshotUser<'static>>(&text).unwrap()
    });
    (serde_json::from_str(&serde_json::to_string(&header).unwrap()).unwrap(), users.collect())
}

fn drift(before: &World, now: &World) -> Drift {
    let (header, users) = stored(before);
    let judged = now.judge();
    with(now, &judged, |current| compare(current, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap())
}

/// Changes except those of findings: kind, id, field, before, after.
fn changes(before: &World, now: &World) -> Vec<(ChangeKind, String, &'static str, String, String)> {
    let short = |one: Change| (one.kind, one.subject_id, one.field, one.before, one.after);
    let all = drift(before, now).changes.into_iter();
    all.filter(|one| one.subject_type != "finding").map(short).collect()
}

type Expected = (ChangeKind, &'static str, &'static str, &'static str, &'static str);

fn assert_changes(now: &World, expected: &[Expected]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(kind, id, field, before, after)| {
            (*kind, (*id).to_owned(), *field, (*before).to_owned(), (*after).to_owned())
        })
        .collect();
    assert_eq!(changes(&quiet(), now), expected);
}

/// The quiet world after a change.
fn changed(change: impl FnOnce(&mut World)) -> World {
    let mut world = quiet();
    change(&mut world);
    world
}

#[test]
fn nothing_changed_is_no_change_and_names_the_audit_before() {
    let drift = drift(&quiet(), &quiet());
    assert_eq!(drift.changes, []);
    let previous = drift.previous.unwrap();
    assert_eq!((previous.users, previous.administrators), (10, 2));
}

#[test]
fn a_promotion_comes_first_and_is_no_mere_change_of_profile() {
    let now = changed(|world| {
        world.person(3).name = Some("Another Name".into());
        world.person(9).profile = Some((ADMINISTRATOR.into(), None));
    });
    assert_changes(
        &now,
        &[
            (ChangeKind::AdministratorGranted, "9", "profile", "Standard", "Administrator"),
            (ChangeKind::NameChanged, "3", "full_name", "User Number3", "Another Name"),
        ],
    );
}

#[test]
fn a_demotion_is_a_change_of_administrators() {
    let now = changed(|world| world.person(2).profile = None);
    assert_changes(&now, &[(ChangeKind::AdministratorRevoked, "2", "profile", "Administrator", "")]);
}

#[test]
fn a_new_administrator_is_granted_and_added() {
    let now = changed(|world| world.people.push(person(100, ADMINISTRATOR)));
    assert_changes(
        &now,
        &[
            (ChangeKind::AdministratorGranted, "100", "profile", "", "Administrator"),
            (ChangeKind::UserAdded, "100", "", "", "active, Administrator, Level 1"),
        ],
    );
}

#[test]
fn a_user_is_removed_by_status_or_by_absence_and_only_once() {
    let access = "active, Standard, Level 1";
    let deleted = changed(|world| world.person(3).status = "deleted".into());
    assert_changes(&deleted, &[(ChangeKind::UserRemoved, "3", "", access, "deleted")]);
    let absent = changed(|world| world.people.retain(|person| person.id != "3"));
    assert_changes(&absent, &[(ChangeKind::UserRemoved, "3", "", access, "")]);
    assert_eq!(changes(&deleted, &absent), []);
    let back = changes(&deleted, &quiet());
    assert_eq!(back, [(ChangeKind::UserReactivated, "3".into(), "status", "deleted".into(), "active".into())]);
}

#[test]
fn a_removed_administrator_is_revoked_too() {
    let now = changed(|world| world.person(2).status = "deleted".into());
    let kinds: Vec<_> = changes(&quiet(), &now).into_iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(kinds, [(ChangeKind::AdministratorRevoked, "2".into()), (ChangeKind::UserRemoved, "2".into())]);
    assert_eq!(changes(&now, &quiet())[0].0, ChangeKind::AdministratorGranted);
}

#[test]
fn case_alone_changes_no_address() {
    assert_changes(&changed(|world| world.person(3).email = Some("USER3@example.com".into())), &[]);
    let now = changed(|world| world.person(3).email = Some("new@example.com".into()));
    assert_changes(&now, &[(ChangeKind::EmailChanged, "3", "email", "user3@example.com", "new@example.com")]);
}

#[test]
fn another_primary_user_is_a_change_and_an_unknown_one_is_none() {
    let now = changed(|world| world.organization.primary_zuid = Some(PersonId::from("72")));
    assert_changes(&now, &[(ChangeKind::PrimaryUserChanged, WORKSPACE, "primary_user", "71", "72")]);
    assert_changes(&changed(|world| world.organization.primary_zuid = None), &[]);
}

#[test]
fn a_permission_names_the_profile_and_how_many_it_touches() {
    let now = changed(|world| world.profiles[1] = profile(STANDARD, "Standard", false, &["export"]));
    assert_changes(
        &now,
        &[
            (ChangeKind::PermissionAdded, STANDARD, "permission", "", "export"),
            (ChangeKind::PermissionRemoved, STANDARD, "permission", "view", ""),
        ],
    );
    assert_eq!(drift(&quiet(), &now).changes[0].subject, "Standard (touches 8 users)");
    assert_changes(&changed(|world| world.profiles[1].permissions = Permissions::Unknown("403".into())), &[]);
}

#[test]
fn roles_and_profiles_come_go_move_and_are_renamed() {
    let mut before = quiet();
    before.roles.push(role("22", "Second"));
    before.profiles.push(profile("31", "Custom", true, &[]));
    let mut now = quiet();
    now.roles.push(role("23", "Third"));
    now.roles[0].name = "Top".into();
    now.roles[0].reporting_to = Some("23".into());
    now.roles[0].admin_user = Some(true);
    now.profiles.push(profile("32", "Other", true, &[]));
    now.profiles[0].name = "Owner".into();
    now.policy.administrator_profiles = vec!["Owner".into()];
    let kinds: Vec<_> = changes(&before, &now).into_iter().map(|one| (one.0, one.1, one.4)).collect();
    let expected = [
        (ChangeKind::PermissionAdded, LEVEL_1, "administrative role"),
        (ChangeKind::ProfileAdded, "32", "Other"),
        (ChangeKind::ProfileRemoved, "31", ""),
        (ChangeKind::ProfileRenamed, ADMINISTRATOR, "Owner"),
        (ChangeKind::RoleAdded, "23", "Third"),
        (ChangeKind::RoleRemoved, "22", ""),
        (ChangeKind::RoleRenamed, LEVEL_1, "Top"),
        (ChangeKind::RoleMoved, LEVEL_1, "Third"),
    ];
    assert_eq!(kinds, expected.map(|(kind, id, after)| (kind, id.to_owned(), after.to_owned())));
}

/// Changes of findings of one rule: kind, id, before.
fn of_findings(before: &World, now: &World, rule: &str) -> Vec<(ChangeKind, String, String)> {
    let all = drift(before, now).changes.into_iter().filter(|one| one.subject_type == "finding");
    all.filter(|one| one.subject_id.starts_with(rule)).map(|one| (one.kind, one.subject_id, one.before)).collect()
}

#[test]
fn a_finding_is_new_then_continues_then_is_resolved() {
    let without_role = changed(|world| world.person(3).role = None);
    let new = of_findings(&quiet(), &without_role, "no-role");
    assert_eq!(new, [(ChangeKind::FindingNew, "no-role:user:3".into(), String::new())]);
    assert_eq!(of_findings(&without_role, &without_role, ""), []);
    let resolved = of_findings(&without_role, &quiet(), "no-role");
    assert_eq!(resolved[0].0, ChangeKind::FindingResolved);
    assert!(resolved[0].2.starts_with("This user has no role"));

    let mut judged = without_role.judge();
    let matrix = AccessMatrix::new(&judged.directory, &[]);
    for (header, expected) in
        [(Some(stored(&quiet()).0), Some(false)), (Some(stored(&without_role).0), Some(true)), (None, None)]
    {
        mark_continuing(&mut judged.judgement.findings, &matrix, WORKSPACE, header.as_ref());
        let finding = judged.judgement.findings.iter().find(|finding| finding.rule == "no-role").unwrap();
        assert_eq!(finding.continuing, expected);
    }
}

#[test]
fn what_was_not_looked_at_is_not_resolved() {
    let without_role = changed(|world| world.person(3).role = None);
    let off = changed(|world| {
        world.policy.rules.insert("no-role".into(), RuleSetting::Off);
    });
    assert_eq!(of_findings(&without_role, &off, "no-role"), []);
}

#[test]
fn an_incomplete_read_removes_nobody() {
    let before = changed(|world| world.person(3).role = None);
    let now = changed(|world| {
        let outcome = CheckOutcome::Disagreed { detail: "cut short".into() };
        world.checks.push(Check { kind: CheckKind::PageLength, outcome, figures: String::new() });
        world.people.retain(|person| person.id != "3");
    });
    assert_eq!(changes(&before, &now), []);
    assert_eq!(of_findings(&before, &now, "no-role"), []);
}

#[test]
fn several_findings_of_one_subject_are_told_apart_by_their_words_and_not_their_numbers() {
    let stale = |names: &[(u32, &str)]| {
        changed(|world| {
            for (id, name) in names {
                world.person(*id).role = Some((LEVEL_1.into(), Some((*name).into())));
            }
        })
    };
    let before = stale(&[(3, "Old"), (4, "Old"), (5, "Older")]);
    let now = stale(&[(3, "Old"), (4, "Old"), (6, "Old"), (5, "New")]);
    let kinds: Vec<_> = of_findings(&before, &now, "stale-role-name").into_iter().map(|one| one.0).collect();
    assert_eq!(kinds, [ChangeKind::FindingNew, ChangeKind::FindingResolved]);
}

#[test]
fn an_error_of_the_stored_stream_ends_the_comparison() {
    let (header, _) = stored(&quiet());
    let world = quiet();
    let judged = world.judge();
    let result = with(&world, &judged, |current| compare(current, &header, [Err::<SnapshotUser<'_>, _>("damaged")]));
    assert_eq!(result, Err("damaged"));
}

/// One edit of a user of the Standard profile, and the change that it must show as.
#[derive(Debug, Clone, Copy)]
enum Edit {
    None,
    Promote,
    Rename,
    Move,
    Readdress,
    Disable,
    Delete,
    Drop,
    Unrole,
    Unconfirm,
}

fn edit() -> impl Strategy<Value = Edit> {
    proptest::sample::select(vec![
        Edit::None,
        Edit::Promote,
        Edit::Rename,
        Edit::Move,
        Edit::Readdress,
        Edit::Disable,
        Edit::Delete,
        Edit::Drop,
        Edit::Unrole,
        Edit::Unconfirm,
    ])
}

proptest! {
    #[test]
    fn random_edits_show_as_exactly_the_expected_changes(
        edits in proptest::collection::btree_map(1_u32..5000, edit(), 0..60),
        newcomers in proptest::collection::btree_set(5000_u32..5100, 0..5),
    ) {
        let mut before = quiet();
        before.profiles.push(profile("31", "Custom", true, &[]));
        before.people = edits.keys().map(|id| person(*id, STANDARD)).collect();
        let mut now = before.clone();
        let mut expected: Vec<(ChangeKind, u32)> = Vec::new();
        for (id, edit) in &edits {
            let person = now.person(*id);
            let kind = match edit {
                Edit::None => continue,
                Edit::Promote => {
                    person.profile = Some((ADMINISTRATOR.into(), None));
                    ChangeKind::AdministratorGranted
                }
                Edit::Rename => {
                    person.name = None;
                    ChangeKind::NameChanged
                }
                Edit::Move => {
                    person.profile = Some(("31".into(), None));
                    ChangeKind::ProfileChanged
                }
                Edit::Readdress => {
                    person.email = Some(format!("other{id}@example.com"));
                    ChangeKind::EmailChanged
                }
                Edit::Disable => {
                    person.status = "disabled".into();
                    ChangeKind::StatusChanged
                }
                Edit::Delete => {
                    person.status = "deleted".into();
                    ChangeKind::UserRemoved
                }
                Edit::Drop => {
                    let id = person.id.clone();
                    now.people.retain(|person| person.id != id);
                    ChangeKind::UserRemoved
                }
                Edit::Unrole => {
                    person.role = None;
                    ChangeKind::RoleChanged
                }
                Edit::Unconfirm => {
                    person.confirmed = Some(false);
                    ChangeKind::StatusChanged
                }
            };
            expected.push((kind, *id));
        }
        for id in newcomers {
            now.people.insert(0, person(id, STANDARD));
            expected.push((ChangeKind::UserAdded, id));
        }
        expected.sort_unstable();
        let found: Vec<(ChangeKind, u32)> =
            changes(&before, &now).into_iter().map(|one| (one.0, one.1.parse().unwrap())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(drift(&now, &now).changes, []);
    }
}

#[test]
fn what_could_not_be_read_has_not_changed_and_power_that_was_unknown_is_granted() {
    let unknown = |world: &mut World| {
        let person = world.person(3);
        (person.role, person.profile, person.status) = (None, None, "unknown".into());
        person.unread = Fields::of(&[Field::Role, Field::Profile, Field::Status]);
        world.roles[0].reporting_to = None;
        world.unread.roles.insert(world.roles[0].id.clone(), Fields::of(&[Field::ReportingTo]));
    };
    let (usual, unread) = (quiet(), changed(unknown));
    assert_eq!(changes(&usual, &unread), []);
    assert_eq!(changes(&unread, &usual), []);
    let promoted = changed(|world| world.person(3).profile = Some((ADMINISTRATOR.into(), None)));
    let granted = changes(&unread, &promoted);
    assert_eq!(granted[0].0, ChangeKind::AdministratorGranted);
    assert_eq!(granted[0].3, "unknown");
}
