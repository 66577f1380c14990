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

/// The ids of users whose new full power is not approved, after each world in turn.
fn undecided(worlds: &[World]) -> Vec<Vec<String>> {
    let mut previous: Option<(SnapshotHeader, Vec<SnapshotUser<'static>>)> = None;
    let mut all = Vec::new();
    for world in worlds {
        let mut world = world.clone();
        if let Some((header, users)) = previous.take() {
            let judged = world.judge();
            world.undecided = with(&world, &judged, |seen| {
                let access = compare_access(seen, &header, users.into_iter().map(Ok::<_, Infallible>)).unwrap();
                access.undecided(seen.matrix, seen.policy)
            });
        }
        let (header, users) = stored(&world);
        all.push(header.undecided.clone());
        previous = Some((header, users));
    }
    all
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
