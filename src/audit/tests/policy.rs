//! Severities, switched-off rules, exceptions, and the rules about the policy itself.

use chrono::{Days, NaiveDate};

use crate::{
    audit::testing::{STANDARD, World, now, profile, quiet},
    model::{
        finding::{FindingStatus, RuleResult, Severity},
        policy::{Exception, RuleSetting},
    },
};

fn today() -> NaiveDate {
    now().date_naive()
}

fn exception(rule: &str, subject: &str) -> Exception {
    Exception {
        rule: rule.into(),
        subject: subject.into(),
        workspace: None,
        approved_by: "security@example.com".into(),
        reason: "known".into(),
        until: today(),
        ..Exception::default()
    }
}

/// A world in which user 3 has no role, and one exception.
fn accepted(exception: Exception) -> World {
    let mut world = quiet();
    world.person(3).role = None;
    world.policy.exceptions = vec![exception];
    world
}

#[test]
fn a_rule_that_is_switched_off_says_so_and_finds_nothing() {
    let mut world = accepted(exception("no-role", "3"));
    world.policy.rules.insert("no-role".into(), RuleSetting::Off);
    let judged = world.judge();
    assert_eq!(judged.result("no-role"), &RuleResult::SwitchedOff);
    assert_eq!(judged.subjects("no-role").len(), 0);
    assert_eq!(judged.subjects("unmatched-exception").len(), 0, "what it would match is not known");
}

#[test]
fn a_policys_severity_stands_above_the_rules_own_and_orders_the_findings() {
    let mut world = quiet();
    world.person(3).role = None;
    world.policy.rules.insert("no-role".into(), RuleSetting::Severity(Severity::Critical));
    world.policy.rules.insert("administrator".into(), RuleSetting::Severity(Severity::High));
    let judged = world.judge();
    let order: Vec<_> = judged.judgement.findings.iter().map(|one| (&*one.rule, one.severity)).collect();
    let administrator = ("administrator", Severity::High);
    assert_eq!(order, [("no-role", Severity::Critical), administrator, administrator]);
}

#[test]
fn an_exception_by_id_or_address_accepts_through_its_last_day() {
    for subject in ["3", "User3@Example.com "] {
        let judged = accepted(exception("no-role", subject)).judge();
        assert_eq!(judged.of("no-role").next().unwrap().status, FindingStatus::Excepted(0), "{subject}");
        let expected = RuleResult::Failed { open: 0, excepted: 1, not_evaluated: String::new() };
        assert_eq!(judged.result("no-role"), &expected);
        assert_eq!(judged.subjects("unmatched-exception").len(), 0);
    }
}

#[test]
fn an_expired_exception_no_longer_counts_and_is_a_finding() {
    let mut expired = exception("no-role", "3");
    expired.until = today() - Days::new(1);
    let judged = accepted(expired).judge();
    assert!(judged.of("no-role").next().unwrap().is_open());
    assert!(
        judged.messages("expired-exception")[0]
            .contains("expired after 2026-10-04: the findings it accepted are open again")
    );
    assert_eq!(judged.subjects("unmatched-exception").len(), 0);
}

#[test]
fn a_renewed_exception_counts_beside_its_expired_one() {
    let mut expired = exception("no-role", "3");
    expired.until = today() - Days::new(1);
    let mut world = accepted(expired);
    world.policy.exceptions.push(exception("no-role", "user3@example.com"));
    assert_eq!(world.judge().of("no-role").next().unwrap().status, FindingStatus::Excepted(1));
}

#[test]
fn an_exception_for_another_workspace_rule_or_user_accepts_nothing() {
    let mut elsewhere = exception("no-role", "3");
    elsewhere.workspace = Some("other".into());
    let judged = accepted(elsewhere).judge();
    assert!(judged.of("no-role").next().unwrap().is_open());
    assert_eq!(judged.subjects("unmatched-exception").len(), 0, "another workspace will say");

    let judged = accepted(exception("no-profile", "3")).judge();
    assert!(judged.of("no-role").next().unwrap().is_open());
    assert_eq!(
        judged.messages("unmatched-exception"),
        ["The exception to no-profile for 3 matches no finding; correct it or remove it."]
    );
    let judged = accepted(exception("no-roles", "3")).judge();
    assert!(judged.messages("unmatched-exception")[0].contains("names an unknown rule, no-roles"));
}

#[test]
fn an_exception_accepts_a_workspace_and_a_profile_by_name() {
    let mut world = quiet();
    world.profiles.push(profile("31", "Support", true, &["view", "export"]));
    world.person(3).profile = Some(("31".into(), None));
    world.person(2).profile = Some((STANDARD.into(), None));
    world.policy.exceptions =
        vec![exception("only-one-administrator", "workspace"), exception("dangerous-profile", "Support")];
    let judged = world.judge();
    assert_eq!(judged.of("only-one-administrator").next().unwrap().status, FindingStatus::Excepted(0));
    assert_eq!(judged.of("dangerous-profile").next().unwrap().status, FindingStatus::Excepted(1));

    world.profiles.push(profile("32", "Support", true, &["view", "export"]));
    let judged = world.judge();
    assert!(judged.of("dangerous-profile").all(crate::model::finding::Finding::is_open), "a name of two is none");
    assert_eq!(judged.subjects("unmatched-exception").len(), 1);
}

#[test]
fn an_approved_administrator_who_is_none_is_reported() {
    let mut world = quiet();
    world.policy.approved_administrators.as_mut().unwrap().insert("gone@example.com".into());
    let judged = world.judge();
    let finding = judged.of("unmatched-policy-entry").next().unwrap();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.starts_with("gone@example.com in approved_administrators"));
}

#[test]
fn an_exception_that_lasts_longer_than_the_policy_allows_applies_and_is_a_finding() {
    let mut long = exception("no-role", "3");
    long.until = today() + Days::new(367);
    let judged = accepted(long.clone()).judge();
    assert_eq!(judged.of("no-role").next().unwrap().status, FindingStatus::Excepted(0));
    let message = judged.messages("long-exception")[0];
    assert!(message.contains("lasts until 2027-10-07, longer than the 366 days"), "{message}");
    let mut world = accepted(Exception { until: today() + Days::new(366), ..long.clone() });
    assert_eq!(world.judge().subjects("long-exception"), Vec::<String>::new());
    world.policy.max_exception_days = 30;
    assert_eq!(world.judge().subjects("long-exception"), ["workspace"]);
    world.policy.exceptions[0].workspace = Some("other".into());
    assert_eq!(world.judge().subjects("long-exception"), Vec::<String>::new(), "another workspace will say");
}
