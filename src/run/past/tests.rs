//! A simulated year with known truth: what the archive says is compared with a plain list of what every read saw.

use std::{collections::BTreeMap, time::Duration};

use chrono::{TimeDelta, TimeZone as _, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::*;
use crate::{
    access::matrix::AccessMatrix,
    audit::{
        Lacking,
        testing::{self, ADMINISTRATOR, STANDARD, World, person, profile, role},
    },
    past::{Moment, Period, Side, State, answer},
    run::{self, ReadWorkspace, RunRequest},
    store::{Kept as KeptAudit, Store as _, testing as store_testing},
};

const WORKSPACE: &str = "acme";
const SALES: &str = "803";

/// What a read saw of an account: status, role, profile, permissions.
type Seen = (String, String, String, Vec<String>);

/// The truth: every complete read, and what it saw of every account.
struct Truth {
    reads: Vec<(DateTime<Utc>, Uuid, BTreeMap<String, Seen>)>,
}

impl Truth {
    /// The place of the last read up to a moment.
    fn at(&self, at: DateTime<Utc>) -> Option<usize> {
        self.reads.iter().rposition(|(read, ..)| *read <= at)
    }

    fn seen(&self, place: usize, id: &str) -> Option<&Seen> {
        self.reads[place].2.get(id)
    }
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 6, 0, 0).unwrap()
}

fn world() -> World {
    let mut world = testing::quiet();
    world.roles.push(role("502", "Level 2"));
    world.profiles.push(profile(SALES, "Sales", true, &["view", "edit"]));
    world.people.extend((11..=30).map(|id| person(id, STANDARD)));
    world
}

/// One random change of the workspace, or none.
fn change(world: &mut World, random: &mut StdRng) {
    let profiles = [ADMINISTRATOR, STANDARD, SALES];
    let place = random.random_range(0..world.people.len());
    match random.random_range(0..12) {
        0 => world.people[place].profile = Some(((*profiles.choose(random).unwrap()).to_owned(), None)),
        1 => world.people[place].role = Some(("502".into(), None)),
        2 => world.people[place].status = if random.random() { "active" } else { "inactive" }.into(),
        3 => world.people[place].name = Some(format!("Renamed {}", random.random_range(0..100))),
        4 if world.people.len() > 10 => drop(world.people.remove(place)),
        5 => {
            let id = random.random_range(100..140);
            if !world.people.iter().any(|person| person.id == id.to_string()) {
                world.people.push(person(id, SALES));
                world.people.sort_by_key(|person| person.id.parse::<u32>().unwrap());
            }
        }
        6 if random.random_ratio(1, 4) => {
            let some = ["view", "edit", "export contacts", "delete"];
            let number = random.random_range(1..=some.len());
            *world.profiles.last_mut().unwrap() = profile(SALES, "Sales", true, &some[..number]);
        }
        _ => {}
    }
}

fn truth_of(world: &World) -> BTreeMap<String, Seen> {
    let permits = |id: &str| {
        let profile = world.profiles.iter().find(|profile| profile.id.as_str() == id).unwrap();
        let mut names: Vec<String> = profile.permissions.enabled().unwrap().map(|one| one.name.clone()).collect();
        names.sort();
        names
    };
    let seen = |person: &testing::Person| {
        let (role, profile) = (person.role.clone().unwrap().0, person.profile.clone().unwrap().0);
        let permits = permits(&profile);
        (person.id.clone(), (person.status.clone(), role, profile, permits))
    };
    world.people.iter().map(seen).collect()
}

fn seen(state: &State) -> Seen {
    let id = |held: &Option<crate::past::Held>| held.clone().unwrap().id;
    let permissions = state.permissions.as_ref().unwrap().iter().cloned().collect();
    (state.status.clone(), id(&state.role), id(&state.profile), permissions)
}

async fn keep(store: &store_testing::TestStore, world: &World, at: DateTime<Utc>, complete: bool) -> Uuid {
    let id = Uuid::now_v7();
    let request = RunRequest {
        id,
        trigger: None,
        job: Some("weekly"),
        workspace: WORKSPACE,
        policy: &world.policy,
        deadline: Duration::from_mins(1),
    };
    let mut directory = world.directory();
    directory.reading.finished_at = at;
    let audit = run::judge(&request, ReadWorkspace::kept(directory, None, Lacking::default()), at).unwrap();
    let matrix = AccessMatrix::of(&audit);
    let record = AuditRecord {
        id,
        job: Some("weekly".into()),
        workspace: WORKSPACE.into(),
        started_at: at,
        finished_at: at,
        complete,
        users: world.people.len() as u64,
        administrators: 0,
        open_findings: 0,
        by_severity: None,
        bag: None,
        no_mail_reason: None,
        policy_changes: Vec::new(),
    };
    let parts = snapshot::parts(&audit, &matrix, crate::brief::Brief::of(&audit, &matrix).said())
        .collect::<Result<_, _>>()
        .unwrap();
    store.keep(&KeptAudit { record, parts }, at).await.unwrap();
    id
}

/// A read every third day for a year, some of them incomplete.
async fn year(store: &store_testing::TestStore, random: &mut StdRng) -> Truth {
    let (mut world, mut truth) = (world(), Truth { reads: Vec::new() });
    for number in 0..120 {
        for _ in 0..random.random_range(0..4) {
            change(&mut world, random);
        }
        let at = start() + TimeDelta::hours(73 * number + random.random_range(0..6));
        let complete = random.random_ratio(9, 10);
        let id = keep(store, &world, at, complete).await;
        if complete {
            truth.reads.push((at, id, truth_of(&world)));
        }
    }
    truth
}

#[tokio::test]
async fn a_thousand_random_days_are_told_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_testing::open(folder.path()).await;
    let mut random = StdRng::seed_from_u64(42);
    let truth = year(&store, &mut random).await;
    let mut changed = 0;
    for _ in 0..100 {
        let at = start() + TimeDelta::minutes(random.random_range(-1_000..400 * 24 * 60));
        let mut archive = Archive::new(&store, None, WORKSPACE);
        let then = access_then(&mut archive, at, &Wanted::default()).await.unwrap();
        let Some(place) = truth.at(at) else {
            assert_eq!((then.read, then.accounts), (None, Vec::new()), "{at}");
            assert_eq!(then.next_read.unwrap().audit, truth.reads[0].1);
            continue;
        };
        assert_eq!(then.read.unwrap().audit, truth.reads[place].1, "{at}");
        assert_eq!(then.next_read.map(|read| read.audit), truth.reads.get(place + 1).map(|read| read.1), "{at}");
        let ids: Vec<&String> = then.accounts.iter().map(|row| &row.user_id).collect();
        assert_eq!(ids, truth.reads[place].2.keys().collect::<Vec<_>>(), "{at}");
        for row in then.accounts.iter().take(10) {
            let id = &row.user_id;
            let state = truth.seen(place, id).unwrap();
            let access = (row.state.status.clone(), row.state.role_id.clone(), row.state.profile_id.clone());
            assert_eq!(access, (state.0.clone(), Some(state.1.clone()), Some(state.2.clone())), "{at} {id}");
            assert_eq!(row.state.permissions.as_ref(), Some(&state.3), "{at} {id}");
            let first = (0..=place).rev().take_while(|place| truth.seen(*place, id) == Some(state)).last().unwrap();
            let last =
                (place..truth.reads.len()).take_while(|place| truth.seen(*place, id) == Some(state)).last().unwrap();
            let id_of = |place: usize| truth.reads.get(place).map(|read| read.1);
            assert_eq!(Some(row.first_seen.audit), id_of(first), "{at} {id}");
            assert_eq!(
                row.changed_after.as_ref().map(|read| read.audit),
                first.checked_sub(1).and_then(id_of),
                "{at} {id}"
            );
            assert_eq!(Some(row.last_seen.audit), id_of(last), "{at} {id}");
            assert_eq!(row.changed_before.as_ref().map(|read| read.audit), id_of(last + 1), "{at} {id}");
            changed += usize::from(row.changed_after.is_some());
        }
    }
    assert!(changed > 300, "the year has changes: {changed}");
}

#[tokio::test]
async fn the_history_of_every_user_is_every_change_between_two_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_testing::open(folder.path()).await;
    let truth = year(&store, &mut StdRng::seed_from_u64(7)).await;
    let everybody: std::collections::BTreeSet<&String> = truth.reads.iter().flat_map(|read| read.2.keys()).collect();
    for id in everybody.into_iter().take(25) {
        let mut archive = Archive::new(&store, None, WORKSPACE);
        let course = course(&mut archive, id).await.unwrap().unwrap();
        let covered: u64 = course.periods().iter().map(|period| period.reads).sum();
        assert_eq!(covered, truth.reads.len() as u64);
        let mut place = 0;
        for Period { state, first, last, reads } in course.periods() {
            assert_eq!(first.audit, truth.reads[place].1, "{id}");
            for _ in 0..*reads {
                assert_eq!(state.as_ref().map(seen).as_ref(), truth.seen(place, id), "{id} {place}");
                place += 1;
            }
            assert_eq!(last.audit, truth.reads[place - 1].1, "{id}");
        }
        let rows = answer::periods(WORKSPACE, &course);
        assert!(rows[0].listed, "the time before the account existed is left out");
        assert!(rows.iter().skip(1).all(|row| !row.changes.is_empty()), "{rows:#?}");
    }
    let mut archive = Archive::new(&store, None, WORKSPACE);
    assert!(course(&mut archive, "nobody@example.com").await.unwrap().is_none());
}

#[tokio::test]
async fn a_read_of_which_nothing_was_kept_is_passed_over_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_testing::open(folder.path()).await;
    let mut world = world();
    let first = keep(&store, &world, start(), true).await;
    world.person(5).profile = Some((ADMINISTRATOR.into(), None));
    let second = keep(&store, &world, start() + TimeDelta::days(7), true).await;
    store.prune(start() + TimeDelta::days(1)).await.unwrap();
    let mut archive = Archive::new(&store, None, WORKSPACE);
    let wanted = Wanted { user: Some("USER5@example.com".into()), ..Wanted::default() };
    let then = access_then(&mut archive, start() + TimeDelta::days(3), &wanted).await.unwrap();
    assert_eq!((then.read, then.not_kept), (None, 1));
    assert_eq!(then.next_read.unwrap().audit, second);
    assert!(matches!(archive.kept(first).await, Err(PastError::Nothing(audit)) if audit == first));
    let unknown = Uuid::now_v7();
    assert!(matches!(archive.kept(unknown).await, Err(PastError::Unknown(audit)) if audit == unknown));
}

#[tokio::test]
async fn two_audits_that_end_in_the_same_millisecond_are_two_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_testing::open(folder.path()).await;
    let mut world = world();
    let before = keep(&store, &world, start(), true).await;
    let together = start() + TimeDelta::days(7);
    let first = keep(&store, &world, together, true).await;
    world.person(5).profile = Some((ADMINISTRATOR.into(), None));
    let second = keep(&store, &world, together, true).await;
    let after = keep(&store, &world, start() + TimeDelta::days(14), true).await;

    let mut archive = Archive::new(&store, None, WORKSPACE);
    let wanted = Wanted { user: Some("5".into()), ..Wanted::default() };
    let then = access_then(&mut archive, together, &wanted).await.unwrap();
    assert_eq!((then.read.unwrap().audit, then.next_read.unwrap().audit), (second, after));
    let row = &then.accounts[0];
    assert_eq!(row.state.profile_id.as_deref(), Some(ADMINISTRATOR));
    assert_eq!((row.first_seen.audit, row.last_seen.audit), (second, after));
    assert_eq!(row.changed_after.as_ref().map(|read| read.audit), Some(first));
    let just_before = together - TimeDelta::milliseconds(1);
    let then = access_then(&mut archive, just_before, &wanted).await.unwrap();
    assert_eq!((then.read.unwrap().audit, then.next_read.unwrap().audit), (before, first));
    let row = &then.accounts[0];
    assert_eq!((row.last_seen.audit, row.changed_before.as_ref().map(|read| read.audit)), (first, Some(second)));

    let course = course(&mut archive, "5").await.unwrap().unwrap();
    let periods: Vec<_> = course.periods().iter().map(|one| (one.first.audit, one.last.audit, one.reads)).collect();
    assert_eq!(periods, [(before, first, 2), (second, after, 2)]);
    let (at_day, _) = side(&mut archive, Side::At(Moment(together))).await.unwrap();
    assert_eq!(at_day.audit, second, "the later of the two is what a comparison begins with");
}

#[tokio::test]
async fn two_audits_differ_by_what_changed_to_the_single_permission() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_testing::open(folder.path()).await;
    let mut world = world();
    let before = keep(&store, &world, start(), true).await;
    world.person(5).profile = Some((ADMINISTRATOR.into(), None));
    *world.profiles.last_mut().unwrap() = profile(SALES, "Sales", true, &["view", "edit", "delete"]);
    world.people.retain(|person| person.id != "9");
    let after = keep(&store, &world, start() + TimeDelta::days(7), true).await;
    let archive = Archive::new(&store, None, WORKSPACE);
    let ((_, old), (_, new)) = (archive.kept(before).await.unwrap(), archive.kept(after).await.unwrap());
    let rules = RuleSet::for_policy(&new.policy());
    let changes = crate::past::compare(&old, &new, rules.list(), WORKSPACE).unwrap();
    let told: Vec<String> = changes.iter().map(|one| format!("{} {}", one.kind.word(), one.subject)).collect();
    assert_eq!(
        told,
        ["administrator-granted User Number5", "permission-added Sales (touches 0 users)", "user-removed User Number9"]
    );
    let none = crate::past::compare(&new, &new, rules.list(), WORKSPACE).unwrap();
    assert_eq!(none, Vec::new());
}
