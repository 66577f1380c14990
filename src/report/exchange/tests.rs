//! What holds of the formats of others. Other people's tools read them in `tests/integration/exchange.rs`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::{
    access::matrix::AccessMatrix,
    model::{
        audit::Audit,
        bag::BagName,
        change::{Change, ChangeKind},
        reading::{Check, CheckKind, CheckOutcome},
    },
    report::{self, ReportFile, testing},
};

fn text(audit: &Audit, file: ReportFile) -> String {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    report::write(file, &ReportInput::new(audit, &matrix), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The hostile audit, with a finding that is resolved and one that the policy no longer counts.
fn hostile() -> Audit {
    let mut audit = testing::hostile();
    audit.findings[1].message = "*reports* to ]]> <itself> \u{1}\n\u{fffe} {{ insert }}".into();
    let gone = |kind, id: &str, subject: &str| Change {
        kind,
        subject_type: "finding",
        subject_id: format!("role-cycle:role:{id}"),
        subject: format!("role-cycle: {subject}"),
        field: "",
        before: "reports to ]]> \u{1} itself".to_owned(),
        after: String::new(),
    };
    audit.drift.changes.push(gone(ChangeKind::FindingResolved, "15:1", "Old: <b>"));
    audit.drift.changes.push(gone(ChangeKind::FindingNotCounted, "16", "Off"));
    // It is still there.
    audit.drift.changes.push(gone(ChangeKind::FindingResolved, "13", "<i>Loop</i>"));
    audit
}

fn events(audit: &Audit) -> Vec<Value> {
    text(audit, ReportFile::Ocsf).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_files_of_a_hostile_world() {
    let audit = hostile();
    insta::assert_snapshot!("oscal", text(&audit, ReportFile::Oscal));
    insta::assert_snapshot!("ocsf", text(&audit, ReportFile::Ocsf));
    insta::assert_snapshot!("junit", text(&audit, ReportFile::Junit));
}

#[test]
fn a_report_json_says_the_same_as_its_audit() {
    let audit = hostile();
    let matrix = AccessMatrix::of(&audit);
    let bag = BagName { folder: "2026 bag".to_owned(), sha256: "ab".repeat(32) };
    let mut expected = AuditFacts::of(&ReportInput::new(&audit, &matrix));
    expected.bag = Some(bag.clone());
    let report = text(&audit, ReportFile::Json);
    assert_eq!(AuditFacts::read(report.as_bytes(), bag.clone()).unwrap(), expected);
    let later = report.replacen("\"schema_version\":\"1.", "\"schema_version\":\"2.", 1);
    let error = AuditFacts::read(later.as_bytes(), bag).unwrap_err();
    assert!(error.to_string().ends_with("expected 1"), "{error}");
}

#[test]
fn a_finding_is_opened_updated_and_closed_under_one_identifier() {
    let audit = hostile();
    let told: Vec<(String, u64, u64)> = events(&audit)
        .iter()
        .map(|event| {
            let number = |key: &str| event[key].as_u64().unwrap();
            (event["finding_info"]["uid"].as_str().unwrap().to_owned(), number("activity_id"), number("status_id"))
        })
        .collect();
    let of = |uid: &str| {
        let mut found = told.iter().filter(|one| one.0 == uid);
        let one = found.next().map(|one| (one.1, one.2));
        assert_eq!(found.next(), None, "{uid} has two events");
        one
    };
    assert_eq!(of("acme/unapproved-administrator/user/5000000000007"), Some((1, 1)), "new");
    assert_eq!(of("acme/role-cycle/role/13"), Some((2, 2)), "continuing");
    assert_eq!(of("acme/administrator/user/5000000000001"), Some((2, 3)), "accepted");
    assert_eq!(of("acme/role-cycle/role/15:1"), Some((3, 4)), "resolved");
    assert_eq!(of("acme/role-cycle/role/16"), Some((3, 3)), "not counted");
    assert_eq!(of("acme/dangerous-profile"), Some((1, 1)), "not evaluated");
    assert_eq!(of("acme/unapproved-administrator"), Some((3, 4)), "evaluated");
    assert_eq!(of("acme/outside-domain"), Some((3, 3)), "switched off");
}

#[test]
fn several_findings_of_a_rule_about_one_subject_are_one_event_and_several_observations() {
    let mut audit = hostile();
    audit.findings.push(audit.findings[1].clone());
    let uids: Vec<String> = events(&audit).iter().map(|event| event["finding_info"]["uid"].to_string()).collect();
    assert_eq!(uids.iter().collect::<BTreeSet<_>>().len(), uids.len());
    let oscal: Value = serde_json::from_str(&text(&audit, ReportFile::Oscal)).unwrap();
    let result = &oscal["assessment-results"]["results"][0];
    let ids = result["observations"].as_array().unwrap().iter().map(|one| one["uuid"].to_string());
    let ids: Vec<String> = ids.collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn what_an_incomplete_read_did_not_find_is_not_satisfied() {
    let mut audit = testing::quiet();
    let passed = |audit: &Audit| {
        let oscal: Value = serde_json::from_str(&text(audit, ReportFile::Oscal)).unwrap();
        let result = &oscal["assessment-results"]["results"][0];
        let evaluated = events(audit)[0]["compliance"]["status_id"].as_u64();
        (result["findings"][0]["target"]["status"]["state"].as_str().map(str::to_owned), evaluated)
    };
    assert_eq!(passed(&audit), (Some("satisfied".to_owned()), Some(1)));
    let outcome = CheckOutcome::Disagreed { detail: "half of it".to_owned() };
    audit.directory.reading.checks.push(Check { kind: CheckKind::SourceComplete, outcome, figures: String::new() });
    assert_eq!(passed(&audit), (None, Some(2)));
    assert!(text(&audit, ReportFile::Junit).contains("Not evaluated: the read of the workspace was incomplete"));
}

#[test]
fn the_same_audit_gives_the_same_bytes() {
    for file in [ReportFile::Oscal, ReportFile::Ocsf, ReportFile::Junit] {
        assert_eq!(text(&hostile(), file), text(&hostile(), file));
    }
}
