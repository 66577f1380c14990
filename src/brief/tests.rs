mod actors;
mod renderings;

use super::*;
use crate::{
    model::{
        change::{Change, ChangeKind},
        finding::{FindingStatus, RuleOutcome, RuleResult, Subject},
        reading::{Check, CheckKind, CheckOutcome},
    },
    report::testing,
};

fn of(audit: &Audit) -> Brief {
    Brief::of(audit, &AccessMatrix::of(audit))
}

/// Makes the read of an audit incomplete.
fn make_incomplete(audit: &mut Audit, detail: &str) {
    audit.directory.reading.checks = vec![Check {
        kind: CheckKind::PageLength,
        outcome: CheckOutcome::Disagreed { detail: detail.to_owned() },
        figures: String::new(),
    }];
}

#[test]
fn an_incomplete_audit_says_so_first_and_never_that_nothing_was_found() {
    let mut audit = testing::hostile();
    audit.findings.clear();
    audit.outcomes.clear();
    make_incomplete(&mut audit, "page 2 held 3 users where it said 200");
    let brief = of(&audit);
    assert_eq!(brief.state, State::Incomplete);
    assert!(brief.verdict.starts_with("The user list of acme could not be read completely"), "{}", brief.verdict);
    assert!(brief.verdict.contains("page 2 held 3 users"), "{}", brief.verdict);
    assert!(brief.headline.ends_with("findings unknown"), "{}", brief.headline);
    assert_eq!(brief.nothing_to_do(), "Run the audit again, until the read is complete.");
    for text in [&brief.verdict, &brief.headline] {
        assert!(!text.to_lowercase().contains("no finding"), "{text}");
    }
}

#[test]
fn the_brief_of_a_hostile_world() {
    insta::assert_debug_snapshot!(of(&testing::hostile()));
}

#[test]
fn a_quiet_workspace_reads_as_one() {
    let audit = testing::quiet();
    let brief = of(&audit);
    assert_eq!((brief.state, brief.tone), (State::Clear, Tone::Good));
    assert_eq!(brief.verdict, "1 of 1 active user can administer acme. No finding above info is open.");
    assert_eq!(brief.headline, "first audit, 1 administrator, no open findings");
    assert_eq!(brief.counts.population, "1 in total: 1 active");
    assert!(brief.actions.is_empty());
}

#[test]
fn an_audit_with_rules_switched_off_or_not_evaluated_says_so_and_is_not_green() {
    let mut audit = testing::quiet();
    audit.outcomes.push(RuleOutcome { rule: "no-role".into(), result: RuleResult::SwitchedOff });
    let brief = of(&audit);
    assert_eq!((brief.state, brief.tone), (State::Clear, Tone::Neutral));
    assert!(brief.verdict.ends_with("1 of 2 rules is switched off by the policy."), "{}", brief.verdict);
    assert!(brief.headline.ends_with(", 1 rule off"), "{}", brief.headline);
    audit.outcomes[1].result = RuleResult::NotEvaluated("the API returned no roles".to_owned());
    let brief = of(&audit);
    assert_eq!((brief.state, brief.tone), (State::Clear, Tone::Neutral));
    assert!(brief.verdict.ends_with("1 rule could not be evaluated in full."), "{}", brief.verdict);
}

#[test]
fn a_new_administrator_is_named_in_the_verdict() {
    let mut audit = testing::hostile();
    audit.drift.changes[0].kind = ChangeKind::AdministratorGranted;
    let verdict = of(&audit).verdict;
    assert!(verdict.contains("Since the previous audit, “invited@example.com” became an administrator."), "{verdict}");
}

#[test]
fn administrators_who_came_and_went_are_counted_apart() {
    let changed = |gained, lost| counts::Changed { gained, lost }.phrase();
    assert_eq!([changed(0, 0), changed(5, 5), changed(1, 0), changed(0, 2)], ["unchanged", "+5 −5", "+1", "−2"]);
}

#[test]
fn headlines_tell_the_result_and_the_change() {
    let mut audit = testing::hostile();
    assert_eq!(
        of(&audit).headline,
        "+1 administrator, 2 findings new, 1 other change (open: 1 critical, 1 high), 1 rule off"
    );
    audit.drift.changes.clear();
    audit.findings.retain(|finding| finding.continuing == Some(true));
    assert_eq!(of(&audit).headline, "no change, 1 finding open (1 high), 1 rule off");
    audit.findings.clear();
    assert_eq!(of(&audit).headline, "no change, no open findings, 1 rule off");
}

#[test]
fn accepted_findings_are_counted_apart() {
    let mut audit = testing::quiet();
    audit.findings = vec![testing::finding("no-role", Severity::High, 0)];
    assert_eq!(of(&audit).counts.findings(), "1 open (1 high)");
    audit.findings[0].status = FindingStatus::Excepted(0);
    let brief = of(&audit);
    assert_eq!(brief.counts.findings(), "none open, 1 accepted (by exception)");
    assert_eq!(brief.state, State::Clear);
    assert!(brief.verdict.contains("1 finding is accepted by an exception."), "{}", brief.verdict);
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
    let subjects = |audit: &Audit| of(audit).actions[0].subjects.clone();
    assert_eq!(subjects(&audit), "Ana (twice), Ola and 1 more");
    audit.findings[3].continuing = Some(false);
    assert_eq!(subjects(&audit), "Eve, Ana (twice) and 1 more");
    assert_eq!(of(&audit).actions[0].news(), "1 new");
}

#[test]
fn one_rule_is_one_action_by_its_highest_severity() {
    let mut audit = testing::audit(&[testing::ANA]);
    audit.findings = vec![
        testing::finding("role-cycle", Severity::High, 0),
        testing::finding("no-role", Severity::Critical, 0),
        testing::finding("role-cycle", Severity::Low, 0),
        testing::finding("administrator", Severity::Info, 0),
    ];
    audit.findings[2].subject = Subject::Workspace;
    let actions = of(&audit).actions;
    let said: Vec<_> =
        actions.iter().map(|action| (action.rule.as_str(), action.by().to_string(), action.open)).collect();
    assert_eq!(said, [("no-role", "Now (critical)".to_owned(), 1), ("role-cycle", "This week (high)".to_owned(), 2)]);
}
