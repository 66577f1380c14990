//! Which accounts are reviewed, and by whom.

use super::*;
use crate::{
    access::drift::{SnapshotHeader, SnapshotUser},
    model::{
        pattern::Pattern,
        policy::Policy,
        roster::{self, Meaning, Record, Roster},
        word::Word,
    },
    review::{
        assign::{Choice, NoReviewer, Rule},
        open::{NotOpened, Occasion, Source, Terms, Unassigned, open},
    },
};

fn user(id: &str, name: &str, status: &str, role: &str, profile: &str) -> SnapshotUser<'static> {
    serde_json::from_value(serde_json::json!({
        "id": id, "full_name": null, "email": format!("{name}@example.com"), "status": status, "confirmed": true,
        "role_id": role, "profile_id": profile,
    }))
    .unwrap()
}

fn source(users: Vec<SnapshotUser<'static>>) -> Source {
    let profile = |id: &str, enabled: &[&str]| {
        let enabled: Vec<_> = enabled
            .iter()
            .map(|name| serde_json::json!({"name": name, "module": null, "label": null, "enabled": true}))
            .collect();
        serde_json::json!({"id": id, "name": format!("Profile {id}"), "custom": null, "description": null, "modified": null,
                           "permissions": {"known": enabled}})
    };
    let role = |id: &str| {
        serde_json::json!({"id": id, "name": format!("Sales {id}"), "reporting_to": null, "admin_user": null,
                           "share_with_peers": null, "description": null})
    };
    let header: SnapshotHeader = serde_json::from_value(serde_json::json!({
        "id": "1", "finished_at": at(-10), "primary_zuid": null, "primary_email": null, "users": users.len(),
        "administrators": 1, "roles": [role("r1"), role("r2")], "administrator_profiles": ["admin"],
        "profiles": [profile("admin", &["all", "read"]), profile("p1", &["read"])],
        "findings": [{"rule": "no-role", "subject_type": "user", "subject_id": "2", "subject": "x", "message": "It is.",
                      "open": true}],
    }))
    .unwrap();
    let basis =
        Basis { workspace: "acme".into(), audit: uuid::Uuid::from_u128(1), bag: bag("audit"), read_at: at(-10) };
    Source { basis, header, users, roster: None }
}

fn rule(reviewer: &str) -> Rule {
    let reviewer = Choice::Person(address(reviewer));
    Rule { workspace: None, role: None, profile: None, department: None, reviewer, alternate: None }
}

fn terms(reviewers: Vec<Rule>) -> Terms {
    Terms {
        name: "quarterly".into(),
        job: "weekly".into(),
        scope: Scope::All,
        due_days: 14,
        owner: address("ana"),
        reviewers,
        four_eyes: false,
        remediation_days: RemediationDays::default(),
        escalate_to: None,
    }
}

fn occasion() -> Occasion {
    Occasion { at: at(0), fire_at: None, by: Actor::Daemon }
}

/// Each account and its reviewer.
fn assigned_from(terms: &Terms, source: Source) -> Result<Vec<(String, String)>, NotOpened> {
    let (opening, population) = open(terms, &[source], None, occasion())?;
    let review = Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap();
    let pair = |(item, course): (&Item, &Course)| (item.user_id.clone(), course.reviewer().to_string());
    Ok(review.items().map(pair).collect())
}

/// Each account and its reviewer, without a roster.
fn assigned(terms: &Terms, users: Vec<SnapshotUser<'static>>) -> Result<Vec<(String, String)>, Vec<Unassigned>> {
    assigned_from(terms, source(users)).map_err(|error| match error {
        NotOpened::Unassigned(accounts) => accounts,
        NotOpened::Roster { .. } => unreachable!("{error}"),
    })
}

/// A row of a roster: addresses, department, manager, and the last day.
fn row(addresses: &[&str], department: &str, manager: &str, end: Option<&str>) -> Record {
    Record {
        roster: "hr".into(),
        addresses: addresses
            .iter()
            .map(|name| if name.contains('@') { (*name).to_owned() } else { format!("{name}@example.com") })
            .collect(),
        name: addresses[0].to_owned(),
        meaning: Meaning::Current,
        department: department.into(),
        manager: if manager.is_empty() { Word::default() } else { format!("{manager}@example.com").into() },
        end: end.map(|day| day.parse().unwrap()),
        ..Record::default()
    }
}

/// A workspace whose audit read a roster with these rows.
fn source_with(users: Vec<SnapshotUser<'static>>, records: Vec<Record>) -> Source {
    let read: roster::Source = serde_json::from_value(serde_json::json!({
        "name": "hr", "place": "people.csv", "max_age_days": 7, "max_shrink_percent": 20, "time_zone": "UTC", "read_at": at(-10),
    }))
    .unwrap();
    let mut source = source(users);
    let policy = Policy { company_domains: vec!["example.com".into()], roster: vec!["hr".into()], ..Policy::default() };
    source.header.policy = Some(policy);
    source.roster = Some(Roster { sources: vec![read], records });
    source
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, name)| ((*id).to_owned(), format!("{name}@example.com"))).collect()
}

#[test]
fn the_first_rule_that_matches_names_the_reviewer() {
    let pattern = |text: &str| Some(Pattern::parse(text).unwrap());
    let rules = vec![
        Rule { profile: pattern("Profile ad*"), ..rule("sec") },
        Rule { role: pattern("Sales r1"), department: pattern("Sales*"), ..rule("lead") },
        Rule { reviewer: Choice::Manager, ..rule("x") },
        Rule { alternate: Some(address("ben")), ..rule("ana") },
    ];
    let people = vec![
        row(&["eva"], "Sales North", "", None),
        row(&["finn"], "", "mia", None),
        row(&["hana"], "", "noa", None),
        row(&["kim"], "", "olga", None),
        row(&["mia"], "", "", None),
        // A manager who has left, and one who is not in the roster, decide about nothing.
        row(&["noa"], "", "", Some("2026-01-31")),
    ];
    let users = vec![
        user("1", "eva", "active", "r1", "p1"),
        user("2", "finn", "active", "r1", "p1"),
        user("3", "gus", "active", "r2", "admin"),
        user("4", "hana", "active", "r2", "p1"),
        // Ana's own account goes to the alternate.
        user("5", "Ana", "active", "r2", "p1"),
        user("6", "ida", "disabled", "r2", "p1"),
        user("7", "jon", "deleted", "r2", "p1"),
        // A status that is not known may let the person in.
        user("8", "kim", "on-hold", "r2", "p1"),
    ];
    let found = assigned_from(&terms(rules), source_with(users, people)).unwrap();
    let expected = [("1", "lead"), ("2", "mia"), ("3", "sec"), ("4", "ana"), ("5", "ben"), ("8", "ana")];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn an_account_without_a_reviewer_is_an_error_that_names_it() {
    let only_admins = Rule { profile: Some(Pattern::parse("Profile admin").unwrap()), ..rule("sec") };
    let users = || vec![user("1", "eva", "active", "r1", "p1"), user("2", "ana", "active", "r1", "p1")];
    let errors = assigned(&terms(vec![only_admins]), users()).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.why).collect::<Vec<_>>(), [NoReviewer::NoRule; 2]);
    assert!(
        errors[0].to_string().starts_with("acme: eva@example.com: no entry of `reviewers` matches"),
        "{}",
        errors[0]
    );
    // Ana is the only reviewer and the owner.
    let errors = assigned(&terms(vec![rule("ana")]), users()).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].account.as_str(), errors[0].why), ("ana@example.com", NoReviewer::OnlySelf));
}

#[test]
fn two_people_are_not_assigned_to_each_other_if_somebody_else_can_decide() {
    let of = |department: &str, reviewer: &str| Rule {
        department: Some(Pattern::parse(department).unwrap()),
        ..rule(reviewer)
    };
    let people = || vec![row(&["eva"], "eva", "", None), row(&["finn"], "finn", "", None)];
    let users = || vec![user("1", "eva", "active", "r1", "p1"), user("2", "finn", "active", "r1", "p1")];
    let rules = vec![of("eva*", "finn"), of("finn*", "eva")];
    assert_eq!(
        assigned_from(&terms(rules.clone()), source_with(users(), people())).unwrap(),
        pairs(&[("1", "finn"), ("2", "ana")])
    );
    // Nobody else is there: the owner is one of them.
    let owned = Terms { owner: address("eva"), ..terms(rules) };
    assert_eq!(assigned_from(&owned, source_with(users(), people())).unwrap(), pairs(&[("1", "finn"), ("2", "eva")]));
}

#[test]
fn what_was_decided_last_time_stands_beside_and_what_changed_since_is_known() {
    let users =
        |profile: &str| vec![user("1", "eva", "active", "r1", profile), user("2", "finn", "active", "r1", "p1")];
    let mut first = {
        let (opening, population) = open(&terms(vec![rule("ana")]), &[source(users("p1"))], None, occasion()).unwrap();
        assert!(population.items.iter().all(|item| item.changed && item.last.is_none()));
        assert_eq!(
            (population.items[0].special(), population.items[1].special()),
            (None, Some("it has open findings"))
        );
        Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap()
    };
    for item in [1, 2] {
        let event = decides(&first, "ana", &[item], Decision::Keep);
        happens(&mut first, &[event]);
    }
    let changed = |profile: &str, scope| {
        let terms = Terms { scope, ..terms(vec![rule("ana")]) };
        let (_, population) = open(&terms, &[source(users(profile))], Some(&first), occasion()).unwrap();
        population.items
    };
    let all = changed("admin", Scope::All);
    assert_eq!(all.iter().map(|item| item.changed).collect::<Vec<_>>(), [true, false]);
    let last = all[0].last.as_ref().unwrap();
    assert_eq!(
        (last.decision.as_str(), &last.by, last.profile.as_ref().unwrap().id.as_str()),
        ("keep", &address("ana"), "p1")
    );
    for scope in [Scope::Changed, Scope::Privileged] {
        let some = changed("admin", scope);
        assert_eq!(
            some.iter().map(|item| (item.item.0, item.user_id.as_str())).collect::<Vec<_>>(),
            [(1, "1")],
            "{scope:?}"
        );
        assert_eq!(changed("p1", scope), []);
    }
}

#[test]
fn a_population_that_is_not_the_one_of_the_opening_is_refused() {
    let review = opened(1);
    let mut population = review.population().clone();
    population.items[0].status = "deleted".into();
    let error = Review::opened(review.id(), review.opening().clone(), population, at(0)).unwrap_err();
    assert!(matches!(error.0[0].why, Why::Contradiction(_)), "{error}");
}

#[test]
fn nobody_gets_their_own_account_by_another_address() {
    // Ana is known as ana@example.com and as a.smith@old.example; her account has a tag.
    let mut tagged = user("1", "ana", "active", "r1", "p1");
    tagged.email = Some("Ana+crm@example.com".into());
    let mut former = user("2", "x", "active", "r1", "p1");
    former.email = Some("a.smith@old.example".into());
    let users = || vec![tagged.clone(), former.clone(), user("3", "eva", "active", "r1", "p1")];
    let people = || vec![row(&["ana", "a.smith@old.example"], "", "", None), row(&["eva"], "", "", None)];
    let rules = || vec![Rule { alternate: Some(address("ben")), ..rule("ana") }];
    let found = assigned_from(&terms(rules()), source_with(users(), people())).unwrap();
    assert_eq!(found, pairs(&[("1", "ben"), ("2", "ben"), ("3", "ana")]));

    let (opening, population) = open(&terms(rules()), &[source_with(users(), people())], None, occasion()).unwrap();
    let mut review = Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap();
    let to = |text: &str| Event::Assigned {
        item: ItemId(2),
        to: Address::of(text),
        reason: "on leave".into(),
        by: Actor::CommandLine { command: None },
    };
    for own in ["ana@example.com", "a.smith@old.example", "ana+2@example.com"] {
        assert_eq!(why(&mut review, &to(own)), Why::OwnAccount(Address::of(own)));
    }
    let event = decides(&review, "ana", &[1], Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::OwnAccount(address("ana")));
    happens(&mut review, &[to("eva@example.com")]);
    // Eva decides about ana, also through the other address: then ana does not decide about eva, if ben can.
    let event = decides(&review, "eva", &[2], Decision::Keep);
    let rules = vec![Rule { alternate: Some(address("ben")), ..rule("ana") }];
    let owned = Terms { owner: address("ben"), ..terms(rules) };
    let (opening, population) = open(&owned, &[source_with(users(), people())], None, occasion()).unwrap();
    let mut other = Review::opened(uuid::Uuid::from_u128(2), opening, population, at(0)).unwrap();
    happens(&mut other, &[to("eva@example.com"), event]);
    let event = decides(&other, "ana", &[3], Decision::Keep);
    let expected = Why::EachOther { other: address("eva"), by: address("ana"), instead: address("ben") };
    assert_eq!(why(&mut other, &event), expected);
}

#[test]
fn somebody_who_has_left_decides_about_nothing_and_their_account_is_due_sooner() {
    let people = vec![
        row(&["mia"], "", "", Some("2026-09-01")),
        row(&["eva"], "", "mia", Some("2026-09-01")),
        row(&["finn"], "", "mia", None),
    ];
    let rules = vec![rule("mia"), rule("ben")];
    let users = vec![user("1", "eva", "active", "r1", "p1"), user("2", "finn", "active", "r1", "p1")];
    let (opening, population) = open(&terms(rules), &[source_with(users, people)], None, occasion()).unwrap();
    let mut review = Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap();
    assert!(
        review
            .items()
            .all(|(item, course)| *course.reviewer() == address("ben") && !item.alternates.contains(&address("mia")))
    );
    for item in [1, 2] {
        let event = decides(&review, "ben", &[item], Decision::Remove);
        happens(&mut review, &[event]);
    }
    let due = |id: u32| {
        let (item, course) = (review.item(ItemId(id)).unwrap(), review.course(ItemId(id)).unwrap());
        (review.due_of(item, course.work().unwrap()) - at(50)).num_days()
    };
    assert_eq!((due(1), due(2)), (1, 14));
}

#[test]
fn a_roster_that_does_not_say_what_is_needed_is_an_error() {
    let by_manager = || terms(vec![Rule { reviewer: Choice::Manager, ..rule("x") }, rule("ana")]);
    let by_department =
        || terms(vec![Rule { department: Some(Pattern::parse("Sales*").unwrap()), ..rule("ben") }, rule("ana")]);
    let users = || vec![user("1", "eva", "active", "r1", "p1")];
    let refused = |terms: &Terms, source: Source| assigned_from(terms, source).unwrap_err().to_string();
    let bare = || source_with(users(), vec![row(&["eva"], "", "", None)]);
    assert_eq!(
        refused(&by_manager(), bare()),
        "workspace acme: `reviewers` needs managers, but the roster does not say who is whose manager; correct the roster, and run the audit again"
    );
    assert!(refused(&by_department(), bare()).contains("the roster does not say who is in which department"));
    assert!(refused(&by_manager(), source(users())).contains("the audit read no roster"));
    let full = || source_with(users(), vec![row(&["eva"], "Sales", "mia", None), row(&["mia"], "", "", None)]);
    let mut unread = full();
    unread.roster.as_mut().unwrap().sources[0].problem = Some("no such file".into());
    assert!(refused(&by_manager(), unread).contains("the roster “hr” cannot be read: no such file"));
    let mut old = full();
    old.header.findings[0].rule = "unreliable-roster".into();
    old.header.findings[0].message = "The roster “hr” is 9 days old.".into();
    assert!(refused(&by_department(), old).contains("the audit says: The roster “hr” is 9 days old;"));
    assert_eq!(assigned_from(&by_manager(), full()).unwrap(), pairs(&[("1", "mia")]));
    // A review that does not ask the roster opens without it.
    assert_eq!(assigned_from(&terms(vec![rule("ana")]), source(users())).unwrap(), pairs(&[("1", "ana")]));
}
