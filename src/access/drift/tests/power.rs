//! Full power that is granted, revoked, and new until somebody decided.

use super::*;

/// The quiet world with a profile that permits all that Administrator permits, and an administrative role.
fn with_ways() -> World {
    changed(|world| {
        let everything = ["view", "edit", "manage users", "export contacts"];
        world.profiles.push(profile("31", "Ops", true, &everything));
        world.profiles.push(profile("32", "Nearly", true, &everything[..3]));
        world.roles.push(role("22", "Owner"));
        world.roles[1].admin_user = Some(true);
    })
}

fn power(before: &World, now: &World) -> Vec<(ChangeKind, String, &'static str, String, String)> {
    let all = changes(before, now).into_iter();
    all.filter(|change| change.0.is_granted() || change.0.is_revoked()).collect()
}

#[test]
fn full_power_is_granted_and_revoked_by_every_way_that_leads_to_it() {
    type Step = fn(&mut World);
    let ways: [(&str, Step, &str, &str, &str); 6] = [
        ("a profile", |world| world.person(3).profile = Some(("31".into(), None)), "profile", "Standard", "Ops"),
        ("a role", |world| world.person(3).role = Some(("22".into(), None)), "role", "Level 1", "Owner"),
        (
            "the profile itself",
            |world| {
                world.person(3).profile = Some(("32".into(), None));
                world.profiles[3] = profile("32", "Nearly", true, &["view", "edit", "manage users", "export contacts"]);
            },
            "permissions",
            "",
            "Nearly",
        ),
        (
            "what Administrator permits",
            |world| {
                world.person(3).profile = Some(("32".into(), None));
                world.profiles[0] = profile(ADMINISTRATOR, "Administrator", false, &["view", "edit", "manage users"]);
            },
            "permissions",
            "",
            "Nearly",
        ),
        (
            "the role itself",
            |world| {
                world.roles[0].admin_user = Some(true);
                world.people.retain(|person| ["1", "2", "3"].contains(&person.id.as_str()));
            },
            "admin_user",
            "",
            "Level 1",
        ),
        ("a new user", |world| world.people.push(person(3, "31")), "profile", "", "Ops"),
    ];
    for (way, step, field, from, to) in ways {
        let mut before = with_ways();
        let mut now = with_ways();
        step(&mut now);
        match way {
            "the profile itself" | "what Administrator permits" => {
                before.person(3).profile = Some(("32".into(), None));
            }
            "the role itself" => before.people.retain(|person| ["1", "2", "3"].contains(&person.id.as_str())),
            "a new user" => {
                before.people.retain(|person| person.id != "3");
                now.people.retain(|person| person.id != "3" || person.profile == Some(("31".into(), None)));
                now.people.sort_by_key(|person| person.id.parse::<u32>().unwrap());
            }
            _ => {}
        }
        let granted = power(&before, &now);
        let expected = (ChangeKind::FullPowerGranted, "3".to_owned(), field, from.to_owned(), to.to_owned());
        assert_eq!(granted, [expected], "{way}");
        let revoked = power(&now, &before);
        let expected = (ChangeKind::FullPowerRevoked, "3".to_owned(), field, to.to_owned(), from.to_owned());
        assert_eq!(revoked, [expected], "{way}");
        assert_eq!(power(&now, &now), [], "{way}");
        let (of_now, of_before) = (drift(&before, &now), drift(&now, &before));
        assert_eq!(
            of_before.previous.unwrap().administrators,
            of_now.previous.unwrap().administrators + 1,
            "{way}: the counts differ by what changed"
        );
    }
}

#[test]
fn full_power_that_only_changes_its_way_is_neither_granted_nor_revoked() {
    let mut clone = with_ways();
    clone.person(2).profile = Some(("31".into(), None));
    assert_eq!(power(&with_ways(), &clone), []);
    let moved = changes(&with_ways(), &clone);
    assert_eq!(moved[0], (ChangeKind::ProfileChanged, "2".into(), "profile", "Administrator".into(), "Ops".into()));
    // Through a profile and a role at once, one of them can go.
    let mut both = clone.clone();
    both.person(2).role = Some(("22".into(), None));
    assert_eq!(power(&clone, &both), []);
    both.person(2).profile = Some((STANDARD.into(), None));
    assert_eq!(power(&clone, &both), []);
}

#[test]
fn power_that_cannot_be_used_is_not_granted_until_it_can() {
    let mut disabled = with_ways();
    disabled.person(3).profile = Some((ADMINISTRATOR.into(), None));
    disabled.person(3).status = "disabled".into();
    assert_eq!(power(&with_ways(), &disabled), []);
    let mut enabled = disabled.clone();
    enabled.person(3).status = "active".into();
    let back = power(&disabled, &enabled);
    let (before, after) = ("disabled".to_owned(), "active".to_owned());
    assert_eq!(back, [(ChangeKind::AdministratorGranted, "3".into(), "status", before, after)]);
    let mut nearly = with_ways();
    nearly.person(3).profile = Some(("32".into(), None));
    assert_eq!(power(&with_ways(), &nearly), [], "one permission less is not full power");
}

#[test]
fn what_the_api_did_not_say_at_one_of_two_audits_is_no_change_of_power() {
    let mut known = with_ways();
    known.person(3).profile = Some(("31".into(), None));
    let mut unknown = known.clone();
    unknown.profiles[2].permissions = Permissions::Unknown("403".into());
    assert_eq!(power(&known, &unknown), []);
    assert_eq!(power(&unknown, &known), []);
    // Which roles are administrative, the API may begin to say; what a profile gives is known all the same.
    let mut marked = with_ways();
    marked.person(3).role = Some(("22".into(), None));
    let mut unmarked = marked.clone();
    unmarked.roles.iter_mut().for_each(|role| role.admin_user = None);
    assert_eq!(power(&unmarked, &marked), []);
    assert_eq!(power(&marked, &unmarked), []);
    let known = |before: &World, now: &World| drift(before, now).newly_known;
    assert_eq!((known(&unmarked, &marked), known(&marked, &unmarked), known(&marked, &marked)), (1, 0, 0));
    let mut promoted = marked.clone();
    promoted.person(4).profile = Some(("31".into(), None));
    assert_eq!(power(&unmarked, &promoted).len(), 1);
}

#[test]
fn another_list_of_administrator_profiles_gives_and_takes_no_power() {
    let mut listed = with_ways();
    listed.person(3).profile = Some(("32".into(), None));
    let mut both = listed.clone();
    both.policy.administrator_profiles.push("Nearly".into());
    assert_eq!(power(&listed, &both), []);
    assert_eq!(power(&both, &listed), []);
}

/// What changed in each world since the one before, and what is kept of it.
fn history(worlds: &[World]) -> Vec<(Drift, SnapshotHeader)> {
    let mut previous: Option<(SnapshotHeader, Vec<SnapshotUser<'static>>)> = None;
    let mut all = Vec::new();
    for world in worlds {
        let mut world = world.clone();
        let judged = world.judge();
        let drift = previous.take().map(|(header, users)| {
            with(&world, &judged, |seen| {
                let access = compare_access(seen, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap();
                let undecided = access.undecided(seen.matrix, seen.policy);
                compare_findings(&current(*seen, &judged, &undecided), &header, None, access)
            })
        });
        let drift = drift.unwrap_or_default();
        world.undecided.clone_from(&drift.undecided);
        let (header, users) = stored(&world);
        let untold = drift.untold.users.iter();
        let untold = untold.map(|(user, last)| (judged.directory.users.get(*user).id().to_owned(), *last)).collect();
        let untold = Untold { users: untold, roles: drift.untold.roles, ids: drift.untold.ids.clone() };
        let header = SnapshotHeader { untold, unknown: drift.unknown.clone(), ..header };
        all.push((drift, header.clone()));
        previous = Some((header, users));
    }
    all
}

/// The ids of users whose new full power is not approved, after each world in turn.
fn undecided(worlds: &[World]) -> Vec<Vec<String>> {
    history(worlds).into_iter().map(|(_, header)| header.undecided).collect()
}

/// What happened to full power in each world, as a kind and an id.
fn happened(worlds: &[World]) -> Vec<Vec<String>> {
    let powers = history(worlds).into_iter().map(|(drift, _)| {
        let all = drift.changes.into_iter().filter(|one| one.kind.is_granted() || one.kind.is_revoked());
        all.map(|one| format!("{} {}: {} -> {}", one.kind.word(), one.subject_id, one.before, one.after)).collect()
    });
    powers.collect()
}

/// The world without what a profile permits.
fn untold(world: &World, profile: usize) -> World {
    let mut world = world.clone();
    world.profiles[profile].permissions = Permissions::Unknown("403".into());
    world
}

/// The world without what the API says of roles.
fn unmarked(world: &World) -> World {
    let mut world = world.clone();
    world.roles.iter_mut().for_each(|role| role.admin_user = None);
    world
}

#[test]
fn a_promotion_is_named_although_the_api_did_not_tell_the_power_in_between() {
    let quiet = with_ways();
    let none = Vec::<String>::new();
    let ops = 2;
    let by = |step: fn(&mut World)| {
        let mut world = with_ways();
        step(&mut world);
        world
    };
    let by_profile = by(|world| world.person(3).profile = Some(("31".into(), None)));
    let by_role = by(|world| world.person(3).role = Some(("22".into(), None)));
    let newcomer = by(|world| world.people.push(person(100, "31")));
    let granted = |id: &str, before: &str, after: &str| vec![format!("full-power-granted {id}: {before} -> {after}")];
    let revoked = |id: &str, before: &str, after: &str| vec![format!("full-power-revoked {id}: {before} -> {after}")];
    // However many audits the API is silent for.
    for silent in 1..=3 {
        let between = |first: &World, untold: &World, last: &World| {
            let mut worlds = vec![first.clone()];
            worlds.extend(vec![untold.clone(); silent]);
            worlds.extend([last.clone(), last.clone()]);
            let mut said = happened(&worlds);
            assert!(said[1..=silent].iter().all(Vec::is_empty) && said.pop().unwrap().is_empty(), "{said:?}");
            said.pop().unwrap()
        };
        assert_eq!(between(&quiet, &untold(&by_profile, ops), &by_profile), granted("3", "", "Ops"));
        assert_eq!(between(&quiet, &untold(&newcomer, ops), &newcomer), granted("100", "", "Ops"));
        assert_eq!(between(&quiet, &unmarked(&by_role), &by_role), granted("3", "", "Owner"));
        // What Administrator permits is what the others are compared with.
        assert_eq!(between(&quiet, &untold(&by_profile, 0), &by_profile), granted("3", "", "Ops"));
        // Who had it, has it still.
        assert_eq!(between(&by_profile, &untold(&by_profile, ops), &by_profile), none);
        assert_eq!(between(&by_role, &unmarked(&by_role), &by_role), none);
        // Who had it, and lost it meanwhile.
        let mut less = by_profile.clone();
        less.profiles[ops] = profile("31", "Ops", true, &["view"]);
        assert_eq!(between(&by_profile, &untold(&by_profile, ops), &less), revoked("3", "Ops", ""));
        assert_eq!(between(&by_profile, &untold(&by_profile, ops), &quiet), revoked("3", "Ops", "Standard"));
    }
    // Nobody knows of those whose power the API never told.
    assert_eq!(happened(&[untold(&by_profile, ops), by_profile.clone()]), [none.clone(), none]);
}

#[test]
fn undecided_power_is_remembered_while_the_api_does_not_tell_it() {
    let mut promoted = with_ways();
    promoted.person(3).profile = Some(("31".into(), None));
    let mut approved = promoted.clone();
    approved.policy.approved_administrators.as_mut().unwrap().insert("user3@example.com".into());
    let untold = |world: &World| untold(world, 2);
    let (none, three) = (Vec::<String>::new(), vec!["3".to_owned()]);
    let weeks = [&with_ways(), &promoted, &untold(&promoted), &untold(&promoted), &promoted].map(Clone::clone);
    assert_eq!(undecided(&weeks), [&none, &three, &none, &none, &three].map(Clone::clone));
    let weeks = [&with_ways(), &promoted, &untold(&approved), &promoted].map(Clone::clone);
    assert_eq!(undecided(&weeks), [&none, &three, &none, &none].map(Clone::clone));
}

#[test]
fn power_that_is_lost_while_the_status_cannot_be_read_is_named() {
    let mut holder = with_ways();
    holder.person(3).profile = Some(("31".into(), None));
    let mut unread = holder.clone();
    unread.person(3).unread = Fields::of(&[Field::Status]);
    let mut disabled = holder.clone();
    disabled.person(3).status = "disabled".into();
    let mut gone = holder.clone();
    gone.people.retain(|person| person.id != "3");
    for last in [disabled, gone] {
        let said = happened(&[holder.clone(), unread.clone(), last]).pop().unwrap();
        assert!(said.len() == 1 && said[0].starts_with("full-power-revoked 3: "), "{said:?}");
    }
    assert_eq!(happened(&[holder.clone(), unread, holder]).concat(), Vec::<String>::new());
}

#[test]
fn a_finding_that_was_kept_is_resolved_although_a_profile_was_never_told() {
    let silent = untold(&with_ways(), 1);
    let mut holder = silent.clone();
    holder.person(3).role = Some(("22".into(), None));
    let mut unread = holder.clone();
    unread.person(3).unread = Fields::of(&[Field::Role]);
    let all = history(&[holder, unread, silent.clone(), silent]);
    let of_three = |drift: &Drift| {
        let mut of = drift.changes.iter().filter(|one| one.kind == ChangeKind::FindingResolved);
        of.any(|one| one.subject_id == "unapproved-administrator:user:3")
    };
    assert_eq!(all.iter().map(|(drift, _)| of_three(drift)).collect::<Vec<_>>(), [false, false, true, false]);
    assert!(all.iter().skip(2).all(|(drift, _)| drift.unknown.is_empty()));
}

#[test]
fn a_finding_about_untold_power_is_kept_until_the_power_is_told() {
    let mut holder = with_ways();
    holder.person(3).profile = Some(("31".into(), None));
    let silent = untold(&holder, 2);
    let of_three = |drift: &Drift, kind| {
        let mut of = drift.changes.iter().filter(|one| one.kind == kind);
        of.any(|one| one.subject_id == "unapproved-administrator:user:3")
    };
    let all = history(&[holder.clone(), silent.clone(), silent.clone(), silent.clone(), holder, with_ways()]);
    let resolved: Vec<bool> = all.iter().map(|(drift, _)| of_three(drift, ChangeKind::FindingResolved)).collect();
    assert_eq!(resolved, [false, false, false, false, false, true]);
    assert!(
        !all.iter().any(|(drift, _)| of_three(drift, ChangeKind::FindingNew)),
        "it is the same finding all the time"
    );
}

#[test]
fn new_full_power_is_remembered_until_it_is_approved_or_gone() {
    let quiet = with_ways();
    let mut promoted = quiet.clone();
    promoted.person(3).profile = Some(("31".into(), None));
    let mut approved = promoted.clone();
    approved.policy.approved_administrators.as_mut().unwrap().insert("user3@example.com".into());
    let none = Vec::<String>::new();
    let three = vec!["3".to_owned()];
    let weeks = [&promoted, &promoted, &quiet, &promoted, &promoted, &approved, &promoted].map(Clone::clone);
    // At the first audit nobody is new; whoever loses and regains it is.
    let expected = [&none, &none, &none, &three, &three, &none, &none].map(Clone::clone);
    assert_eq!(undecided(&weeks), expected);
}

#[test]
fn a_finding_about_power_that_the_api_no_longer_tells_is_not_resolved() {
    let holders = |step: fn(&mut World)| {
        let mut world = with_ways();
        world.person(3).profile = Some(("31".into(), None));
        world.person(4).role = Some(("22".into(), None));
        world.policy.max_administrators = 3;
        step(&mut world);
        world
    };
    let known = holders(|_| {});
    let resolved = |before: &World, now: &World| -> Vec<String> {
        let all = drift(before, now).changes.into_iter();
        all.filter(|one| one.kind == ChangeKind::FindingResolved).map(|one| one.subject_id).collect()
    };
    let of_profile: fn(&mut World) = |world| world.profiles[2].permissions = Permissions::Unknown("403".into());
    let of_role: fn(&mut World) = |world| world.roles[1].admin_user = None;
    let of_administrator: fn(&mut World) = |world| world.profiles[0].permissions = Permissions::Unknown("403".into());
    for untold in [of_profile, of_role, of_administrator] {
        assert_eq!(resolved(&known, &holders(untold)), Vec::<String>::new());
        let unknown = drift(&known, &holders(untold)).unknown;
        assert!(unknown.iter().any(|known| &*known.rule == "unapproved-administrator"), "{unknown:?}");
    }
    // Who holds none of them any more is known all the same.
    let demoted = holders(|world| {
        world.profiles[2].permissions = Permissions::Unknown("403".into());
        world.person(3).profile = Some((STANDARD.into(), None));
    });
    assert!(resolved(&known, &demoted).contains(&"unapproved-administrator:user:3".to_owned()));
    // What the API never told is no reason to keep a finding.
    let silent = |world: &World| {
        let mut world = world.clone();
        world.profiles[1].permissions = Permissions::Unknown("403".into());
        world
    };
    let mut left = silent(&known);
    left.person(3).profile = Some((STANDARD.into(), None));
    assert!(resolved(&silent(&known), &left).contains(&"unapproved-administrator:user:3".to_owned()));
}
