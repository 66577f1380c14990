//! Which accounts are reviewed, and by whom.

use super::*;
use crate::{
    access::drift::{SnapshotHeader, SnapshotUser},
    model::pattern::Pattern,
    review::{
        assign::{Choice, NoReviewer, Rule},
        open::{Occasion, Source, Terms, Unassigned, open},
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
    Source { basis, header, users }
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

fn nobody(_: &Address) -> Option<Worker> {
    None
}

fn occasion() -> Occasion {
    Occasion { at: at(0), fire_at: None, by: Actor::Daemon }
}

/// Each account and its reviewer.
fn assigned(
    terms: &Terms,
    users: Vec<SnapshotUser<'static>>,
    people: People<'_>,
) -> Result<Vec<(String, String)>, Vec<Unassigned>> {
    let (opening, population) = open(terms, &[source(users)], None, people, occasion())?;
    let review = Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap();
    let pair = |(item, course): (&Item, &Course)| (item.user_id.clone(), course.reviewer().to_string());
    Ok(review.items().map(pair).collect())
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
    let people = |address: &Address| match address.as_str() {
        "eva@example.com" => Some(Worker { department: Some("Sales North".into()), ..Worker::default() }),
        "finn@example.com" => Some(Worker { manager: Some(super::address("mia")), ..Worker::default() }),
        _ => None,
    };
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
    let found = assigned(&terms(rules), users, &people).unwrap();
    let expected = [("1", "lead"), ("2", "mia"), ("3", "sec"), ("4", "ana"), ("5", "ben"), ("8", "ana")];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn an_account_without_a_reviewer_is_an_error_that_names_it() {
    let only_admins = Rule { profile: Some(Pattern::parse("Profile admin").unwrap()), ..rule("sec") };
    let users = || vec![user("1", "eva", "active", "r1", "p1"), user("2", "ana", "active", "r1", "p1")];
    let errors = assigned(&terms(vec![only_admins]), users(), &nobody).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.why).collect::<Vec<_>>(), [NoReviewer::NoRule; 2]);
    assert!(
        errors[0].to_string().starts_with("acme: eva@example.com: no entry of `reviewers` matches"),
        "{}",
        errors[0]
    );
    // Ana is the only reviewer and the owner.
    let errors = assigned(&terms(vec![rule("ana")]), users(), &nobody).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].account.as_str(), errors[0].why), ("ana@example.com", NoReviewer::OnlySelf));
}

#[test]
fn two_people_are_not_assigned_to_each_other_if_somebody_else_can_decide() {
    let of = |department: &str, reviewer: &str| Rule {
        department: Some(Pattern::parse(department).unwrap()),
        ..rule(reviewer)
    };
    let people = |address: &Address| {
        let department = Some(address.as_str().to_owned());
        Some(Worker { department, ..Worker::default() })
    };
    let users = || vec![user("1", "eva", "active", "r1", "p1"), user("2", "finn", "active", "r1", "p1")];
    let rules = vec![of("eva*", "finn"), of("finn*", "eva")];
    assert_eq!(assigned(&terms(rules.clone()), users(), &people).unwrap(), pairs(&[("1", "finn"), ("2", "ana")]));
    // Nobody else is there: the owner is one of them.
    let owned = Terms { owner: address("eva"), ..terms(rules) };
    assert_eq!(assigned(&owned, users(), &people).unwrap(), pairs(&[("1", "finn"), ("2", "eva")]));
}

#[test]
fn what_was_decided_last_time_stands_beside_and_what_changed_since_is_known() {
    let users =
        |profile: &str| vec![user("1", "eva", "active", "r1", profile), user("2", "finn", "active", "r1", "p1")];
    let mut first = {
        let (opening, population) =
            open(&terms(vec![rule("ana")]), &[source(users("p1"))], None, &nobody, occasion()).unwrap();
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
        let (_, population) = open(&terms, &[source(users(profile))], Some(&first), &nobody, occasion()).unwrap();
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
