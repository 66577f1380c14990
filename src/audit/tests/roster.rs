//! Rules that need a roster.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    audit::testing::{ADMINISTRATOR, World, now, person, quiet},
    model::{
        finding::{RuleResult, Severity},
        policy::{Account, AccountKind, CustomRule, ForEach, RuleSetting},
        roster::{Bounds, ExpectedAccess, Meaning, Record, Roster, Source},
        word::Word,
    },
};

const RULES: [&str; 6] = [
    "leaver-active",
    "ambiguous-roster-match",
    "not-on-roster",
    "unexpected-access",
    "manager-left",
    "joiner-without-account",
];

fn source(name: &str, as_of: DateTime<Utc>) -> Source {
    Source {
        name: name.into(),
        place: "people.csv".into(),
        bounds: Bounds::default(),
        read_at: now(),
        as_of: Some(as_of),
        sha256: None,
        encoding: None,
        columns: std::collections::BTreeMap::new(),
        problem: None,
        warnings: Vec::new(),
    }
}

fn record(number: u32) -> Record {
    Record {
        roster: "hr".into(),
        addresses: vec![format!("user{number}@example.com")],
        name: format!("User Number{number}"),
        status: "Active".into(),
        meaning: Meaning::Current,
        department: "Sales".into(),
        manager: "user1@example.com".into(),
        start: Some("2020-01-01".parse().unwrap()),
        ..Record::default()
    }
}

/// The quiet world, in which everyone is in the roster.
fn employed() -> World {
    let mut world = quiet();
    world.policy.roster = vec!["hr".into()];
    world.policy.expected_access = vec![ExpectedAccess {
        department: Some("sales*".into()),
        profiles: Some(vec!["Standard".into(), "ADMIN*".into()]),
        ..ExpectedAccess::default()
    }];
    world.policy.rules.insert("joiner-without-account".into(), RuleSetting::Severity(Severity::Low));
    let records = (1..=10).map(record).collect();
    world.roster = Some(Roster { sources: vec![source("hr", now())], records });
    world
}

fn row(world: &mut World, number: u32) -> &mut Record {
    let name = format!("User Number{number}");
    world.roster.as_mut().unwrap().records.iter_mut().find(|one| one.name == name).unwrap()
}

#[test]
fn a_rule_of_ones_own_reads_the_person_of_the_roster_and_knows_what_it_does_not_know() {
    let mut world = employed();
    row(&mut world, 3).department = "Finance".into();
    row(&mut world, 4).end = Some((now() - TimeDelta::days(3)).date_naive());
    world.roster.as_mut().unwrap().records.retain(|one| one.name != "User Number5");
    world.person(6).email = None;
    let subjects = |world: &mut World, when: &str| {
        world.policy.custom_rules = vec![CustomRule {
            name: "own".into(),
            title: "Something of our own".into(),
            severity: Severity::Low,
            criteria: vec!["CC6.1".into()],
            for_each: ForEach::User,
            when: when.into(),
            message: "{roster.department}".into(),
            fix: "Change it.".into(),
            tests: Vec::new(),
        }];
        let judged = world.judge();
        let reason = match judged.result("own") {
            RuleResult::Failed { not_evaluated, .. } => not_evaluated.clone(),
            RuleResult::NotEvaluated(reason) => reason.clone(),
            _ => String::new(),
        };
        (judged.subjects("own"), reason)
    };
    let no_address = "it could not be evaluated for 1 user (first: user 6: roster.";
    let (found, reason) =
        subjects(&mut world, "roster.department == 'Finance' && roster.manager == 'user1@example.com'");
    assert!(found == ["user 3"] && reason.starts_with(no_address), "{found:?} {reason}");
    assert_eq!(subjects(&mut world, "!roster.found").0, ["user 5"]);
    assert_eq!(subjects(&mut world, "roster.found && !roster.current").0, ["user 4"]);
    assert_eq!(subjects(&mut world, "has(roster.end) && now - roster.end > days(2)").0, ["user 4"]);
    // Of a roster that cannot be relied on nothing is read.
    world.roster.as_mut().unwrap().sources[0].as_of = Some(now() - TimeDelta::days(400));
    let (found, reason) = subjects(&mut world, "!roster.found");
    assert!(found.is_empty() && reason.contains("10 users"), "{found:?} {reason}");
}

#[test]
fn without_a_roster_there_are_no_such_rules_and_with_one_the_quiet_world_is_quiet() {
    let outcomes = quiet().judge().judgement.outcomes;
    assert!(!outcomes.iter().any(|one| RULES.contains(&one.rule.as_str()) || one.rule == *"unreliable-roster"));
    let judged = employed().judge();
    for rule in RULES.iter().chain(&["unreliable-roster"]) {
        assert_eq!(judged.result(rule), &RuleResult::Passed, "{rule}");
    }
    let roster = judged.judgement.roster.unwrap();
    assert_eq!(
        (roster.users, roster.matched, roster.sources[0].current, roster.sources[0].kept),
        (10, 10, 10, Some(10))
    );
    let mut world = employed();
    world.policy.rules.clear();
    let outcomes = world.judge().judgement.outcomes;
    assert!(!outcomes.iter().any(|one| one.rule == *"joiner-without-account"), "it is off unless the policy names it");
}

#[test]
fn a_roster_that_is_not_kept_with_an_audit_is_no_finding_and_nobody_is_a_leaver() {
    let mut world = employed();
    world.roster = None;
    world.lacking.roster = true;
    world.policy.rules.insert("joiner-without-account".into(), RuleSetting::Severity(Severity::Low));
    let judged = world.judge();
    let expected = RuleResult::NotEvaluated("the roster is not kept with this audit".into());
    for rule in RULES.into_iter().chain(["unreliable-roster"]) {
        assert_eq!(judged.result(rule), &expected, "{rule}");
    }
}

#[test]
fn another_address_of_a_person_stands_for_the_first_one_if_the_roster_can_be_relied_on() {
    let mut world = employed();
    row(&mut world, 3).addresses.insert(0, "Ana@Example.com".into());
    let aliases = |world: &World| world.judge().judgement.roster.unwrap().aliases;
    let expected = [("user3@example.com".to_owned(), "ana@example.com".to_owned())];
    assert_eq!(aliases(&world), expected.into());
    world.roster.as_mut().unwrap().sources[0].problem = Some("the server refuses the token".into());
    assert!(aliases(&world).is_empty());
}

#[test]
fn a_person_who_has_left_is_a_leaver_from_the_day_after_the_last_one() {
    for (end, expected) in [("2026-10-04", 1), ("2026-10-05", 0), ("2026-12-31", 0)] {
        let mut world = employed();
        row(&mut world, 3).end = Some(end.parse().unwrap());
        let judged = world.judge();
        assert_eq!(judged.of("leaver-active").count(), expected, "{end}");
    }
    let mut world = employed();
    let one = row(&mut world, 2);
    (one.meaning, one.status, one.end) = (Meaning::Left, "Terminated".into(), Some("2026-09-30".parse().unwrap()));
    let judged = world.judge();
    assert_eq!(
        judged.messages("leaver-active"),
        [
            "“User Number2” left on 2026-09-30 (5 days ago), and this account is still active and has full power through the profile “Administrator”; disable or delete it."
        ]
    );
    assert_eq!(judged.of("leaver-active").next().unwrap().severity, Severity::Critical);
    // Disabled, the account is no finding; declared, it is still one.
    world.person(2).status = "disabled".into();
    assert_eq!(world.judge().of("leaver-active").count(), 0);
    world.person(2).status = "active".into();
    world.policy.accounts = vec![declared("user2@example.com")];
    assert_eq!(world.judge().subjects("leaver-active"), ["user 2"]);
}

fn declared(subject: &str) -> Account {
    Account {
        subject: subject.into(),
        kind: AccountKind::Service,
        owner: "ana@example.com".into(),
        reason: "writes leads".into(),
        until: now().date_naive() + TimeDelta::days(30),
        workspace: None,
    }
}

#[test]
fn an_address_that_nobody_has_is_a_finding_and_a_name_only_a_hint() {
    let mut world = employed();
    row(&mut world, 3).addresses = vec!["u3.private@example.org".into()];
    let judged = world.judge();
    assert_eq!(judged.subjects("not-on-roster"), ["user 3"]);
    assert!(
        judged.messages("not-on-roster")[0]
            .contains("“User Number3” has another address there (u3.private@example.org)")
    );
    world.policy.accounts = vec![declared("user3@example.com")];
    assert_eq!(world.judge().of("not-on-roster").count(), 0);
    world.policy.accounts.clear();
    world.person(3).email = None;
    let judged = world.judge();
    assert_eq!(judged.of("not-on-roster").count(), 0);
    assert_eq!(judged.not_evaluated("not-on-roster"), "1 user has no e-mail address");
}

#[test]
fn two_people_of_one_address_are_neither_matched_nor_passed_over() {
    let mut world = employed();
    let mut other = record(3);
    (other.name, other.start) = ("Somebody Else".into(), Some("2026-09-01".parse().unwrap()));
    world.roster.as_mut().unwrap().records.push(other);
    let one = row(&mut world, 3);
    (one.meaning, one.end) = (Meaning::Left, Some("2026-08-31".parse().unwrap()));
    let judged = world.judge();
    assert_eq!(judged.subjects("ambiguous-roster-match"), ["user 3"]);
    let message = judged.messages("ambiguous-roster-match")[0];
    assert!(message.contains("“Somebody Else” (works here)") && message.contains("left on 2026-08-31"), "{message}");
    assert!(message.contains("before “Somebody Else” started on 2026-09-01"), "{message}");
    assert_eq!((judged.of("leaver-active").count(), judged.of("not-on-roster").count()), (0, 0));
}

#[test]
fn access_is_expected_by_department_and_title() {
    let mut world = employed();
    row(&mut world, 3).department = "Support".into();
    world.policy.expected_access.push(ExpectedAccess {
        department: Some("Support".into()),
        title: Some("/agent|lead/".into()),
        profiles: Some(vec!["Helpdesk".into()]),
        roles: Some(Vec::new()),
    });
    let judged = world.judge();
    assert_eq!(
        judged.not_evaluated("unexpected-access"),
        "1 user has a department and job title that no entry of expected_access names"
    );
    row(&mut world, 3).title = "Agent".into();
    assert_eq!(
        world.judge().messages("unexpected-access"),
        [
            "Works in “Support” as “Agent” and has the profile “Standard” (expected: “helpdesk”), and the role “Level 1” (expected: none); change it, or add it to expected_access."
        ]
    );
    world.policy.expected_access.push(ExpectedAccess {
        title: Some("agent".into()),
        profiles: Some(vec!["standard".into()]),
        roles: Some(vec!["level ?".into()]),
        ..ExpectedAccess::default()
    });
    assert_eq!(world.judge().of("unexpected-access").count(), 0, "what any entry allows is expected");
}

#[test]
fn a_manager_who_has_left_is_said_and_one_without_an_address_is_not_guessed() {
    let mut world = employed();
    world.roster.as_mut().unwrap().records.push(Record {
        department: Word::default(),
        manager: Word::default(),
        ..record(77)
    });
    let gone = row(&mut world, 77);
    (gone.meaning, gone.end) = (Meaning::Left, Some("2026-09-30".parse().unwrap()));
    row(&mut world, 3).manager = "user77@example.com".into();
    row(&mut world, 4).manager = "Number77, User".into();
    let judged = world.judge();
    assert_eq!(judged.subjects("manager-left"), ["user 3"]);
    assert_eq!(judged.not_evaluated("manager-left"), "1 user has a manager who is named without an address");
}

#[test]
fn a_joiner_is_somebody_who_started_within_thirty_days() {
    let mut world = employed();
    for (number, start) in [(81, "2026-10-05"), (82, "2026-09-05"), (83, "2026-09-04"), (84, "2026-10-06")] {
        world.roster.as_mut().unwrap().records.push(Record { start: Some(start.parse().unwrap()), ..record(number) });
    }
    assert_eq!(
        world.judge().messages("joiner-without-account"),
        [
            "No account belongs to “User Number81” (since 2026-10-05) and “User Number82” (since 2026-09-05); create one if they need it."
        ]
    );
}

#[test]
fn a_roster_that_cannot_be_relied_on_makes_no_leavers() {
    type Spoil = fn(&mut World);
    let spoiled: [(Spoil, &str); 9] = [
        (|world| world.roster = None, "was not read"),
        (|world| world.roster.as_mut().unwrap().sources.clear(), "The roster “hr” was not read"),
        (
            |world| world.roster.as_mut().unwrap().sources[0].problem = Some("no such file".into()),
            "The roster “hr” cannot be read: no such file.",
        ),
        (|world| world.roster.as_mut().unwrap().records.clear(), "The roster “hr” is empty."),
        (
            |world| world.roster.as_mut().unwrap().records.iter_mut().for_each(|one| one.meaning = Meaning::Left),
            "Nobody in the roster “hr” works here",
        ),
        (
            |world| world.roster.as_mut().unwrap().sources[0].as_of = Some(now() - TimeDelta::days(32)),
            "is 32 days old; at most 31 are allowed",
        ),
        (
            |world| world.roster.as_mut().unwrap().records.iter_mut().for_each(|one| one.addresses.clear()),
            "None of the 10 users of this workspace is in the roster",
        ),
        (
            |world| {
                world.previous = Some(super::accounts::previous());
                world.previous.as_mut().unwrap().rosters.insert("hr".into(), 13);
            },
            "has 9 people who work here, and had 13 at the last audit",
        ),
        (
            |world| {
                world.policy.roster.push("contractors".into());
                let mut broken = source("contractors", now());
                broken.problem = Some("HTTP 500".into());
                world.roster.as_mut().unwrap().sources.push(broken);
            },
            "The roster “contractors” cannot be read: HTTP 500.",
        ),
    ];
    for (spoil, said) in spoiled {
        let mut world = employed();
        row(&mut world, 3).meaning = Meaning::Left;
        spoil(&mut world);
        let judged = world.judge();
        assert!(
            judged.messages("unreliable-roster")[0].contains(said),
            "{said}: {:?}",
            judged.messages("unreliable-roster")
        );
        for rule in RULES {
            assert_eq!(judged.of(rule).count(), 0, "{rule}: {said}");
            assert!(judged.not_evaluated(rule).contains("see unreliable-roster"), "{rule}: {said}");
        }
        let kept = judged.judgement.roster.and_then(|roster| roster.sources.first().and_then(|one| one.kept));
        assert_eq!(kept, world.previous.map(|_| 13), "what was not relied on is nothing to compare with");
    }
    let mut world = employed();
    world.previous = Some(super::accounts::previous());
    world.previous.as_mut().unwrap().rosters.insert("hr".into(), 12);
    assert_eq!(world.judge().result("unreliable-roster"), &RuleResult::Passed, "17 percent less are allowed");
}

#[test]
fn a_user_more_is_a_finding_more_and_nothing_else() {
    let mut world = employed();
    let before = world.judge().judgement.findings.len();
    world.people.push(person(99, ADMINISTRATOR));
    let judged = world.judge();
    assert_eq!(judged.subjects("not-on-roster"), ["user 99"]);
    world.people.pop();
    assert_eq!(world.judge().judgement.findings.len(), before);
}
