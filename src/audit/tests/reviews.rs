//! What people decided in reviews, and whether the workspace is so.

use chrono::TimeDelta;

use crate::{
    audit::testing::{ADMINISTRATOR, LEVEL_1, STANDARD, World, now, quiet},
    model::{
        reading::{Check, CheckKind, CheckOutcome},
        reviewed::{AccountDecision, Reviewed, ReviewedAccount, UnderReview, Wanted},
        unread::{Field, Fields},
    },
};

const NOT_CARRIED_OUT: &str = "decision-not-carried-out";
const CHANGED: &str = "changed-without-decision";

/// An account as it was in the quiet world, decided some days ago and due some days later.
fn account(id: u32, wanted: Option<Wanted>, days_ago: i64, days: i64) -> ReviewedAccount {
    let at = now() - TimeDelta::days(days_ago);
    let due = |wanted: &Wanted| (*wanted != Wanted::Keep).then_some(at + TimeDelta::days(days));
    ReviewedAccount {
        item: id,
        user_id: id.to_string(),
        account: format!("user{id}@example.com"),
        role_id: Some(LEVEL_1.into()),
        profile_id: Some(STANDARD.into()),
        reviewer: "lead@example.com".into(),
        decision: wanted.map(|wanted| AccountDecision { due: due(&wanted), wanted, by: "lead@example.com".into(), at }),
    }
}

fn role(id: &str) -> Wanted {
    Wanted::Role { id: id.into(), name: Some(format!("Role {id}")) }
}

fn profile(id: &str) -> Wanted {
    Wanted::Profile { id: id.into(), name: None }
}

fn world(is_open: bool, accounts: Vec<ReviewedAccount>) -> World {
    let review = uuid::Uuid::from_u128(9);
    let reviews = vec![UnderReview { review, name: "quarterly".into(), is_open, four_eyes: false, accounts }];
    World { reviewed: Some(Reviewed { reviews }), ..quiet() }
}

fn messages(world: &World, rule: &str) -> Vec<String> {
    let judged = world.judge();
    judged.of(rule).map(|finding| finding.message.to_string()).collect()
}

#[test]
fn a_decision_that_is_overdue_names_who_decided_what_when_and_in_which_review() {
    let remove = |ago, days| vec![account(3, Some(Wanted::Remove), ago, days)];
    let overdue = world(false, remove(20, 14));
    assert_eq!(overdue.judge().subjects(NOT_CARRIED_OUT), ["user 3"]);
    assert_eq!(
        messages(&overdue, NOT_CARRIED_OUT),
        ["lead@example.com decided to remove it on 2026-09-15 in the review “quarterly” \
          (00000000-0000-0000-0000-000000000009, item 3). That was due on 2026-09-29, is overdue for 6 days, and the account \
          still can sign in; carry it out."]
    );
    // In time, and exactly in time.
    assert_eq!(messages(&world(false, remove(13, 14)), NOT_CARRIED_OUT), [""; 0]);
    assert_eq!(messages(&world(false, remove(14, 14)), NOT_CARRIED_OUT), [""; 0]);
    // Also while the review is open: the time runs from the decision.
    assert_eq!(messages(&world(true, remove(20, 14)), NOT_CARRIED_OUT).len(), 1);
    for status in ["disabled", "deleted"] {
        let mut done = world(false, remove(20, 14));
        done.person(3).status = status.into();
        assert_eq!(messages(&done, NOT_CARRIED_OUT), [""; 0], "{status}");
    }
    let mut gone = world(false, remove(20, 14));
    gone.people.retain(|person| person.id != "3");
    assert_eq!(messages(&gone, NOT_CARRIED_OUT), [""; 0]);
    let keep = world(true, vec![account(3, Some(Wanted::Keep), 99, 1), account(4, None, 0, 0)]);
    assert_eq!((messages(&keep, NOT_CARRIED_OUT), messages(&keep, CHANGED)), (vec![], vec![]));
}

#[test]
fn a_change_is_carried_out_by_the_role_or_profile_that_was_decided_and_by_nothing_else() {
    let overdue = |wanted: Wanted| world(false, vec![account(3, Some(wanted), 20, 14)]);
    let found = messages(&overdue(role("22")), NOT_CARRIED_OUT);
    assert!(
        found[0].contains("decided to give it the role “Role 22”") && found[0].contains("still has another role"),
        "{found:?}"
    );
    assert!(messages(&overdue(profile(ADMINISTRATOR)), NOT_CARRIED_OUT)[0].contains("give it the profile “11”"));
    let mut done = overdue(role("22"));
    done.person(3).role = Some(("22".into(), None));
    assert_eq!((messages(&done, NOT_CARRIED_OUT), messages(&done, CHANGED)), (vec![], vec![]));
    // A third role is not what was decided.
    done.person(3).role = Some(("23".into(), None));
    assert_eq!((messages(&done, NOT_CARRIED_OUT).len(), messages(&done, CHANGED).len()), (1, 1));
    // A disabled account still has the role.
    let mut disabled = overdue(role("22"));
    disabled.person(3).status = "disabled".into();
    assert_eq!(messages(&disabled, NOT_CARRIED_OUT).len(), 1);
    // What could not be read is not judged.
    let mut unread = overdue(role("22"));
    unread.person(3).role = None;
    unread.person(3).unread = Fields::of(&[Field::Role]);
    assert_eq!((messages(&unread, NOT_CARRIED_OUT), messages(&unread, CHANGED)), (vec![], vec![]));
    let judged = unread.judge();
    let not_evaluated = judged.not_evaluated(NOT_CARRIED_OUT);
    assert!(not_evaluated.contains("user 3 (role)"), "{not_evaluated}");
}

#[test]
fn what_changes_while_people_decide_is_found_unless_it_is_what_they_decided() {
    // Who decided what, what happened, and what is said of it.
    let cases: [(Option<Wanted>, &str, &str); 13] = [
        (None, "deleted", "it was deleted; lead@example.com has not decided about it."),
        (None, "disabled", "it was disabled; lead@example.com has not decided about it."),
        (None, "role", "its role was changed; lead@example.com has not decided about it."),
        (None, "profile", "its profile was changed; lead@example.com has not decided about it."),
        (Some(Wanted::Keep), "deleted", "it was deleted; lead@example.com decided to keep it as it was on 2026-10-04."),
        (
            Some(Wanted::Keep),
            "role",
            "its role was changed; lead@example.com decided to keep it as it was on 2026-10-04.",
        ),
        (Some(Wanted::Remove), "deleted", ""),
        (Some(Wanted::Remove), "disabled", ""),
        (Some(Wanted::Remove), "role", ""),
        (Some(role("22")), "role", ""),
        (
            Some(role("23")),
            "role",
            "its role was changed; lead@example.com decided to give it the role “Role 23” on 2026-10-04.",
        ),
        (
            Some(role("22")),
            "profile",
            "its profile was changed; lead@example.com decided to give it the role “Role 22” on 2026-10-04.",
        ),
        (Some(role("22")), "deleted", ""),
    ];
    for (wanted, happens, expected) in cases {
        let mut world = world(true, vec![account(3, wanted.clone(), 1, 14)]);
        let person = world.person(3);
        match happens {
            "role" => person.role = Some(("22".into(), None)),
            "profile" => person.profile = Some((ADMINISTRATOR.into(), None)),
            status => person.status = status.into(),
        }
        let found = messages(&world, CHANGED);
        if expected.is_empty() {
            assert_eq!(found, [""; 0], "{wanted:?} {happens}");
        } else {
            assert!(found.len() == 1 && found[0].ends_with(expected), "{wanted:?} {happens}: {found:?}");
            assert_eq!(world.judge().subjects(CHANGED), ["user 3"]);
        }
    }
}

#[test]
fn accounts_that_are_gone_are_named_and_an_incomplete_read_says_nothing_of_them() {
    let accounts =
        vec![account(3, None, 0, 0), account(4, Some(Wanted::Remove), 1, 14), account(5, Some(Wanted::Keep), 1, 0)];
    let mut gone = world(true, accounts.clone());
    gone.people.retain(|person| !["3", "4", "5"].contains(&person.id.as_str()));
    assert_eq!(gone.judge().subjects(CHANGED), ["workspace"]);
    assert!(
        messages(&gone, CHANGED)[0]
            .ends_with("nobody decided to remove: user3@example.com (item 3) and user5@example.com (item 5)."),
        "{:?}",
        messages(&gone, CHANGED)
    );
    let outcome = CheckOutcome::Disagreed { detail: "user 3 came twice".into() };
    gone.checks.push(Check { kind: CheckKind::DistinctUsers, outcome, figures: String::new() });
    assert_eq!(messages(&gone, CHANGED), [""; 0]);
    // After the close, an account that was kept may go.
    let mut closed = world(false, accounts);
    closed.people.retain(|person| !["3", "4", "5"].contains(&person.id.as_str()));
    assert_eq!(messages(&closed, CHANGED), [""; 0]);
}

#[test]
fn without_a_review_the_rules_are_not_in_the_report() {
    let has = |world: &World| {
        world.judge().judgement.outcomes.iter().any(|one| one.rule == NOT_CARRIED_OUT || one.rule == CHANGED)
    };
    assert!(!has(&quiet()));
    assert!(has(&World { reviewed: Some(Reviewed::default()), ..quiet() }));
}
