use chrono::TimeDelta;

use super::*;
use crate::model::{
    directory::{Permissions, Profile, Role, Source},
    id::{ProfileId, RoleId, UserId},
    kind::ConnectorKind,
    survey::Grant,
};

fn survey() -> Survey {
    let grant = |name: &str, purpose, state| Grant { name: name.to_owned(), purpose, state };
    Survey {
        source: Source {
            connector: ConnectorKind::ZohoBigin,
            api_url: "https://www.example.com".to_owned(),
            data_center: Some("eu".to_owned()),
            scopes: None,
        },
        organization: Some(Organization {
            id: Some("5".to_owned()),
            company_name: Some("Example, Inc.".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            ..Organization::default()
        }),
        current_user: Some(UserRecord {
            id: UserId::from("1"),
            full_name: Some("Ada".to_owned()),
            email: Some("ada@example.com".to_owned()),
            status: Some("active".to_owned()),
            confirmed: Some(true),
            zuid: None,
            role: Some(RoleId::from("10")),
            profile: Some(ProfileId::from("20")),
        }),
        roles: Some(vec![Role {
            id: RoleId::from("10"),
            name: "CEO".to_owned(),
            reporting_to: None,
            admin_user: None,
            share_with_peers: None,
            description: None,
        }]),
        profiles: Some(vec![Profile {
            id: ProfileId::from("20"),
            name: "Administrator".to_owned(),
            custom: None,
            description: None,
            modified: None,
            permissions: Permissions::Unknown("not asked".to_owned()),
        }]),
        grants: vec![
            grant("users.READ", Purpose::Audit, GrantState::Granted),
            grant("users.DELETE", Purpose::Offboarding, GrantState::Lacking("no deletion".to_owned())),
            grant("modules.READ", Purpose::Nothing, GrantState::Lacking("no modules".to_owned())),
        ],
        clock_ahead: Some(TimeDelta::zero()),
        credits_left: Some(5_000),
        obstacles: Vec::new(),
    }
}

/// How a check ended after a change.
fn judged(change: impl FnOnce(&mut Survey, &mut Settings), name: &str) -> (bool, CheckResult, String) {
    let (mut survey, mut settings) = (survey(), Settings::default());
    change(&mut survey, &mut settings);
    let found = judge(&Question {
        workspace: "acme",
        survey: &survey,
        policy: &settings.policy,
        allow_offboarding: settings.allow_offboarding,
        organization: settings.organization,
        expectations: &settings.expectations,
    });
    let check = found.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{found:?}"));
    (found.ready, check.outcome, check.detail.clone())
}

#[derive(Default)]
struct Settings {
    policy: Policy,
    allow_offboarding: bool,
    organization: Option<&'static str>,
    expectations: Vec<Expectation>,
}

#[test]
fn a_workspace_without_problems_is_ready() {
    let (survey, policy) = (survey(), Policy::default());
    let expectations = expectation::parse(
        "org=example, inc., administrator=true, role=ceo, profile=20, user=ADA@example.com, time_zone=Europe/Berlin, data_center=eu",
    )
    .unwrap();
    let found = judge(&Question {
        workspace: "acme",
        survey: &survey,
        policy: &policy,
        allow_offboarding: false,
        organization: Some("5"),
        expectations: &expectations,
    });
    assert!(found.ready, "{:?}", found.checks);
    assert!(found.checks.iter().all(|check| check.outcome == CheckResult::Passed), "{:?}", found.checks);
    let user = found.facts.user.unwrap();
    assert_eq!((user.role_name.as_deref(), user.profile_name.as_deref()), (Some("CEO"), Some("Administrator")));
    assert_eq!(found.facts.administrator, Some(true));
}

#[test]
fn an_obstacle_fails_and_anything_else_warns() {
    use CheckResult::{Failed, Passed, Warning};
    type Change = fn(&mut Survey, &mut Settings);
    let cases: [(Change, &str, CheckResult, &str); 20] = [
        (|s, _| s.grants[0].state = GrantState::Lacking("no users".into()), "reach", Failed, "no users"),
        (|s, _| s.grants[0].state = GrantState::Unknown("no answer".into()), "reach", Failed, "no answer"),
        (|s, _| s.grants[2].state = GrantState::Granted, "least privilege", Warning, "modules.READ"),
        (|s, _| s.grants[1].state = GrantState::Granted, "least privilege", Warning, "users.DELETE"),
        (
            |s, c| (s.grants[1].state, c.allow_offboarding) = (GrantState::Granted, true),
            "least privilege",
            Passed,
            "no unneeded",
        ),
        (
            |s, _| s.grants[2].state = GrantState::Unknown("untold".into()),
            "least privilege",
            Warning,
            "modules.READ (untold)",
        ),
        (
            |s, _| {
                s.grants[2].state = GrantState::Unknown("untold".into());
                s.grants[1].state = GrantState::Granted;
            },
            "least privilege",
            Warning,
            "users.DELETE; create credentials with only the permissions that rolecall needs; others cannot be determined: modules.READ",
        ),
        (|_, c| c.allow_offboarding = true, "offboarding", Warning, "no deletion"),
        (|s, _| s.current_user = None, "account", Failed, "does not say whose"),
        (|s, _| s.current_user.as_mut().unwrap().confirmed = Some(false), "account", Warning, "invitation"),
        (|s, _| s.current_user.as_mut().unwrap().status = Some("disabled".into()), "account", Warning, "not active"),
        (|s, _| s.current_user.as_mut().unwrap().status = None, "account", Warning, "unknown status"),
        (|s, _| s.organization = None, "organization", Failed, "does not say which"),
        (|_, c| c.organization = Some("Other"), "organization", Failed, "not to Other"),
        (|s, _| s.profiles = Some(Vec::new()), "administrator profiles", Failed, "Administrator"),
        (|s, _| s.profiles = None, "administrator profiles", Failed, "cannot be read"),
        (|s, _| s.obstacles.push("needs_reauth".into()), "obstacle", Failed, "needs_reauth"),
        (|s, _| s.clock_ahead = Some(TimeDelta::seconds(-61)), "clock", Warning, "61 s ahead of the server"),
        (|s, _| s.clock_ahead = Some(TimeDelta::seconds(301)), "clock", Failed, "301 s behind the server"),
        (|s, _| s.credits_left = Some(999), "credits", Warning, "999"),
    ];
    for (number, (change, name, expected, word)) in cases.into_iter().enumerate() {
        let (ready, outcome, detail) = judged(change, name);
        assert_eq!((outcome, ready), (expected, expected != Failed), "case {number}: {name}: {detail}");
        assert!(detail.contains(word), "case {number}: {name}: {detail}");
    }
}

#[test]
fn an_expectation_that_is_not_met_or_unknown_fails() {
    for (text, word) in [
        ("org=Other", "expected Other, found Example, Inc. or 5"),
        ("administrator=false", "expected false, found true"),
        ("country=DE", "the API does not return it"),
        ("licence=premium", "the API does not return it"),
    ] {
        let expectations = expectation::parse(text).unwrap();
        let name = format!("expect {}", expectations[0].name());
        let (ready, outcome, detail) = judged(|_, settings| settings.expectations = expectations, &name);
        assert_eq!((ready, outcome), (false, CheckResult::Failed), "{text}");
        assert!(detail.contains(word), "{text}: {detail}");
    }
}
