//! Rules of the company's own: their results beside those of another implementation of CEL.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rolecall::{
    cel::{Case, Key, Kind, Program},
    model::policy::{ForEach, RuleTest, TestValue},
};
use serde_json::{Value, json};

use crate::tools::run_script;

/// Conditions over the view. `has` is asked only for what the other implementation does not have either.
const EXPRESSIONS: [&str; 44] = [
    "user.active",
    "!user.active || user.confirmed",
    "user.email == ''",
    "user.email.endsWith('@example.com')",
    "lower(user.email).startsWith('ana')",
    "user.email.lower() == 'ana@example.com'",
    "domain(user.email) == 'example.com'",
    "domain(user.full_name) == ''",
    "user.id == '1'",
    "user.id < '2'",
    "user.role_name in ['Sales', 'Board']",
    "!(user.role_name in [])",
    "size(user.full_name) > 3",
    "user.full_name.size() == 3",
    "user.full_name.contains('ü')",
    "user.email.matches('^[a-z.]+@')",
    "matches(user.email, '@.*example')",
    "profile.permissions.exists(p, p.contains('Export'))",
    "profile.permissions.all(p, p.size() > 4)",
    "profile.permissions.exists_one(p, p == 'View')",
    "profile.permissions.map(p, lower(p)) == ['view', 'export data']",
    "profile.permissions.filter(p, p != 'View').size() == 1",
    "size(profile.permissions) == 0",
    "profile.permissions[0] == 'View'",
    "profile.permissions[1] == 'Export Data' || true",
    "'View' in profile.permissions",
    "role.path == ['Top', 'Sales']",
    "role.path.exists(r, profile.permissions.exists(p, p == r))",
    "role.depth > 0",
    "role.depth >= 1.5",
    "role.depth * 2 - 1 == 3",
    "role.depth % 2 == 0",
    "10 / role.depth == 5",
    "user.created < now",
    "now - user.created > days(30)",
    "user.created + days(1) > now",
    "has(user.created) && user.created > timestamp('2026-01-01T00:00:00Z')",
    "!has(user.created) || now.getFullYear() == 2026",
    "now.getMonth() == 9 && now.getDate() == 5 && now.getDayOfWeek() == 1",
    "now.getHours('Europe/Berlin') == 10",
    "duration('36h') > days(1)",
    "(user.active ? user.role_name : 'none') == 'Sales'",
    "string(role.depth) == '2' || int('7') == role.depth",
    "roster.current && roster.department == 'Sales' || workspace == 'acme'",
];

/// Subjects in which all values are there or empty. Numbers and times without a value are absent.
fn subjects() -> Vec<RuleTest> {
    let now: DateTime<Utc> = "2026-10-05T08:00:00Z".parse().unwrap();
    let text = |text: &str| TestValue::Text(text.to_owned());
    let texts = |all: &[&str]| TestValue::Texts(all.iter().map(ToString::to_string).collect());
    let subject = |given: Vec<(&str, TestValue)>| {
        let given: BTreeMap<String, TestValue> =
            given.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
        RuleTest { expect: true, given }
    };
    vec![
        subject(vec![("now", TestValue::Time(now))]),
        subject(vec![
            ("now", TestValue::Time(now)),
            ("workspace", text("acme")),
            ("user.id", text("1")),
            ("user.email", text("Ana@Example.com")),
            ("user.full_name", text("Müller, Ana")),
            ("user.active", TestValue::Bool(true)),
            ("user.role_name", text("Sales")),
            ("user.created", TestValue::Time(now - chrono::TimeDelta::days(31))),
            ("role.path", texts(&["Top", "Sales"])),
            ("role.depth", TestValue::Int(2)),
            ("profile.permissions", texts(&["View", "Export Data"])),
            ("roster.current", TestValue::Bool(true)),
        ]),
        subject(vec![
            ("now", TestValue::Time(now)),
            ("user.id", text("10")),
            ("user.email", text("bob.b@sub.example.com")),
            ("user.full_name", text("Bob")),
            ("user.confirmed", TestValue::Bool(true)),
            ("user.created", TestValue::Time("2025-10-05T08:00:00Z".parse().unwrap())),
            ("role.depth", TestValue::Int(0)),
            ("profile.permissions", texts(&["View"])),
            ("roster.department", text("Sales")),
        ]),
    ]
}

/// The view of a subject as the other implementation gets it.
fn view(subject: &RuleTest) -> Value {
    let value = |key: &Key| {
        let given = subject.given.get(&key.path());
        let (kind, value) = match (key.kind(), given) {
            (Kind::Bool, Some(TestValue::Bool(value))) => ("bool", json!(value)),
            (Kind::Bool, _) => ("bool", json!(false)),
            (Kind::Int, Some(TestValue::Int(value))) => ("int", json!(value)),
            (Kind::Time, Some(TestValue::Time(time))) => ("time", json!(time.to_rfc3339())),
            (Kind::Int | Kind::Time, _) => return None,
            (Kind::Text, Some(TestValue::Text(text))) => ("text", json!(text)),
            (Kind::Text, _) => ("text", json!("")),
            (Kind::Texts, Some(TestValue::Texts(texts))) => ("texts", json!(texts)),
            (Kind::Texts, _) => ("texts", json!([])),
        };
        Some(json!([key.path(), kind, value]))
    };
    Key::ALL.iter().filter_map(value).collect()
}

#[test]
fn another_implementation_of_cel_has_the_same_results() {
    let now = "2026-10-05T08:00:00Z".parse().unwrap();
    let subjects = subjects();
    let ours: Vec<Vec<Option<bool>>> = EXPRESSIONS
        .iter()
        .map(|expression| {
            let program = Program::compile(expression, ForEach::User).unwrap();
            subjects.iter().map(|subject| program.evaluate(&Case::of(subject, now)).ok()).collect()
        })
        .collect();
    // The corpus must reach all three results.
    for result in [None, Some(true), Some(false)] {
        assert!(ours.iter().flatten().any(|one| *one == result), "{result:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work.json");
    let views: Vec<Value> = subjects.iter().map(view).collect();
    std::fs::write(&work, json!({"expressions": EXPRESSIONS, "subjects": views}).to_string()).unwrap();
    let theirs: Vec<Vec<Option<bool>>> = serde_json::from_slice(&run_script("cel_results.py", &[&work])).unwrap();
    for ((expression, ours), theirs) in EXPRESSIONS.iter().zip(ours).zip(theirs) {
        assert_eq!(ours, theirs, "{expression}");
    }
}
