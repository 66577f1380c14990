//! Reads that do not come to a good end: an incomplete one says so everywhere, a failed one leaves nothing behind.

use rolecall_simulator::{Fault, Options};
use serde_json::Value;

use crate::{
    support::{Bench, options},
    tools::{read_csv, read_html, read_mail},
};

#[test]
fn an_incomplete_read_is_marked_in_every_report_the_mail_and_the_findings_and_is_not_compared_with() {
    let bench = Bench::new(Options { faults: vec![Fault::ShortPageAlways], ..options(450) });
    let (code, stdout, stderr) = bench.run(&["audit", "--out", "out", "--send", "--fail-on", "critical"]);
    assert_eq!(code, 3, "an incomplete read is a critical finding: {stderr}");
    assert!(stdout.to_lowercase().contains("incomplete"), "{stdout}");

    let findings = read_csv(&bench.path("out/findings.csv"));
    assert_eq!(findings[1][1..4], ["critical", "incomplete-read", "workspace"], "it is not the first finding");
    let json: Value = serde_json::from_str(&bench.read("out/report.json")).unwrap();
    assert_eq!((&json["complete"], &json["summary"]["state"]), (&false.into(), &"incomplete".into()));
    let texts = read_html(&bench.path("out/report.html"))["texts"].to_string().to_lowercase();
    let mark = texts.find("incomplete").unwrap();
    assert!(mark < texts.find("findings").unwrap(), "the report does not open with it");
    let mail = read_mail(&bench.mails()[0]);
    let subject = mail["headers"].as_array().unwrap().iter().find(|header| header[0] == "Subject").unwrap();
    assert!(subject[1].as_str().unwrap().starts_with("[rolecall] INCOMPLETE acme: "), "{subject}");
    for part in [0, 1] {
        assert!(mail["parts"][part]["content"].as_str().unwrap().to_lowercase().contains("incomplete"));
    }

    bench.simulator.set_faults([]);
    bench.audit(&["--out", "next"]);
    let next: Value = serde_json::from_str(&bench.read("next/report.json")).unwrap();
    assert_eq!((&next["complete"], &next["previous"]), (&true.into(), &Value::Null));
}

#[test]
fn a_list_that_slid_once_is_read_again_and_the_audit_is_complete() {
    let bench = Bench::new(Options { faults: vec![Fault::UserInsertedOnce], ..options(450) });
    bench.audit(&["--out", "out", "--fail-on", "critical"]);
    let json: Value = serde_json::from_str(&bench.read("out/report.json")).unwrap();
    assert_eq!((&json["complete"], json["access_matrix"].as_array().unwrap().len()), (&true.into(), 451));
    assert!(json["reading"]["attempts"].as_u64().unwrap() > 1);
}

/// Audits under a fault that must fail, and gives what was said. Nothing may be written, mailed or kept.
fn failed(fault: Fault) -> String {
    let bench = Bench::new(Options { faults: vec![fault], ..options(12) });
    let (code, stdout, stderr) = bench.run(&["audit", "--out", "out", "--send"]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{fault}: {stderr}");
    assert!(!bench.path("out").exists(), "{fault}: a report was written");
    assert!(bench.mails().is_empty(), "{fault}: a mail left");
    assert!(stderr.lines().last().unwrap().starts_with("rolecall: workspace acme: "), "{fault}: {stderr}");
    assert!(!stderr.contains('\u{1b}'), "{fault}: colours where there is no terminal: {stderr:?}");

    bench.simulator.set_faults([]);
    bench.audit(&["--out", "next"]);
    let next: Value = serde_json::from_str(&bench.read("next/report.json")).unwrap();
    assert_eq!(next["previous"], Value::Null, "{fault}: the failed audit was kept");
    stderr
}

#[test]
fn a_missing_scope_fails_with_the_scope_and_the_way_to_grant_it_and_leaves_nothing() {
    for (fault, scope) in [
        (Fault::MissingScopeUsers, "ZohoBigin.users.READ"),
        (Fault::MissingScopeRoles, "ZohoBigin.settings.roles.READ"),
        (Fault::MissingScopeProfiles, "ZohoBigin.settings.profiles.READ"),
    ] {
        let said = failed(fault);
        assert!(said.contains(&format!("lacks the scope {scope}. Generate a new grant code")), "{said}");
    }
}

#[test]
fn failed_reads_say_what_happened_and_leave_nothing() {
    for (fault, words) in [
        (Fault::EmptyUserList, "the API lists no users, not even the one that the credentials belong to"),
        (Fault::EmptyUserArray, "the API lists no users, not even the one that the credentials belong to"),
        (Fault::Revoked, "the refresh token was rejected (invalid_code)"),
        (Fault::WrongDataCentre, "that the client is registered in the data center `us`"),
        (Fault::ForeignApiDomain, "no token was sent there"),
        (Fault::TokenNeverAccepted, "the access token was rejected"),
        (Fault::Redirect, "sends no token to another address"),
        (Fault::EndlessBody, "larger than"),
    ] {
        let said = failed(fault);
        assert!(said.contains(words), "{fault}: {said}");
    }
}
