//! The conformance test of the seam of rules: a rule that is made at run time is treated like a built-in one, from
//! the judgement to every report.

use std::collections::BTreeSet;

use chrono::Days;

use crate::{
    access::matrix::AccessMatrix,
    audit::{
        Lacking, RuleSet,
        testing::{World, now, quiet, with_contractor_rule},
    },
    brief::Brief,
    mail::report_mail::{Proof, ReportMail},
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
        finding::{Finding, FindingStatus, RuleResult, Severity},
        policy::{Exception, RuleSetting},
    },
    report::{self, ReportFile, ReportInput},
    run::{ReadWorkspace, RunRequest, judging::judge_by, pack},
    store::Kept,
};

/// A name that is no constant of the program.
fn name() -> String {
    ["contractor", "export"].join("-")
}

/// A world in which the rule finds something about users 3 and 4, of which 4 is accepted.
fn world() -> World {
    let mut world = quiet();
    for id in [3, 4] {
        world.person(id).email = Some(format!("contractor{id}@example.com"));
    }
    world.policy.exceptions.push(exception("4"));
    world
}

fn exception(subject: &str) -> Exception {
    Exception {
        rule: name(),
        subject: subject.into(),
        workspace: None,
        approved_by: "security@example.com".into(),
        reason: "known".into(),
        until: now().date_naive() + Days::new(1),
        ..Exception::default()
    }
}

fn audit(world: &World, previous: Option<Kept>) -> Audit {
    let request = RunRequest {
        id: uuid::Uuid::from_u128(7),
        trigger: None,
        job: None,
        workspace: "acme",
        policy: &world.policy,
        deadline: std::time::Duration::from_mins(1),
    };
    judge_by(
        &|policy, _| with_contractor_rule(&name(), policy),
        &request,
        ReadWorkspace {
            directory: world.directory(),
            roster: None,
            reviewed: None,
            previous,
            past: Vec::new(),
            lacking: Lacking::default(),
        },
        now(),
    )
    .unwrap()
}

fn kept(audit: &Audit) -> Kept {
    pack(audit, &AccessMatrix::of(audit)).unwrap()
}

fn found(audit: &Audit) -> Vec<(String, &Finding)> {
    let findings = audit.findings.iter().filter(|finding| finding.rule == *name());
    findings.map(|finding| (audit.subject_label(&finding.subject).1, finding)).collect()
}

fn result(audit: &Audit) -> &RuleResult {
    &audit.outcomes.iter().find(|outcome| outcome.rule == *name()).unwrap().result
}

fn written(audit: &Audit, file: ReportFile) -> String {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    report::write(file, &ReportInput::new(audit, &matrix), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn it_judges_and_its_findings_can_be_accepted() {
    let audit = audit(&world(), None);
    let states: Vec<_> = found(&audit).into_iter().map(|(id, one)| (id, one.severity, one.status.clone())).collect();
    let expected = [("3", FindingStatus::Open), ("4", FindingStatus::Excepted(0))]
        .map(|(id, status)| (id.into(), Severity::High, status));
    assert_eq!(states, expected);
    assert_eq!(*result(&audit), RuleResult::Failed { open: 1, excepted: 1, not_evaluated: String::new() });
}

#[test]
fn the_policy_switches_it_off_and_overrides_its_severity() {
    let mut world = world();
    world.policy.rules.insert(name(), RuleSetting::Severity(Severity::Critical));
    let critical = audit(&world, None);
    assert_eq!(critical.findings[0].rule, *name());
    assert!(found(&critical).iter().all(|(_, finding)| finding.severity == Severity::Critical));
    world.policy.rules.insert(name(), RuleSetting::Off);
    let off = audit(&world, None);
    assert_eq!((found(&off).len(), result(&off)), (0, &RuleResult::SwitchedOff));
}

#[test]
fn an_exception_from_it_that_matches_nothing_is_reported_and_one_from_no_rule_too() {
    let mut world = world();
    world.policy.exceptions = vec![exception("5")];
    let message = |audit: &Audit| {
        let mut findings = audit.findings.iter().filter(|finding| finding.rule == "unmatched-exception");
        findings.next().map(|finding| finding.message.to_string()).unwrap_or_default()
    };
    let known = message(&audit(&world, None));
    assert!(known.contains("contractor-export for 5 matches no finding"), "{known}");
    let request = RunRequest {
        id: uuid::Uuid::from_u128(7),
        trigger: None,
        job: None,
        workspace: "acme",
        policy: &world.policy,
        deadline: std::time::Duration::from_mins(1),
    };
    let read = ReadWorkspace {
        directory: world.directory(),
        roster: None,
        reviewed: None,
        previous: None,
        past: Vec::new(),
        lacking: Lacking::default(),
    };
    let unknown = judge_by(&RuleSet::for_audit, &request, read, now()).unwrap();
    assert!(message(&unknown).contains("unknown rule, contractor-export"), "{}", message(&unknown));
}

#[test]
fn every_report_names_it_its_title_its_criteria_and_its_advice() {
    let audit = audit(&world(), None);
    let html = written(&audit, ReportFile::Html);
    for text in ["contractor-export", "Contractor who may export", "CC6.1, A.5.15", "Give a profile without export."] {
        assert!(html.contains(text), "{text} is not in the HTML report");
    }
    let csv = written(&audit, ReportFile::FindingsCsv);
    let row = csv.lines().find(|line| line.starts_with("acme,high,contractor-export,user,3,")).unwrap();
    assert!(row.contains("\"CC6.1, A.5.15\""), "{row}");
    let matrix = written(&audit, ReportFile::AccessMatrixCsv);
    assert!(matrix.lines().any(|line| line.starts_with("acme,3,") && line.contains("contractor-export")), "{matrix}");
    let json: serde_json::Value = serde_json::from_str(&written(&audit, ReportFile::Json)).unwrap();
    let mut rules = json["rules"].as_array().unwrap().iter();
    let rule = rules.find(|rule| rule["rule"] == "contractor-export").unwrap();
    assert_eq!((&rule["title"], &rule["criterion"]), (&"Contractor who may export".into(), &"CC6.1, A.5.15".into()));
    let access = AccessMatrix::of(&audit);
    let mail = ReportMail::new(&audit, &Brief::of(&audit, &access), Vec::new(), &[], &Proof::default()).unwrap();
    for text in [&mail.content().text, &mail.content().html] {
        assert!(
            text.contains("Contractor who may export") && text.contains("Give a profile without export."),
            "{text}"
        );
    }
}

#[test]
fn its_findings_are_compared_with_those_of_last_time() {
    let before = audit(&world(), None);
    let mut world = world();
    world.person(3).email = Some("user3@example.com".into());
    world.person(5).email = Some("contractor5@example.com".into());
    let after = audit(&world, Some(kept(&before)));
    let continuing: Vec<_> = found(&after).into_iter().map(|(id, finding)| (id, finding.continuing)).collect();
    assert_eq!(continuing, [("4".into(), Some(true)), ("5".into(), Some(false))]);
    let of_findings = |change: &&Change| change.subject_type == "finding";
    let changes: BTreeSet<_> = after
        .drift
        .changes
        .iter()
        .filter(of_findings)
        .map(|change| (change.kind, change.subject_id.as_str()))
        .collect();
    let expected = [
        (ChangeKind::FindingNew, "contractor-export:user:5"),
        (ChangeKind::FindingResolved, "contractor-export:user:3"),
    ];
    assert_eq!(changes, expected.into());
}
