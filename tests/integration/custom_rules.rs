//! Rules of the company's own: their results beside those of another implementation of CEL.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rolecall::{
    cel::{Case, Key, Kind, Program},
    model::policy::{ForEach, RuleTest, TestValue},
};
use serde_json::{Value, json};

use crate::{
    support::{Bench, options},
    tools::run_script,
};

/// Conditions over the view. `has` is asked only for what the other implementation does not have either.
const EXPRESSIONS: [&str; 43] = [
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
    std::fs::write(&work, json!({"expressions": &EXPRESSIONS[..], "subjects": views}).to_string()).unwrap();
    let theirs: Vec<Vec<Option<bool>>> = serde_json::from_slice(&run_script("cel_results.py", &[&work])).unwrap();
    for ((expression, ours), theirs) in EXPRESSIONS.iter().zip(ours).zip(theirs) {
        assert_eq!(ours, theirs, "{expression}");
    }
}

const RULES: &str = r#"
[[policy.custom_rules]]
name = "own-administrators"
title = "Administrator"
severity = "low"
when = 'user.administrator && user.active'
message = "{user.email} is an administrator."
fix = "Nothing."
tests = [{ expect = true, user = { administrator = true, active = true } }, { expect = false, user = { active = true } }]

[[policy.custom_rules]]
name = "own-export"
title = "Profile with export"
severity = "info"
for_each = "profile"
when = 'profile.permissions.exists(p, lower(p).contains("export")) && profile.users > 0'
message = "{profile.name} exports."
fix = "Nothing."
tests = [{ expect = true, profile = { permissions = ["Export Data"], users = 1 } }]

[[policy.custom_rules]]
name = "own-new"
title = "Administrator who was none"
severity = "high"
when = 'previous.found && !previous.administrator && user.administrator'
message = "{user.email}"
fix = "Nothing."
tests = [{ expect = true, previous = { found = true }, user = { administrator = true } }]
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn rules_are_tested_tried_and_reported() {
    let bench = Bench::new(options(40));
    bench.configure(RULES);
    let (code, stdout, stderr) = bench.run(&["policy", "test"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stdout,
        "own-administrators: 2 test cases passed\nown-export: 1 test case passed\nown-new: 1 test case passed\n"
    );

    let (code, stdout, stderr) = bench.run(&["policy", "try", "own-administrators", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let tried = json(&stdout);
    let ids: Vec<&str> =
        tried["found"].as_array().unwrap().iter().map(|row| row["subject_id"].as_str().unwrap()).collect();
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    let administrators: Vec<&str> = users
        .iter()
        .filter(|user| user["profile"]["id"] == "5820190000000026011" && user["status"] == "active")
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    assert!(!ids.is_empty());
    assert_eq!(ids, administrators);
    assert_eq!(tried["found"][0]["values"]["user.administrator"], "true");

    bench.audit(&["--out", "report"]);
    let report = json(&bench.read("report/report.json"));
    let of_rule =
        |rule: &str| report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule).count();
    assert_eq!(of_rule("own-administrators"), administrators.len());
    assert!(of_rule("own-export") > 0);
    assert_eq!(of_rule("own-new"), 0);
    assert!(bench.read("report/report.html").contains("Profile with export"));
}

#[test]
fn rules_of_ones_own_are_listed_and_explained() {
    let bench = Bench::new(options(12));
    bench.configure(RULES);
    let (code, list, said) = bench.run(&["rules"]);
    assert!(code == 0 && list.contains("own-export") && list.contains("no-role"), "{list}{said}");
    let (code, text, said) = bench.run(&["rules", "own-export"]);
    assert_eq!(code, 0, "{said}");
    assert!(text.starts_with("# own-export") && text.contains("profile.permissions.exists("), "{text}");
    assert!(text.ends_with("Default severity: info\n"), "{text}");
    let (code, _, said) = bench.run(&["rules", "own-exprt"]);
    assert!(code == 2 && said.contains("did you mean `own-export`?"), "{said}");
    // What comes with rolecall is explained whatever the configuration is.
    std::fs::write(bench.path("rolecall.toml"), "nonsense").unwrap();
    assert_eq!(bench.run(&["rules", "no-role"]).0, 0);
}

#[test]
fn a_failing_test_case_is_an_error_of_check_and_of_policy_test() {
    let bench = Bench::new(options(40));
    bench.configure(&RULES.replacen("expect = false", "expect = true", 1));
    let (code, _, stderr) = bench.run(&["check"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("test 2 of `own-administrators` fails: true is expected, but it is false"), "{stderr}");
    let (code, stdout, stderr) = bench.run(&["policy", "test"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stdout.contains("own-administrators: 1 of 2 test cases passed\n  test 2: true is expected, but it is false\n")
    );
    let (_, stdout, _) = bench.run(&["policy", "test", "--format", "json"]);
    assert_eq!(json(&stdout)[1]["passed"], false);
    let (code, _, stderr) = bench.run(&["policy", "try", "no-such-rule"]);
    assert_eq!(code, 2, "{stderr}");
}

/// `previous` is that of the audit before, also when the review is recomputed from its evidence.
#[test]
fn the_previous_audit_is_read_from_what_was_kept() {
    let bench = Bench::new(options(40));
    bench.configure(RULES);
    bench.audit(&["--out", "first"]);
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    let user =
        users.iter().find(|user| user["profile"]["id"] != "5820190000000026011" && user["status"] == "active").unwrap();
    let id = user["id"].as_str().unwrap();
    bench.simulator.world().edit(|world| world.set_profile(id, "5820190000000026011")).unwrap();
    let (code, tried, said) = bench.run(&["policy", "try", "own-new", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let tried = json(&tried);
    assert_eq!((&tried["found"][0]["subject_id"], tried["found"].as_array().unwrap().len()), (&id.into(), 1));
    assert_eq!(tried["found"][0]["values"]["previous.administrator"], "false");
    // A report has no previous audit: this is not the first one, and nothing is guessed.
    let (_, tried, _) = bench.run(&["policy", "try", "own-new", "--report", "first/report.json", "--format", "json"]);
    let tried = json(&tried);
    assert!(tried["found"].as_array().unwrap().iter().all(|row| row["message"].is_null()));
    assert!(tried["not_evaluated"].as_str().unwrap().contains("could not be evaluated"), "{tried}");
    bench.audit(&["--out", "second"]);
    let report = json(&bench.read("second/report.json"));
    let found: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().filter(|one| one["rule"] == "own-new").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["subject_id"], id);
}
