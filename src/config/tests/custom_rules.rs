//! Rules of the company's own, from the text to the policy.

use super::*;
use crate::model::policy::{ForEach, TestValue};

const DESIGN: &str = r#"
[[policy.custom_rules]]
name = "contractor-export"
title = "Contractor who may export"
severity = "high"
criteria = ["CC6.1"]
for_each = "user"
when = 'user.active && user.email.endsWith("@contractor.example.com") && profile.permissions.exists(p, p.contains("Export"))'
message = "{user.full_name} is a contractor and may export data."
fix = "Give a profile without export."
tests = [
  { expect = true,  user = { email = "x@contractor.example.com", active = true }, profile = { permissions = ["Export Data"] } },
  { expect = false, user = { email = "x@example.com", active = true }, profile = { permissions = ["Export Data"] } },
]
"#;

fn with_rule(rule: &str) -> String {
    format!(
        "{WORKSPACE}[[policy.custom_rules]]\nname = \"own\"\ntitle = \"T\"\nseverity = \"low\"\nmessage = \"m\"\nfix = \"f\"\n{rule}\n"
    )
}

/// The messages about a rule, each with what it is about.
fn problems(rule: &str) -> Vec<(String, String)> {
    let text = with_rule(rule);
    let (Ok((_, problems)) | Err(problems)) = read_text(&text);
    problems.into_iter().map(|one| (one.message, text[one.span.unwrap_or(0..0)].to_owned())).collect()
}

#[test]
fn a_rule_is_read_as_the_documentation_writes_it() {
    let settings = format!("{WORKSPACE}[policy.rules]\ncontractor-export = \"critical\"\n{DESIGN}");
    let (settings, problems) = read_text(&settings).unwrap();
    assert_eq!(problems, []);
    let rule = &settings.policy.custom_rules[0];
    assert_eq!((rule.name.as_str(), rule.for_each, rule.tests.len()), ("contractor-export", ForEach::User, 2));
    assert_eq!(rule.tests[0].given["user.email"], TestValue::Text("x@contractor.example.com".into()));
    let kept = serde_json::to_string(&*settings.policy).unwrap();
    assert_eq!(serde_json::from_str::<crate::model::policy::Policy>(&kept).unwrap(), *settings.policy);
}

#[test]
fn mistakes_have_their_place_in_the_file() {
    for (rule, message, place) in [
        ("when = 'true || user.nosuch == 1'", "unknown name `user.nosuch`", "nosuch"),
        ("when = \"\\u0075ser.nosuch == \\\"x\\\"\"", "unknown name `user.nosuch`", "nosuch"),
        ("when = '''\n  user.active &&\n  user.nosuch'''", "unknown name `user.nosuch`", "nosuch"),
        ("when = \"\"\"user.active && \\\n  user.nosuch\"\"\"", "unknown name `user.nosuch`", "nosuch"),
        ("when = 'user.id == 5'", "`==` does not take text and a whole number", "=="),
        ("when = 'user.email'", "this expression is text; expected true or false", "user.email"),
        ("when = 'lowerAscii(user.email) == \"\"'", "unknown function `lowerAscii`", "("),
        ("when = 'user.active'\nfor_each = 'users'", "invalid value `users` for `for_each`", "'users'"),
        ("when = 'user.active'\nfor_each = 'role'", "a rule for each role has no `user`", "user"),
        (
            "when = 'user.active'\ntests = [{ expect = true, user = { emial = 'x' } }]",
            "unknown name `user.emial` in a test of a rule for each user",
            "emial",
        ),
        (
            "when = 'user.active'\ntests = [{ expect = true, user = { active = 'yes' } }]",
            "invalid value for `user.active`; expected true or false",
            "'yes'",
        ),
        (
            "when = 'user.active'\ntests = [{ expect = true }]",
            "test 1 of `own` fails: true is expected, but it is false",
            "true",
        ),
        (
            "when = 'roster.start > now'\ntests = [{ expect = false }]",
            "test 1 of `own` fails: false is expected, but it cannot be evaluated: roster.start is not known",
            "false",
        ),
    ] {
        let found = problems(rule);
        assert!(
            found.iter().any(|(said, at)| said == message && (at == place || at.starts_with(place))),
            "{rule}: {found:?}"
        );
    }
}

#[test]
fn test_cases_have_times_lists_and_numbers() {
    for test in [
        "user = { created = 2026-01-31T08:00:00+02:00 }, now = 2026-03-05",
        "user = { created = '2026-01-31T06:00:00Z' }, now = '2026-03-05'",
        "user = { created = 2026-01-31 }, now = 2026-03-05T10:00:00Z, workspace = 'acme', role = { depth = 2, path = ['a'] }",
    ] {
        let rule = format!("when = 'now - user.created > days(30)'\ntests = [{{ expect = true, {test} }}]");
        assert_eq!(problems(&rule), [], "{test}");
    }
}

#[test]
fn names_are_unique_and_not_those_of_built_in_rules() {
    let named = |name: &str| {
        let rule = DESIGN.replace("\"contractor-export\"", &format!("\"{name}\""));
        let (Ok((_, problems)) | Err(problems)) = read_text(&format!("{WORKSPACE}{rule}"));
        problems.into_iter().map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(named("administrator"), ["`administrator` is the name of a built-in rule"]);
    for bad in ["", "Own", "own_rule", "-own", "own-", "1-own", "own rule"] {
        assert_eq!(named(bad), [format!("invalid rule name `{bad}`")]);
    }
    let (Ok((_, problems)) | Err(problems)) = read_text(&format!("{WORKSPACE}{DESIGN}{DESIGN}"));
    assert_eq!(problems[0].message, "there are two rules `contractor-export`");
}

#[test]
fn a_rule_without_test_cases_is_a_warning() {
    assert_eq!(
        problems("when = 'user.active'"),
        [("the rule `own` has no test cases".to_owned(), "\"own\"".to_owned())]
    );
}

/// Texts with a piece repeated, removed or moved.
#[test]
fn a_changed_configuration_is_harmless() {
    let mut seed = 7_u64;
    let mut number = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    for _ in 0..800 {
        let (mut from, mut to) = (number(DESIGN.len()), number(DESIGN.len()));
        if from > to {
            std::mem::swap(&mut from, &mut to);
        }
        to = to.min(from + 30);
        let piece = DESIGN[from..to].repeat(number(4));
        let place = number(DESIGN.len());
        let text = match number(2) {
            0 => format!("{}{piece}{}", &DESIGN[..from], &DESIGN[to..]),
            _ => format!("{}{piece}{}", &DESIGN[..place], &DESIGN[place..]),
        };
        let text = format!("{WORKSPACE}{text}");
        let (Ok((_, problems)) | Err(problems)) = read_text(&text);
        for span in problems.into_iter().filter_map(|problem| problem.span) {
            assert!(text.get(span.clone()).is_some(), "{span:?} of\n{text}");
        }
    }
}
