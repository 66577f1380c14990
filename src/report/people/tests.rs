//! The files of a small job: two workspaces that were read, and one that was not.

use std::{borrow::Cow, convert::Infallible};

use super::*;
use crate::{
    access::{
        drift::{Current, Seen, SnapshotHeader, snapshot_users},
        matrix::AccessMatrix,
    },
    model::{audit::Audit, change::Departed, users::NewUser},
    people::Gathering,
    report::testing::{self, ANA},
};

const HOSTILE: &str = "<script>alert(1)</script>=1+1\u{202e}";

fn header(audit: &Audit, departed: &[&str]) -> SnapshotHeader {
    let matrix = AccessMatrix::of(audit);
    let seen = Seen {
        matrix: &matrix,
        administrator_profiles: &audit.administrator_profiles,
        policy: &audit.policy,
        rules: &audit.rules,
        workspace: &audit.workspace,
    };
    let current = Current { seen, undecided: &[], findings: &[], outcomes: &[] };
    let one = |email: &&str| Departed { email: (*email).into(), name: None, missed_at: testing::at(7, 0) };
    let departed = departed.iter().map(one).collect();
    SnapshotHeader { departed, ..SnapshotHeader::of(audit.id, &current) }
}

fn add(gathering: &mut Gathering, name: &str, audit: &Audit, departed: &[&str]) {
    let users = snapshot_users(&audit.directory).map(Ok::<_, Infallible>);
    gathering.add(name, true, &header(audit, departed), users).unwrap();
}

fn people() -> People {
    let clerk = NewUser {
        id: "2",
        email: Some("bo@example.com"),
        full_name: Some(HOSTILE),
        profile: Some(("22", None)),
        ..ANA
    };
    let nameless = NewUser { id: "3", email: None, full_name: None, profile: Some(("23", None)), ..ANA };
    let mut gathering = Gathering::default();
    add(&mut gathering, "acme-eu", &testing::audit(&[ANA, clerk, nameless]), &[]);
    add(
        &mut gathering,
        "acme-us",
        &testing::audit(&[NewUser { email: Some("ANA@example.com"), ..ANA }]),
        &["bo@example.com"],
    );
    gathering.missing("acme-apac", "HTTP 500 <b>");
    gathering.people()
}

fn written(file: PeopleFile, people: &People) -> String {
    let mut bytes = Vec::new();
    let input = PeopleInput { people, job: Some("weekly <review>"), at: testing::at(9, 0) };
    write(file, &input, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_files_of_a_job() {
    let people = people();
    insta::assert_snapshot!("csv", written(PeopleFile::Csv, &people));
    let json: serde_json::Value = serde_json::from_str(&written(PeopleFile::Json, &people)).unwrap();
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&json).unwrap());
    let page = written(PeopleFile::Html, &people);
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains('\u{202e}'), "{page}");
    let body = &page[page.find("<body").unwrap()..];
    insta::assert_snapshot!("html", body.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_page_of_many_people_is_bounded_and_counts_what_it_leaves_out() {
    let name = "<".repeat(100);
    let texts: Vec<(String, String)> = (0..5_000).map(|id| (id.to_string(), format!("{id}@example.com"))).collect();
    let users: Vec<NewUser<'_>> =
        texts.iter().map(|(id, email)| NewUser { id, email: Some(email), full_name: Some(&name), ..ANA }).collect();
    let mut gathering = Gathering::default();
    add(&mut gathering, "one", &testing::audit(&users), &[]);
    add(&mut gathering, "two", &testing::audit(&users), &[]);
    let people = gathering.people();
    let page = written(PeopleFile::Html, &people);
    assert!(page.len() < 3_000_000, "{}", page.len());
    assert!(page.contains("people are only in people.csv") && page.contains("and 4,940 more, in people.csv"));
    assert_eq!(written(PeopleFile::Csv, &people).lines().count(), 10_001);
}

#[test]
fn each_file_has_a_name_and_a_type_and_the_schema_is_published() {
    let names: Vec<Cow<'_, str>> = PeopleFile::ALL.iter().map(|file| file.to_string().into()).collect();
    assert_eq!(names, ["people.csv", "people.html", "people.json"]);
    assert_eq!(
        PeopleFile::ALL.map(|file| file.media_type().split('/').next().unwrap()),
        ["text", "text", "application"]
    );
    insta::assert_snapshot!("schema", serde_json::to_string_pretty(&schema()).unwrap());
}
