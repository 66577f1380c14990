//! The mail about three workspaces, and about many.

use std::convert::Infallible;

use insta::assert_snapshot;

use super::*;
use crate::{
    access::{
        drift::{Current, Seen, SnapshotHeader, snapshot_users},
        matrix::AccessMatrix,
    },
    brief::Brief,
    ledger::fact::BagName,
    mail::testing::{at, changed_audit, incomplete, small_audit},
    model::{
        audit::Audit,
        separation::{Right, Separation},
        users::NewUser,
    },
    people::Gathering,
    report::{self, testing::ANA},
};

fn section(workspace: &str, audit: Audit) -> Section {
    let audit = Audit { workspace: workspace.to_owned(), ..audit };
    let brief = Brief::of(&audit, &AccessMatrix::of(&audit));
    let bag = BagName { folder: format!("2026-03-02T070000Z_{workspace}_0195"), sha256: "ab".repeat(32) };
    let section = Section::new(&audit, &brief, Some(bag), true);
    // As the store keeps it.
    serde_json::from_str(&serde_json::to_string(&section).unwrap()).unwrap()
}

fn people(audits: &[(&str, Audit)]) -> People {
    let mut gathering = Gathering::default();
    for (name, audit) in audits {
        let matrix = AccessMatrix::of(audit);
        let seen = Seen {
            matrix: &matrix,
            administrator_profiles: &audit.administrator_profiles,
            policy: &audit.policy,
            rules: &audit.rules,
            workspace: name,
        };
        let header = SnapshotHeader::of(audit.id, &Current { seen, undecided: &[], findings: &[], outcomes: &[] });
        gathering.add(name, true, &header, snapshot_users(&audit.directory).map(Ok::<_, Infallible>)).unwrap();
    }
    gathering.missing("acme-us", "HTTP 500 <b>");
    gathering.people()
}

fn mail(sections: Vec<Section>, missing: &[(&str, &str)], people: &People) -> Content {
    let file =
        |name: &str| Attachment { file_name: name.to_owned(), content_type: "text/csv".to_owned(), bytes: vec![1] };
    let left_out = [LeftOut { file_name: "acme-eu-access-matrix.csv".to_owned(), bytes: 20 << 20, path: None }];
    let together = Together {
        job: "weekly <review>",
        fire_at: at("2026-03-02T07:00:00Z"),
        sections,
        missing: missing.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned())).collect(),
        people,
        attachments: vec![file("people.csv"), file("acme-eu-findings.csv")],
        left_out: &left_out,
        ledger: &Head { number: 41, sha256: "cd".repeat(32) },
    };
    together.content().unwrap()
}

#[test]
fn a_mail_about_three_workspaces_names_the_missing_one_and_then_the_worst() {
    let people = people(&[("acme-eu", small_audit()), ("acme-apac", changed_audit())]);
    let sections = || vec![section("acme-eu", small_audit()), section("acme-apac", changed_audit())];
    let content = mail(sections(), &[("acme-us", "HTTP 500 <b>")], &people);
    assert_snapshot!("subject", content.subject);
    assert_snapshot!("text", content.text);
    assert_snapshot!("html", content.html);
    let mut other_order = sections();
    other_order.reverse();
    assert_eq!(mail(other_order, &[("acme-us", "HTTP 500 <b>")], &people), content);
}

#[test]
fn the_subject_says_the_worst() {
    let people = people(&[("acme-eu", small_audit())]);
    let of = |sections, missing: &[(&str, &str)]| mail(sections, missing, &people).subject;
    let quiet = || section("quiet", small_audit());
    assert!(
        of(vec![quiet(), section("worse", changed_audit())], &[]).starts_with("[rolecall] weekly <review>: worse: ")
    );
    let unread = section("unread", incomplete(small_audit()));
    assert!(of(vec![quiet(), unread], &[]).starts_with("[rolecall] INCOMPLETE weekly <review>: unread: "));
    assert_eq!(
        of(Vec::new(), &[("one", "x"), ("two", "y")]),
        "[rolecall] MISSING weekly <review>: 2 workspaces were not reviewed"
    );
}

#[test]
fn a_mail_about_many_workspaces_with_hostile_names_stays_small_and_counts_what_it_leaves_out() {
    let people = people(&[("acme-eu", small_audit())]);
    let hostile = "<&>".repeat(40);
    let sections = (0..300).map(|number| section(&format!("{number}{hostile}"), changed_audit())).collect();
    let missing: Vec<(String, String)> = (0..300).map(|number| (format!("gone-{number}"), hostile.clone())).collect();
    let missing: Vec<(&str, &str)> = missing.iter().map(|(name, reason)| (name.as_str(), reason.as_str())).collect();
    let content = mail(sections, &missing, &people);
    assert!(content.html.len() <= MAX_HTML, "{}", content.html.len());
    assert!(
        content.text.contains("NOT REVIEWED") && content.text.contains("more reviewed workspaces"),
        "{}",
        content.text
    );
    assert!(!content.html.contains("<&>"));
}

#[test]
fn rights_that_must_be_separate_across_workspaces_are_said_first_of_people_and_counted_beyond_the_limit() {
    let separation = Separation {
        name: "sell-and-administer".to_owned(),
        first: Right::Profile("Standard".to_owned()),
        second: Right::Profile("Administrator".to_owned()),
        severity: None,
    };
    let names: Vec<(String, String)> =
        (1..=60).map(|number| (number.to_string(), format!("user{number}@example.com"))).collect();
    let workspace = |users: usize, profile: (&'static str, Option<&'static str>)| {
        let users: Vec<NewUser<'_>> = names[..users]
            .iter()
            .map(|(id, email)| NewUser { id, email: Some(email), profile: Some(profile), ..ANA })
            .collect();
        let mut audit = report::testing::audit(&users);
        audit.policy.separations = vec![separation.clone()];
        audit
    };
    let of = |users: usize| {
        let eu = || workspace(users, ("21", Some("Administrator")));
        let apac = || workspace(users, ("22", Some("Standard")));
        let people = people(&[("acme-eu", eu()), ("acme-apac", apac())]);
        assert_eq!(people.conflicts.len(), users);
        mail(vec![section("acme-eu", eu()), section("acme-apac", apac())], &[], &people)
    };
    let content = of(1);
    let (_, across) = content.text.split_once("ACROSS THE WORKSPACES\n").unwrap();
    assert_snapshot!("conflicts", across.split("\n\n").next().unwrap());
    for said in ["Rights that must be separate", "Ana Lima", "sell-and-administer"] {
        assert!(content.html.contains(said), "{said}");
    }
    let many = of(60);
    let listed = many.text.matches("sell-and-administer: ").count();
    assert!((1..60).contains(&listed), "{listed}");
    assert!(many.text.contains(&format!("- and {} more in people.csv", 60 - listed)), "{}", many.text);
    let none = mail(vec![section("acme-eu", small_audit())], &[], &people(&[("acme-eu", small_audit())]));
    assert!(!none.text.contains("Rights that must be separate"), "{}", none.text);
}
