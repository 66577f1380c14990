//! People across workspaces, with answers worked out on paper.

use std::{borrow::Cow, convert::Infallible};

use proptest::prelude::*;

use super::*;
use crate::{
    access::drift::{SnapshotHeader, SnapshotUser},
    model::{
        change::{Departed, Untold},
        directory::{Permission, Permissions},
        finding::Severity,
        policy::Policy,
        separation::{Right, Separation},
        unread::{Field, Fields, Unread},
    },
};

fn at() -> DateTime<Utc> {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn profile(id: &str, name: &str, enabled: &[&str]) -> Profile {
    let permission = |name: &&str| Permission { name: (*name).into(), module: None, label: None, enabled: true };
    Profile {
        id: id.into(),
        name: name.into(),
        custom: None,
        description: None,
        modified: None,
        permissions: Permissions::Known(enabled.iter().map(permission).collect()),
    }
}

fn header(departed: &[&str]) -> SnapshotHeader {
    let one = |email: &&str| Departed { email: (*email).into(), name: None, missed_at: at() };
    SnapshotHeader {
        id: "1".into(),
        finished_at: at(),
        primary_zuid: None,
        primary_email: None,
        untold: Untold::default(),
        unknown: Vec::new(),
        roles: Vec::new(),
        profiles: vec![profile("1", "Administrator", &["view", "users"]), profile("2", "Standard", &["view"])],
        administrator_profiles: vec!["1".into()],
        users: 0,
        administrators: 0,
        findings: Vec::new(),
        unread: Unread::default(),
        undecided: Vec::new(),
        departed: departed.iter().map(one).collect(),
        rosters: std::collections::BTreeMap::new(),
        roster_terms: std::collections::BTreeMap::new(),
        aliases: std::collections::BTreeMap::new(),
        said: None,
        policy: None,
    }
}

fn user(id: &str, email: &str, status: &str, profile: &str) -> SnapshotUser<'static> {
    SnapshotUser {
        id: Cow::Owned(id.into()),
        full_name: (!email.is_empty()).then(|| Cow::Owned(format!("Name of {email}"))),
        email: (!email.is_empty()).then(|| Cow::Owned(email.into())),
        status: Cow::Owned(status.into()),
        confirmed: Some(true),
        role_id: None,
        profile_id: Some(Cow::Owned(profile.into())),
        unread: Fields::default(),
    }
}

fn fine(users: Vec<SnapshotUser<'static>>) -> impl Iterator<Item = Result<SnapshotUser<'static>, Infallible>> {
    users.into_iter().map(Ok)
}

fn labels<'a>(people: impl IntoIterator<Item = &'a Person>) -> Vec<&'a str> {
    people.into_iter().map(|person| person.address.as_deref().unwrap_or(&person.label)).collect()
}

#[test]
fn one_address_is_one_person_and_an_alias_is_the_same_one() {
    let mut gathering = Gathering::default();
    let eu = vec![user("1", "Ana@Example.com", "active", "1"), user("2", "bo@example.com", "active", "2")];
    let us = vec![user("7", "ana@example.com ", "active", "2"), user("8", "bob@old.example.com", "active", "1")];
    gathering.add("eu", true, &header(&[]), fine(eu)).unwrap();
    let mut with_roster = header(&[]);
    with_roster.aliases.insert("bob@old.example.com".into(), "bo@example.com".into());
    gathering.add("us", true, &with_roster, fine(us)).unwrap();
    let people = gathering.people();
    assert_eq!(labels(&people.persons), ["ana@example.com", "bo@example.com"]);
    assert_eq!(people.persons.iter().map(|person| person.accounts.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(labels(people.administrators()), ["ana@example.com", "bo@example.com"]);
    assert_eq!(people.administers_in(&people.persons[0]), "eu");
    assert_eq!(people.profile(&people.persons[1].accounts[1]), "Administrator");
    assert_eq!(
        people.verdict(),
        "2 people in 2 workspaces; 2 are active in more than one. 2 people can administer at least one workspace; \
         nobody administers every workspace."
    );
}

#[test]
fn accounts_without_an_address_stand_alone_and_blank_is_no_address() {
    let mut gathering = Gathering::default();
    let mut unread = user("3", "", "active", "2");
    unread.unread.add(Field::Email);
    gathering
        .add("eu", true, &header(&[]), fine(vec![user("1", "", "active", "2"), user("2", " ", "active", "2")]))
        .unwrap();
    gathering.add("us", true, &header(&[]), fine(vec![user("1", "", "disabled", "2"), unread])).unwrap();
    let people = gathering.people();
    assert_eq!((people.persons.len(), people.without_address(), people.left_behind().count()), (4, 4, 0));
    assert!(
        people.verdict().ends_with("4 accounts have no address, so each stands for itself."),
        "{}",
        people.verdict()
    );
}

#[test]
fn an_account_is_left_behind_if_another_one_is_disabled_deleted_or_removed() {
    let mut gathering = Gathering::default();
    let active =
        ["disabled@example.com", "deleted@example.com", "removed@example.com", "only@example.com", "odd@example.com"];
    let us = active.iter().enumerate().map(|(id, email)| user(&id.to_string(), email, "active", "2")).collect();
    let eu = vec![
        user("1", "disabled@example.com", "disabled", "2"),
        user("2", "deleted@example.com", "deleted", "2"),
        user("3", "odd@example.com", "suspended", "2"),
        user("4", "everywhere@example.com", "disabled", "2"),
    ];
    gathering.add("us", true, &header(&["everywhere@example.com", "gone@example.com"]), fine(us)).unwrap();
    gathering.add("eu", true, &header(&["removed@example.com"]), fine(eu)).unwrap();
    let people = gathering.people();
    // Nobody knows what `suspended` means, and who is active nowhere has nothing to be taken away.
    assert_eq!(labels(people.left_behind()), ["deleted@example.com", "disabled@example.com", "removed@example.com"]);
    assert!(!labels(&people.persons).contains(&"gone@example.com"));
    let removed =
        people.persons.iter().find(|person| person.address.as_deref() == Some("removed@example.com")).unwrap();
    assert_eq!(people.left_behind_in(removed), "active in us; disabled or removed in eu");
    assert_eq!((removed.accounts[0].activity, &*removed.accounts[0].status), (Activity::Removed, "removed"));
}

#[test]
fn a_second_account_in_one_workspace_keeps_the_person_there() {
    let mut gathering = Gathering::default();
    let eu = vec![user("1", "ana@example.com", "disabled", "2"), user("2", "ana@example.com", "active", "2")];
    gathering.add("eu", true, &header(&[]), fine(eu)).unwrap();
    gathering.add("us", true, &header(&[]), fine(vec![user("1", "ana@example.com", "active", "2")])).unwrap();
    let people = gathering.people();
    assert_eq!((people.persons.len(), people.left_behind().count()), (1, 0));
    assert_eq!(people.persons[0].active_in(), [0, 1]);
}

#[test]
fn nothing_follows_from_a_workspace_that_was_not_read_or_not_completely() {
    let ana = || fine(vec![user("1", "ana@example.com", "active", "1")]);
    let mut gathering = Gathering::default();
    gathering.add("eu", true, &header(&[]), ana()).unwrap();
    gathering.missing("us", "the token was revoked.");
    // It once listed her no more; whether she has come back is not known.
    gathering.add("apac", false, &header(&["ana@example.com"]), fine(Vec::new())).unwrap();
    let people = gathering.people();
    assert_eq!(people.left_behind().count(), 0);
    assert_eq!(
        people.verdict(),
        "apac is incomplete: somebody who is not listed there may still have an account. us is missing: the token was \
         revoked. 1 person in 2 workspaces; 0 are active in more than one. 1 person can administer at least one \
         workspace; nobody administers every workspace that was read."
    );
    let mut gathering = Gathering::default();
    gathering.missing("us", "HTTP 500");
    let people = gathering.people();
    let nothing = "us is missing: HTTP 500. No workspace could be read, so nothing is known about anybody.";
    assert_eq!(people.verdict(), nothing);
}

#[test]
fn what_an_incomplete_read_lists_is_known() {
    let mut gathering = Gathering::default();
    gathering.add("eu", false, &header(&[]), fine(vec![user("1", "ana@example.com", "disabled", "2")])).unwrap();
    gathering.add("us", true, &header(&[]), fine(vec![user("1", "ana@example.com", "active", "2")])).unwrap();
    assert_eq!(gathering.people().left_behind().count(), 1);
}

#[test]
fn full_power_of_a_disabled_account_administers_nothing_and_an_unlisted_profile_is_named_by_its_id() {
    let mut gathering = Gathering::default();
    let eu = vec![user("1", "ana@example.com", "disabled", "1"), user("2", "bo@example.com", "active", "99")];
    gathering.add("eu", true, &header(&[]), fine(eu)).unwrap();
    let people = gathering.people();
    assert!(people.administrators().is_empty());
    let bo = &people.persons[1].accounts[0];
    assert_eq!((people.profile(bo), bo.power), ("99", Power::Unknown));
}

fn separated(permission: &str) -> SnapshotHeader {
    let separation = Separation {
        name: "view-and-administer".into(),
        first: Right::Permission(permission.into()),
        second: Right::Profile("administrator".into()),
        severity: None,
    };
    SnapshotHeader { policy: Some(Policy { separations: vec![separation], ..Policy::default() }), ..header(&[]) }
}

#[test]
fn rights_that_must_be_separate_conflict_across_workspaces_and_only_of_active_accounts() {
    let world = |ana: &str, of_eu: SnapshotHeader| {
        let mut gathering = Gathering::default();
        let eu = vec![user("1", "ana@example.com", ana, "2"), user("2", "bo@example.com", "active", "2")];
        let us = vec![user("1", "Ana@example.com", "active", "1"), user("2", "cy@example.com", "active", "1")];
        gathering.add("eu", true, &of_eu, fine(eu)).unwrap();
        // The policy of one workspace holds for what its people have in the others.
        gathering.add("us", true, &header(&[]), fine(us)).unwrap();
        gathering.people()
    };
    let people = world("active", separated("view"));
    let [conflict] = &people.conflicts[..] else { panic!("{:?}", people.conflicts) };
    assert_eq!(people.persons[conflict.person].address.as_deref(), Some("ana@example.com"));
    assert_eq!(conflict.severity, Severity::High);
    let expected = "view-and-administer: “view” by the profile “Standard” in eu and “view” by the profile “Administrator” in us, \
                    and the profile “Administrator” in us";
    assert_eq!(conflict.sentence, expected);
    assert!(people.verdict().contains("1 person holds rights in different workspaces that must be separate: Name of"));
    assert_eq!(
        (world("disabled", separated("view")).conflicts, world("active", separated("export")).conflicts),
        (vec![], vec![])
    );
    // Both in one workspace is a finding of that workspace's audit.
    assert_eq!(world("active", separated("users")).conflicts, []);
}

#[test]
fn what_the_api_does_not_say_is_not_evaluated() {
    let mut unknown = separated("users");
    unknown.profiles[1].permissions = Permissions::Unknown("403".into());
    let mut gathering = Gathering::default();
    gathering.add("eu", true, &unknown, fine(vec![user("1", "ana@example.com", "active", "2")])).unwrap();
    let mut other = header(&[]);
    other.administrator_profiles = Vec::new();
    other.profiles = vec![profile("1", "Administrator", &["view"])];
    gathering.add("us", true, &other, fine(vec![user("1", "ana@example.com", "active", "1")])).unwrap();
    let people = gathering.people();
    assert_eq!(people.conflicts, []);
    let [said] = &people.undecided[..] else { panic!("{:?}", people.undecided) };
    assert!(
        said.starts_with("view-and-administer: the API does not report what the profile “Standard” permits"),
        "{said}"
    );
    assert!(said.ends_with("so it was not evaluated for 1 person"), "{said}");
}

type Rows = Vec<(u8, u8, u8)>;

/// Workspaces of users from a small world: the same addresses in several of them, some without an address.
fn world() -> impl Strategy<Value = Vec<(bool, Rows)>> {
    prop::collection::vec((any::<bool>(), prop::collection::vec((0..6_u8, 0..4_u8, 1..3_u8), 0..6)), 1..5)
}

fn people(world: &[(bool, Rows)], order: &[usize]) -> People {
    let mut gathering = Gathering::default();
    for place in order {
        let (is_complete, rows) = &world[*place];
        let name = format!("w{place}");
        if rows.len() == 5 {
            gathering.missing(&name, "HTTP 500");
            continue;
        }
        let departed: Vec<String> = rows.iter().map(|(who, ..)| format!("{}@example.com", (who + 1) % 6)).collect();
        let departed: Vec<&str> = departed.iter().map(String::as_str).take(1).collect();
        let mut users: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(id, (who, status, profile))| {
                let email = if *who == 5 { String::new() } else { format!("{who}@example.com") };
                let status = ["active", "disabled", "deleted", "odd"][usize::from(*status)];
                user(&id.to_string(), &email, status, &profile.to_string())
            })
            .collect();
        if order.first() == Some(&0) {
            users.reverse();
        }
        let mut header = header(&departed);
        header.aliases.insert("4@example.com".into(), "3@example.com".into());
        gathering.add(&name, *is_complete, &header, fine(users)).unwrap();
    }
    gathering.people()
}

proptest! {
    #[test]
    fn the_order_of_workspaces_and_users_does_not_matter(world in world(), seed in any::<prop::sample::Index>()) {
        let order: Vec<usize> = (0..world.len()).collect();
        let mut other = order.clone();
        other.rotate_left(seed.index(world.len()));
        other.reverse();
        let (one, other) = (people(&world, &order), people(&world, &other));
        prop_assert_eq!(&one.persons, &other.persons);
        prop_assert_eq!(one.verdict(), other.verdict());
        // Every account is of one person, and nobody is left behind without an end in one place and access in another.
        let listed: usize = world.iter().filter(|(_, rows)| rows.len() < 5).map(|(_, rows)| rows.len()).sum();
        let accounts = one.persons.iter().flat_map(|person| &person.accounts);
        prop_assert_eq!(accounts.filter(|account| account.missed_at.is_none()).count(), listed);
        for person in one.left_behind() {
            prop_assert!(person.active_in().iter().all(|place| !person.gone_from().contains(place)));
            let is_missing = |place: &usize| matches!(one.workspaces[*place].standing, Standing::Missing(_));
            prop_assert!(!person.gone_from().iter().any(is_missing));
        }
    }
}
