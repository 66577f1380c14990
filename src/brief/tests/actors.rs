//! Nobody is asked to resolve a finding about themselves.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::model::{
    finding::Finding,
    id::{ProfileId, RoleId},
    users::{NewUser, UserIndex},
};

fn user<'a>(id: &'a str, name: &'a str, email: &'a str) -> NewUser<'a> {
    NewUser { id, full_name: Some(name), email: Some(email), zuid: None, ..testing::ANA }
}

fn three() -> Audit {
    testing::audit(&[
        user("1", "Ana", "ana@example.com"),
        user("2", "Ben", "ben@example.com"),
        user("3", "Cleo", "cleo@example.com"),
    ])
}

fn who(audit: &Audit) -> String {
    of(audit).actions[0].who.to_string()
}

#[test]
fn a_finding_about_an_administrator_is_for_the_others() {
    let mut audit = three();
    audit.findings = vec![testing::finding("no-role", Severity::Medium, 0)];
    assert_eq!(who(&audit), "Ben or Cleo");
    audit.findings.push(testing::finding("no-role", Severity::Medium, 1));
    assert_eq!(who(&audit), "Cleo");
    audit.findings.push(testing::finding("no-role", Severity::Medium, 2));
    assert_eq!(who(&audit), "someone who is not an administrator, such as the security team");
}

#[test]
fn a_finding_about_a_profile_or_role_is_not_for_its_holders() {
    let mut audit = three();
    for subject in [Subject::Profile(ProfileId::from("21")), Subject::Role(RoleId::from("11"))] {
        audit.findings = vec![Finding { subject, ..testing::finding("no-role", Severity::Medium, 0) }];
        assert!(who(&audit).starts_with("someone who is not an administrator"), "{}", who(&audit));
    }
    audit.findings[0].subject = Subject::Profile(ProfileId::from("22"));
    assert_eq!(who(&audit), "Ana, Ben or Cleo");
}

#[test]
fn another_account_of_the_same_person_is_not_asked_either() {
    let mut audit = testing::audit(&[
        NewUser { zuid: Some("7"), ..user("1", "Ana", "ana@example.com") },
        NewUser { zuid: Some("7"), ..user("2", "A. Lima", "lima@example.com") },
        user("3", "Ana L", "ANA@example.com"),
        user("4", "Ana", "ana@example.org"),
        user("5", "Ben", "ben@example.com"),
    ]);
    audit.findings = vec![testing::finding("no-role", Severity::Medium, 0)];
    assert_eq!(who(&audit), "Ben");
}

#[test]
fn administrators_in_a_severe_finding_unapproved_or_new_in_their_power_are_not_asked() {
    let mut audit = three();
    audit.findings = vec![Finding { subject: Subject::Workspace, ..testing::finding("no-role", Severity::Medium, 0) }];
    assert_eq!(who(&audit), "Ana, Ben or Cleo");
    audit.policy.approved_administrators = Some(["ana@example.com".to_owned(), "ben@example.com".to_owned()].into());
    assert_eq!(who(&audit), "Ana or Ben");
    audit.findings.push(testing::finding("role-cycle", Severity::High, 1));
    let actions = of(&audit).actions;
    assert!(actions.iter().all(|action| action.who.to_string() == "Ana"), "{actions:?}");
    audit.drift.changes = vec![Change {
        kind: ChangeKind::AdministratorGranted,
        subject_type: "user",
        subject_id: "1".to_owned(),
        subject: "Ana".to_owned(),
        field: "profile",
        before: String::new(),
        after: String::new(),
    }];
    assert!(who(&audit).starts_with("someone who is not an administrator"), "{}", who(&audit));
}

#[test]
fn an_incomplete_read_is_for_the_operator() {
    let mut audit = three();
    make_incomplete(&mut audit, "page 2 was cut off");
    audit.findings =
        vec![Finding { subject: Subject::Workspace, ..testing::finding("incomplete-read", Severity::Critical, 0) }];
    assert_eq!(who(&audit), "the operator of rolecall");
}

const NAMES: [&str; 5] = ["Ana", "Ben", "Cleo", "Dan", "Eve"];
const RULES: [&str; 4] = ["no-role", "role-cycle", "shared-mailbox", "unapproved-administrator"];

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        6 => (0..8_u32).prop_map(|place| Subject::User(UserIndex(place))),
        1 => Just(Subject::Workspace),
        1 => prop::sample::select(vec!["11", "12"]).prop_map(|id| Subject::Role(RoleId::from(id))),
        1 => prop::sample::select(vec!["21", "22"]).prop_map(|id| Subject::Profile(ProfileId::from(id))),
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    (prop::sample::select(RULES.to_vec()), severity, subject())
        .prop_map(|(rule, severity, subject)| Finding { subject, ..testing::finding(rule, severity, 0) })
}

proptest! {
    #[test]
    fn whoever_is_named_is_nobody_that_the_findings_are_about(
        names in prop::collection::vec((0..5_usize, 0..6_u32, prop::bool::ANY, prop::bool::ANY), 8),
        findings in prop::collection::vec(finding(), 1..20),
    ) {
        let emails: Vec<String> = names.iter().map(|(_, email, ..)| format!("{email}@example.com")).collect();
        let ids: Vec<String> = (1..=8).map(|id| id.to_string()).collect();
        let users: Vec<NewUser<'_>> = (0..8)
            .map(|place| NewUser {
                role: Some((if names[place].2 { "11" } else { "12" }, None)),
                profile: Some((if names[place].3 { "21" } else { "22" }, None)),
                ..user(&ids[place], NAMES[names[place].0], &emails[place])
            })
            .collect();
        let mut audit = testing::audit(&users);
        audit.findings = findings;
        for action in of(&audit).actions {
            let about: Vec<&Subject> = audit
                .findings
                .iter()
                .filter(|finding| finding.rule.as_str() == action.rule && finding.severity > Severity::Info)
                .map(|finding| &finding.subject)
                .collect();
            let is_about = |place: usize| about.iter().any(|subject| match subject {
                Subject::Workspace => false,
                Subject::User(UserIndex(other)) => {
                    let other = *other as usize;
                    other == place || names[other].0 == names[place].0 || emails[other] == emails[place]
                }
                Subject::Role(id) => id.as_str() == if names[place].2 { "11" } else { "12" },
                Subject::Profile(id) => id.as_str() == if names[place].3 { "21" } else { "22" },
            });
            let free: Vec<usize> = (0..8).filter(|place| names[*place].3 && !is_about(*place)).collect();
            if let Who::Administrators { named, all } = action.who {
                prop_assert!(all <= free.len() && !named.is_empty());
                let may: BTreeSet<&str> = free.iter().map(|place| NAMES[names[*place].0]).collect();
                prop_assert!(named.iter().all(|name| may.contains(name.as_str())), "{named:?} {may:?}");
                let subjects: HashSet<&str> = about
                    .iter()
                    .filter_map(|subject| if let Subject::User(UserIndex(at)) = subject { Some(*at as usize) } else { None })
                    .map(|at| NAMES[names[at].0])
                    .collect();
                prop_assert!(named.iter().all(|name| !subjects.contains(name.as_str())));
            }
        }
    }
}
