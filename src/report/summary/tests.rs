use super::*;
use crate::{
    model::{
        change::Change,
        reading::{Check, CheckKind, CheckOutcome},
    },
    report::testing,
};

fn of(audit: &Audit) -> Headline {
    headline(audit, &AccessMatrix::new(&audit.directory, &audit.administrator_profiles))
}

#[test]
fn an_incomplete_audit_says_so_first_and_never_that_nothing_was_found() {
    let mut audit = testing::hostile();
    audit.findings.clear();
    audit.outcomes.clear();
    let detail = "page 2 held 3 users where it said 200".to_owned();
    audit.directory.reading.checks = vec![Check {
        kind: CheckKind::PageLength,
        outcome: CheckOutcome::Disagreed { detail },
        figures: String::new(),
    }];
    let headline = of(&audit);
    assert_eq!(headline.state, State::Incomplete);
    assert!(headline.verdict.starts_with("Incomplete: "), "{}", headline.verdict);
    assert!(headline.verdict.contains("page 2 held 3 users"), "{}", headline.verdict);
    assert!(headline.subject_result.starts_with("INCOMPLETE"), "{}", headline.subject_result);
    for text in [&headline.verdict, &headline.subject_result] {
        assert!(!text.to_lowercase().contains("no finding"), "{text}");
    }
}

#[test]
fn the_words_of_a_hostile_world() {
    insta::assert_debug_snapshot!(of(&testing::hostile()));
}

#[test]
fn a_quiet_workspace_reads_as_one() {
    let audit = testing::quiet();
    let headline = of(&audit);
    assert_eq!(headline.state, State::Clear);
    assert_eq!(headline.verdict, "1 of 1 active user can administer acme. No finding above info is open.");
    assert_eq!(headline.subject_result, "no finding above info, 1 administrator");
    assert!(headline.actions.is_empty());
}

#[test]
fn changes_read_as_sentences() {
    let change = |kind, subject: &str, before: &str, after: &str| {
        let (subject, before, after) = (subject.to_owned(), before.to_owned(), after.to_owned());
        change_sentence(&Change {
            kind,
            subject_type: "user",
            subject_id: "1".into(),
            subject,
            field: "",
            before,
            after,
        })
    };
    let said = [
        change(ChangeKind::AdministratorGranted, "Dana Reyes", "Standard", "Administrator"),
        change(ChangeKind::AdministratorGranted, "Dana Reyes", "", "Administrator"),
        change(ChangeKind::AdministratorGranted, "Dana Reyes", "Standard", "Superuser"),
        change(ChangeKind::AdministratorRevoked, "Dana Reyes", "Administrator", "Standard"),
        change(ChangeKind::PermissionAdded, "Standard", "", "Export"),
        change(ChangeKind::PermissionRemoved, "Standard", "Export", ""),
        change(ChangeKind::UserAdded, "Ola Berg", "", ""),
        change(ChangeKind::UserRemoved, "Ola Berg", "active", "deleted"),
        change(ChangeKind::RoleChanged, "Ola Berg", "Sales", "Head of Sales"),
        change(ChangeKind::RoleMoved, "Sales", "CEO", "COO"),
        change(ChangeKind::ProfileRenamed, "Clerk", "Clerk", "Agent"),
        change(ChangeKind::PrimaryUserChanged, "Example Ltd", "Ola Berg", "Dana Reyes"),
        change(ChangeKind::FindingNew, "Ola Berg", "", "no-role"),
    ];
    insta::assert_debug_snapshot!(said);
}

#[test]
fn an_action_names_new_subjects_first_and_namesakes_once() {
    let user = |id, name| crate::model::users::NewUser { id, full_name: Some(name), zuid: None, ..testing::ANA };
    let mut audit = testing::audit(&[user("1", "Ana"), user("2", "Ana"), user("3", "Ola"), user("4", "Eve")]);
    audit.findings = (0..4).map(|place| testing::finding("no-role", Severity::Low, place)).collect();
    let whom = |audit: &Audit| of(audit).actions[0].whom();
    assert_eq!(whom(&audit), "Ana (twice), Ola and 1 more");
    audit.findings[3].continuing = Some(false);
    assert_eq!(whom(&audit), "Eve, Ana (twice) and 1 more");
}
