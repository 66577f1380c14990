//! Drift of a small world that changes in one thing.

mod power;
mod random;

use std::convert::Infallible;

use super::{
    Before, Current, Seen, SnapshotHeader, SnapshotUser, compare_access, compare_findings, mark_continuing,
    snapshot_users,
};
use crate::{
    access::matrix::AccessMatrix,
    audit::{
        Judgement,
        testing::{ADMINISTRATOR, Judged, LEVEL_1, STANDARD, WORKSPACE, World, person, profile, quiet, role, rules},
    },
    model::{
        change::{Change, ChangeKind, Drift, Untold},
        directory::Permissions,
        id::PersonId,
        policy::{Exception, RuleSetting},
        reading::{Check, CheckKind, CheckOutcome},
        unread::{Field, Fields},
        users::UserIndex,
    },
};

/// Calls with a world as it was read.
fn with<T>(world: &World, judged: &Judged, then: impl FnOnce(&Seen<'_>) -> T) -> T {
    let administrators = world.administrator_profiles();
    then(&Seen {
        matrix: &AccessMatrix::new(&judged.directory, &administrators, &world.policy.dangerous_permissions),
        administrator_profiles: &administrators,
        policy: &world.policy,
        rules: rules(),
        workspace: WORKSPACE,
    })
}

fn current<'a>(seen: Seen<'a>, judged: &'a Judged, undecided: &'a [UserIndex]) -> Current<'a> {
    let Judgement { findings, outcomes, .. } = &judged.judgement;
    Current { seen, undecided, findings, outcomes }
}

/// What a store would give back: through JSON, as it is kept.
fn stored(world: &World) -> (SnapshotHeader, Vec<SnapshotUser<'static>>) {
    let judged = world.judge();
    let undecided = &world.undecided;
    let header =
        with(world, &judged, |seen| SnapshotHeader::of(uuid::Uuid::nil(), &current(*seen, &judged, undecided)));
    let users = snapshot_users(&judged.directory).map(|user| {
        let text = serde_json::to_string(&user).unwrap();
        serde_json::from_str::<SnapshotUser<'static>>(&text).unwrap()
    });
    (serde_json::from_str(&serde_json::to_string(&header).unwrap()).unwrap(), users.collect())
}

fn drift(before: &World, now: &World) -> Drift {
    let (header, users) = stored(before);
    let judged = now.judge();
    with(now, &judged, |seen| {
        let access = compare_access(seen, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap();
        let mut lenient = now.clone();
        lenient.policy = before.policy.clone();
        let by_before = lenient.judge();
        let Judgement { findings, outcomes, .. } = &by_before.judgement;
        let by_before = (before.policy != now.policy).then_some(Before { findings, outcomes });
        compare_findings(&current(*seen, &judged, &[]), &header, by_before, access)
    })
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
    let kinds = changes(&before, &now).into_iter().filter(|one| !one.0.is_granted());
    let kinds: Vec<_> = kinds.map(|one| (one.0, one.1, one.4)).collect();
    let expected = [
        (ChangeKind::PolicyLoosened, "administrator_profiles.Administrator", ""),
        (ChangeKind::PolicyChanged, "administrator_profiles.Owner", "Owner"),
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
    let matrix = AccessMatrix::new(&judged.directory, &[], &[]);
    for (header, expected) in
        [(Some(stored(&quiet()).0), Some(false)), (Some(stored(&without_role).0), Some(true)), (None, None)]
    {
        mark_continuing(&mut judged.judgement.findings, &matrix, WORKSPACE, header.as_ref());
        let finding = judged.judgement.findings.iter().find(|finding| finding.rule == "no-role").unwrap();
        assert_eq!(finding.continuing, expected);
    }
}

#[test]
fn what_the_policy_no_longer_counts_is_not_resolved() {
    let without_role = changed(|world| world.person(3).role = None);
    let found = "no-role:user:3";
    let kind = |before: &World, now: &World| {
        let all = of_findings(before, now, "");
        all.into_iter().find(|one| one.1 == found).map(|one| (one.0, one.2))
    };
    let mut off = without_role.clone();
    off.policy.rules.insert("no-role".into(), RuleSetting::Off);
    assert_eq!(kind(&without_role, &off).unwrap().0, ChangeKind::FindingNotCounted);
    let back = kind(&off, &without_role).unwrap();
    assert_eq!(back, (ChangeKind::FindingNew, "not looked for".into()), "it is on again");
    let mut settled = off.clone();
    settled.person(3).role = Some((LEVEL_1.into(), None));
    assert_eq!(kind(&without_role, &settled).unwrap().0, ChangeKind::FindingResolved, "it would not be found either");
    // A store of an older rolecall does not know the policy.
    let judged = off.judge();
    let (mut header, users) = stored(&without_role);
    header.policy = None;
    let drift = with(&off, &judged, |seen| {
        let access = compare_access(seen, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap();
        compare_findings(&current(*seen, &judged, &[]), &header, None, access)
    });
    let kinds: Vec<ChangeKind> = drift.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::FindingNotCounted]);
}

#[test]
fn a_limit_a_list_and_an_exception_resolve_nothing() {
    let mut before = quiet();
    before.person(3).profile = Some((ADMINISTRATOR.into(), None));
    before.person(4).role = None;
    let mut now = before.clone();
    now.policy.max_administrator_percent = 100.0;
    now.policy.approved_administrators.as_mut().unwrap().insert("user3@example.com".into());
    now.policy.exceptions.push(Exception {
        rule: "no-role".into(),
        subject: "4".into(),
        workspace: None,
        approved_by: "security@example.com".into(),
        reason: "known".into(),
        until: crate::audit::testing::now().date_naive(),
        ..Exception::default()
    });
    let drift = drift(&before, &now);
    let kinds: Vec<(ChangeKind, &str)> =
        drift.changes.iter().map(|change| (change.kind, change.subject_id.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (ChangeKind::PolicyLoosened, "approved_administrators.user3@example.com"),
            (ChangeKind::PolicyLoosened, "exceptions.no-role: 4"),
            (ChangeKind::PolicyLoosened, "max_administrator_percent"),
            (ChangeKind::FindingAccepted, "no-role:user:4"),
            (ChangeKind::FindingNotCounted, "too-many-administrators:workspace:acme"),
            (ChangeKind::FindingNotCounted, "unapproved-administrator:user:3"),
        ]
    );
    assert_eq!(drift.changes[2].subject, "max_administrator_percent (looser)");
    assert_eq!((&*drift.changes[2].before, &*drift.changes[2].after), ("20", "100"));
}

#[test]
fn an_accepted_finding_that_is_gone_is_resolved_and_one_that_is_switched_off_is_not() {
    let mut accepted = changed(|world| world.person(3).role = None);
    accepted.policy.exceptions.push(Exception {
        rule: "no-role".into(),
        subject: "3".into(),
        approved_by: "security@example.com".into(),
        reason: "known".into(),
        until: crate::audit::testing::now().date_naive(),
        ..Exception::default()
    });
    assert_eq!(of_findings(&accepted, &accepted, "no-role"), []);
    let mut settled = accepted.clone();
    settled.person(3).role = Some((LEVEL_1.into(), None));
    let gone = of_findings(&accepted, &settled, "no-role");
    let message = "This user has no role";
    assert!(matches!(&gone[..], [(ChangeKind::FindingResolved, _, before)] if before.starts_with(message)), "{gone:?}");
    let mut off = accepted.clone();
    off.policy.rules.insert("no-role".into(), RuleSetting::Off);
    let gone = of_findings(&accepted, &off, "no-role");
    assert!(matches!(&gone[..], [(ChangeKind::FindingNotCounted, ..)]), "{gone:?}");
    let mut unread = settled.clone();
    let outcome = CheckOutcome::Disagreed { detail: "cut short".into() };
    unread.checks.push(Check { kind: CheckKind::PageLength, outcome, figures: String::new() });
    assert_eq!(of_findings(&accepted, &unread, "no-role"), [], "an incomplete read resolves nothing");
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
    let result = with(&world, &judged, |seen| compare_access(seen, &header, [Err::<SnapshotUser<'_>, _>("damaged")]));
    assert_eq!(result.unwrap_err(), "damaged");
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

#[test]
fn a_field_that_could_not_be_read_resolves_no_finding_and_makes_none_new_later() {
    let found = |drift: &Drift| -> Vec<ChangeKind> {
        let of_user = |change: &&Change| change.subject_id.ends_with(":user:2");
        drift.changes.iter().filter(of_user).filter(|one| one.subject_type == "finding").map(|one| one.kind).collect()
    };
    let unread = changed(|world| {
        world.person(2).unread = Fields::of(&[Field::Status]);
        world.person(2).status = String::new();
    });
    let first = drift(&quiet(), &unread);
    assert_eq!(found(&first), []);
    assert!(
        first.unknown.iter().any(|known| &*known.rule == "administrator" && &*known.subject_id == "2"),
        "{first:?}"
    );

    let (mut header, users) = stored(&unread);
    header.unknown = first.unknown;
    let after = |world: &World| {
        let judged = world.judge();
        with(world, &judged, |seen| {
            let access = compare_access(seen, &header, users.iter().cloned().map(Ok::<_, Infallible>)).unwrap();
            compare_findings(&current(*seen, &judged, &[]), &header, None, access)
        })
    };
    assert_eq!(found(&after(&quiet())), [], "nothing is new when it can be read again");
    let still = after(&unread);
    assert!(found(&still).is_empty() && still.unknown == header.unknown, "{still:?}");
    let demoted = changed(|world| world.person(2).profile = Some((STANDARD.into(), None)));
    let resolved = found(&after(&demoted));
    assert!(resolved.contains(&ChangeKind::FindingResolved), "{resolved:?}");
}

#[test]
fn a_finding_about_two_accounts_is_not_resolved_while_either_cannot_be_read() {
    let alike = |address: Option<&str>, unread: Field| {
        changed(|world| {
            world.person(3).email = Some("kim@example.com".into());
            let other = world.person(4);
            other.email = address.map(str::to_owned);
            if address.is_none() {
                other.unread = Fields::of(&[unread]);
            }
        })
    };
    for (rule, address) in [("duplicate-person", "kim+2@example.com"), ("look-alike-address", "k\u{131}m@example.com")]
    {
        let (before, unread) = (alike(Some(address), Field::Email), alike(None, Field::Email));
        let of_users = |now: &World| -> Vec<(ChangeKind, String)> {
            let all = drift(&before, now).changes.into_iter();
            all.filter(|one| one.subject_id.starts_with(rule)).map(|one| (one.kind, one.subject_id)).collect()
        };
        assert!(
            stored(&before).0.findings.iter().any(|known| &*known.rule == rule && &*known.subject_id == "3"),
            "{rule}"
        );
        assert_eq!(of_users(&unread), [], "{rule}");
        let unknown: Vec<Box<str>> =
            drift(&before, &unread).unknown.into_iter().map(|known| known.subject_id).collect();
        assert!(unknown.contains(&"3".into()) && unknown.contains(&"4".into()), "{rule}: {unknown:?}");
        let resolved = of_users(&alike(Some("other@example.com"), Field::Email));
        assert_eq!(resolved.len(), 2, "{rule}: {resolved:?}");
    }
}

#[test]
fn a_finding_of_a_rule_that_could_not_be_evaluated_is_not_new_when_it_can_be_again() {
    let found = changed(|world| world.person(3).role = None);
    let (header, users) = stored(&found);
    let mut blind = found.judge();
    blind.judgement.findings.retain(|finding| finding.rule != "no-role");
    for outcome in blind.judgement.outcomes.iter_mut().filter(|outcome| outcome.rule == "no-role") {
        outcome.result = crate::model::finding::RuleResult::NotEvaluated("the API returned no roles".into());
    }
    let unknown = with(&found, &blind, |seen| {
        let access = compare_access(seen, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap();
        let drift = compare_findings(&current(*seen, &blind, &[]), &header, None, access);
        assert!(drift.changes.iter().all(|change| !change.subject_id.starts_with("no-role")), "{:?}", drift.changes);
        drift.unknown
    });
    assert_eq!(unknown.iter().map(|known| &*known.rule).collect::<Vec<_>>(), ["no-role"]);
    let findings = header.findings.iter().filter(|known| &*known.rule != "no-role").cloned().collect();
    let header = SnapshotHeader { findings, unknown, ..header };
    let mut judged = found.judge();
    let matrix = AccessMatrix::new(&judged.directory, &[], &[]);
    mark_continuing(&mut judged.judgement.findings, &matrix, WORKSPACE, Some(&header));
    let finding = judged.judgement.findings.iter().find(|finding| finding.rule == "no-role").unwrap();
    assert_eq!(finding.continuing, Some(true));
}
