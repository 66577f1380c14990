mod actors;
mod renderings;

use super::*;
use crate::{
    model::{
        change::{Change, ChangeKind, LastPower},
        directory::{Permissions, Profile},
        finding::{Finding, FindingStatus, RuleOutcome, RuleResult, Subject},
        reading::{Check, CheckKind, CheckOutcome},
        users::{NewUser, UserBlock, UserIndex, Users},
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
fn a_finding_that_a_tightened_policy_looks_for_is_not_said_to_have_happened() {
    let mut audit = testing::hostile();
    let new = of(&audit).counts.new.unwrap();
    assert!(new > 1);
    let found = Change {
        kind: ChangeKind::FindingNew,
        before: Change::NOT_LOOKED_FOR.to_owned(),
        ..audit.drift.changes[0].clone()
    };
    audit.drift.changes.push(found.clone());
    let verdict = of(&audit).verdict;
    let sentence = format!("{new} findings are new since the previous audit");
    assert!(verdict.contains(&format!("{sentence}, 1 of them because the policy looks for more now.")), "{verdict}");
    audit.drift.changes.extend(vec![found; new - 1]);
    let verdict = of(&audit).verdict;
    assert!(verdict.contains(&format!("{sentence}, because the policy looks for more now.")), "{verdict}");
}

#[test]
fn a_new_administrator_is_named_in_the_verdict() {
    let mut audit = testing::hostile();
    audit.drift.changes[0].kind = ChangeKind::AdministratorGranted;
    let verdict = of(&audit).verdict;
    assert!(verdict.starts_with("“invited@example.com” became Administrator since the previous audit. "), "{verdict}");
    let another = Change {
        subject: "Edda".into(),
        kind: ChangeKind::FullPowerGranted,
        field: "role",
        ..audit.drift.changes[0].clone()
    };
    audit.drift.changes.insert(1, Change { after: "CEO".into(), ..another });
    let brief = of(&audit);
    let first = "Since the previous audit: “invited@example.com” became Administrator; “Edda” got full power through role CEO. ";
    assert!(brief.verdict.starts_with(first), "{}", brief.verdict);
    assert!(brief.headline.starts_with("+2 administrators (invited@example.com and 1 more), "), "{}", brief.headline);
    assert_eq!(brief.counts.administrators_changed.unwrap().phrase(), "+2");
}

fn policy_change(kind: ChangeKind, id: &str, before: &str, after: &str) -> Change {
    Change {
        kind,
        subject_type: "policy",
        subject_id: id.to_owned(),
        subject: if kind == ChangeKind::PolicyLoosened { format!("{id} (looser)") } else { id.to_owned() },
        field: ["rules", "approved_administrators", "exceptions", "max_administrators", "off_reasons"]
            .into_iter()
            .find(|key| id.starts_with(key))
            .unwrap(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

#[test]
fn a_looser_policy_is_said_in_verdict_headline_and_changes_and_is_not_green() {
    use ChangeKind::{FindingNotCounted, PolicyChanged, PolicyLoosened};
    let mut audit = testing::quiet();
    audit.drift.previous = testing::hostile().drift.previous;
    audit.policy.max_administrators = 50;
    let off = |rule: &str| policy_change(PolicyLoosened, &format!("rules.{rule}"), "high", "off");
    audit.drift.changes = vec![
        policy_change(PolicyLoosened, "approved_administrators.a@example.com", "", "a@example.com"),
        policy_change(PolicyLoosened, "max_administrators", "5", "50"),
        policy_change(PolicyChanged, "rules.no-profile", "off", "high"),
        Change { kind: FindingNotCounted, subject_type: "finding", ..off("no-role") },
    ];
    let rules = ["administrator-clone", "no-role", "role-cycle", "unknown-role", "unknown-profile"];
    audit.drift.changes.extend(rules.map(off));
    audit.drift.changes.sort_by_key(|change| change.kind);
    let brief = of(&audit);
    assert_eq!((brief.state, brief.tone), (State::Clear, Tone::Neutral));
    let less = "max_administrators is 50 (was 5), a@example.com added to approved_administrators, 5 rules switched off \
                (administrator-clone, no-role, role-cycle and 2 more)";
    assert!(
        brief.verdict.starts_with(&format!("The policy is looser than at the previous audit: {less}. ")),
        "{}",
        brief.verdict
    );
    assert!(
        brief
            .verdict
            .contains("1 finding is no longer counted because the policy changed; nothing of that is resolved.")
    );
    assert!(!brief.verdict.contains("looser than the default"), "the limit is named once: {}", brief.verdict);
    let expected = "policy is looser, 1 no longer counted (policy changed), policy changed, no open findings, 1 setting \
                    looser than default";
    assert_eq!(brief.headline, expected);
    let changes = brief.changes.unwrap();
    let lines: Vec<&str> = changes.lines.iter().map(|line| line.sentence.as_str()).collect();
    assert_eq!(
        lines,
        [format!("The policy is looser: {less}").as_str(), "The policy changed: rule no-profile is high (was off)"]
    );
    assert_eq!((changes.access, changes.not_counted, changes.resolved), (2, 1, 0));
}

#[test]
fn full_power_that_is_not_approved_is_said_until_it_is() {
    let mut audit = testing::quiet();
    audit.drift.previous = testing::hostile().drift.previous;
    audit.drift.undecided = vec![UserIndex(0)];
    let said = "Full power that was new at an earlier audit has not been approved: “Ana Lima”.";
    assert!(of(&audit).verdict.starts_with(said), "{}", of(&audit).verdict);
    audit.findings =
        vec![Finding { status: FindingStatus::Excepted(0), ..testing::finding("new-full-power", Severity::High, 0) }];
    assert!(!of(&audit).verdict.contains("not been approved"), "an exception is an approval");
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
        "+1 administrator (invited@example.com), 2 new findings, 1 other change (open: 1 critical, 1 high), 1 rule off, 1 accepted"
    );
    audit.drift.changes.clear();
    audit.findings.retain(|finding| finding.continuing == Some(true));
    assert_eq!(of(&audit).headline, "no change, 1 finding open (1 high), 1 rule off, 1 accepted");
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

fn change_of(kind: ChangeKind, field: &'static str, [subject, before, after]: [&str; 3]) -> Change {
    Change {
        kind,
        subject_type: "role",
        subject_id: "1".into(),
        subject: subject.into(),
        field,
        before: before.into(),
        after: after.into(),
    }
}

#[test]
fn a_role_with_administrative_power_is_not_a_profile_with_a_permission() {
    let said = |kind, texts| change_sentence(&change_of(kind, "admin_user", texts));
    assert_eq!(
        [
            said(ChangeKind::PermissionAdded, ["Partners", "", "administrative role"]),
            said(ChangeKind::PermissionRemoved, ["Partners", "administrative role", ""]),
        ],
        ["Role Partners became administrative", "Role Partners is not administrative any more"]
    );
}

#[test]
fn users_whose_power_is_not_known_make_the_count_a_minimum_and_the_answer_not_green() {
    let unread = of(&testing::with_unknown_power());
    assert_eq!((unread.tone, unread.counts.power_unread, unread.counts.power_untold), (Tone::Neutral, 1, 0));
    let said =
        "At least 1 of 2 active users can administer acme; of 1 user the status, profile or role could not be read.";
    assert!(unread.verdict.starts_with(said), "{}", unread.verdict);
    let mut audit = testing::with_unknown_power();
    let mut block = UserBlock::default();
    let ben =
        NewUser { id: "5000000000002", full_name: Some("Ben"), profile: Some(("26", Some("Sales"))), ..testing::ANA };
    let ben = NewUser { role: Some(("12", Some("Sales"))), ..ben };
    for user in [testing::ANA, ben] {
        block.push(&user).unwrap();
    }
    audit.directory.users = Users::from_blocks(vec![block]).0;
    let sales = Profile { id: "26".into(), name: "Sales".into(), ..audit.directory.profiles[0].clone() };
    let permissions = Permissions::Unknown("403".to_owned());
    audit.directory.profiles = vec![audit.directory.profiles[0].clone(), Profile { permissions, ..sales }];
    let untold = of(&audit);
    assert_eq!((untold.tone, untold.counts.power_unread, untold.counts.power_untold), (Tone::Neutral, 0, 1));
    let said = "At least 1 of 2 active users can administer acme; of 1 user the API does not tell whether the profile or \
                role permits it.";
    assert!(untold.verdict.starts_with(said), "{}", untold.verdict);
    // The API no longer says of any role whether it is administrative.
    let mut silent = testing::quiet();
    let user = NewUser { profile: Some(("26", Some("Sales"))), ..testing::ANA };
    let mut block = UserBlock::default();
    block.push(&user).unwrap();
    silent.directory.users = Users::from_blocks(vec![block]).0;
    silent.directory.roles.iter_mut().for_each(|role| role.admin_user = None);
    silent.directory.profiles.push(Profile {
        id: "26".into(),
        permissions: Permissions::Known(vec![]),
        ..audit.directory.profiles[1].clone()
    });
    let known = of(&silent).counts.power_unknown();
    silent.drift.untold.users = vec![(UserIndex(0), LastPower::Full)];
    assert_eq!((known + 1, of(&silent).counts.at_least()), (of(&silent).counts.power_unknown(), "at least "));
}

#[test]
fn administrators_who_were_not_known_before_are_not_called_new() {
    let mut audit = testing::quiet();
    assert!(!of(&audit).verdict.contains("now known"));
    audit.drift.newly_known = 1;
    let said = "1 of them is now known and may not be new: at the previous audit, the API did not say whether this user \
                could administer.";
    assert!(of(&audit).verdict.contains(said), "{}", of(&audit).verdict);
    audit.drift.newly_known = 2;
    assert!(of(&audit).verdict.contains("2 of them are now known and may not be new"), "{}", of(&audit).verdict);
}

#[test]
fn a_new_primary_user_is_named_in_the_verdict_and_the_headline() {
    let mut audit = testing::hostile();
    let before = of(&audit);
    audit.drift.changes = vec![change_of(ChangeKind::PrimaryUserChanged, "primary_user", ["acme", "ana@", "ben@"])];
    let brief = of(&audit);
    let said = "ben@ is now the primary user, the super admin (was ana@).";
    assert!(brief.verdict.starts_with(said) && !before.verdict.contains("primary user,"), "{}", brief.verdict);
    assert!(brief.headline.starts_with("new primary user, "), "{}", brief.headline);
    assert!(brief.changes.unwrap().lines[0].important);
}

#[test]
fn a_new_name_follows_the_old_one() {
    let said = |texts| change_sentence(&change_of(ChangeKind::NameChanged, "full_name", texts));
    assert_eq!(
        [
            said(["@SUM(1)", "Quill Birch", "@SUM(1)"]),
            said(["@SUM(1)", "", "@SUM(1)"]),
            said(["q@example.com", "Quill Birch", ""]),
        ],
        [
            "Quill Birch is now called @SUM(1)",
            "@SUM(1) has a name now",
            "q@example.com has no name any more (was Quill Birch)"
        ]
    );
}

#[test]
fn findings_whose_exception_is_gone_are_open_again() {
    let mut audit = testing::quiet();
    audit.drift.previous = testing::hostile().drift.previous;
    audit.findings = vec![Finding { continuing: Some(true), ..testing::finding("no-role", Severity::High, 0) }];
    audit.drift.changes = vec![change_of(ChangeKind::FindingNew, "", ["no-role: Ana Lima", "excepted", "has none"])];
    let brief = of(&audit);
    assert_eq!(brief.headline, "1 finding open again, 1 finding open (1 high)");
    let verdict =
        "No finding is new since the previous audit. 1 finding is open again: no exception accepts it any more.";
    assert!(brief.verdict.contains(verdict), "{}", brief.verdict);
    let changes = brief.changes.unwrap();
    assert!(changes.summary().ends_with(": 1 finding open again."), "{}", changes.summary());
    assert_eq!((changes.reopened, changes.new_findings, changes.is_none()), (1, 0, false));
    assert_eq!(change_sentence(&audit.drift.changes[0]), "Open again: no-role: Ana Lima (has none)");
}

#[test]
fn entries_of_one_list_are_said_together() {
    let mut audit = testing::quiet();
    let all = std::mem::take(&mut audit.policy.shared_mailboxes);
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    audit.policy.shared_mailboxes.extend(all.last().cloned());
    let brief = of(&audit);
    let said = format!(
        "The policy is looser than the default: {} entries removed from shared_mailboxes ({} and {} more).",
        all.len() - 1,
        names[..3].join(", "),
        all.len() - 4
    );
    assert!(brief.verdict.contains(&said), "{}", brief.verdict);
    assert!(brief.headline.ends_with(", 1 setting looser than default"), "{}", brief.headline);
}

#[test]
fn the_reason_of_a_rule_that_stays_off_is_said_of_the_rule() {
    let said = |before, after| {
        let change = policy_change(ChangeKind::PolicyChanged, "off_reasons.no-role", before, after);
        change_sentence(&change)
    };
    assert_eq!(
        said("", "kept for partners"),
        "Policy: rule no-role, which is off, has a reason now: “kept for partners”"
    );
    assert_eq!(said("a", ""), "Policy: rule no-role, which is off, has no reason any more (was “a”)");
    assert_eq!(said("a", "b"), "Policy: rule no-role is off for another reason: “b” (was “a”)");
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
