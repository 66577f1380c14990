mod fuzz;
mod quick;

use chrono::{DateTime, TimeZone as _, Utc};

use super::*;
use crate::model::policy::{RuleTest, TestValue};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 5, 8, 0, 0).unwrap()
}

fn text(text: &str) -> TestValue {
    TestValue::Text(text.into())
}

/// A user with a profile and no role.
fn ana() -> RuleTest {
    let given = [
        ("user.id", text("900719925474099312")),
        ("user.email", text("Ana@Example.com")),
        ("user.full_name", text("Ana Ⅷ Müller")),
        ("user.active", TestValue::Bool(true)),
        ("user.created", TestValue::Time(now() - chrono::TimeDelta::days(40))),
        ("profile.name", text("Sales")),
        ("profile.permissions", TestValue::Texts(vec!["View".into(), "Export Data".into(), "Edit".into()])),
        ("role.depth", TestValue::Int(2)),
    ];
    RuleTest { expect: true, given: given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn result(expression: &str) -> Result<bool, String> {
    let program = Program::compile(expression, ForEach::User)
        .map_err(|mistakes| mistakes.into_iter().map(|one| one.message).collect::<Vec<_>>().join("; "))?;
    program.evaluate(&Case::of(&ana(), now())).map_err(|failure| failure.to_string())
}

#[test]
fn conditions_are_true_or_false() {
    for (expression, expected) in [
        ("user.active", true),
        ("user.confirmed", false),
        ("user.email.endsWith('@Example.com')", true),
        ("lower(user.email) == 'ana@example.com' && user.email.lower() == lower(user.email)", true),
        ("domain(user.email) == 'example.com'", true),
        ("domain(user.role_name) == ''", true),
        ("user['email'] == user.email", true),
        ("user.id == '900719925474099312' && user.id != '900719925474099313'", true),
        ("user.role_name == '' && !has(user.role_name) && has(user.email)", true),
        ("!has(user.confirmed) && !has(roster.start) && has(now)", false),
        ("now - user.created > days(30) && now - user.created < days(41)", true),
        ("user.created < now && user.created + days(40) == now", true),
        ("profile.permissions.exists(p, p.contains('Export'))", true),
        ("profile.permissions.exists_one(p, p.contains('Export'))", true),
        ("profile.permissions.all(p, p.contains('Export'))", false),
        ("role.path.all(r, r == 'x')", true),
        ("profile.permissions.exists(p, p.startsWith(profile.name) || p == user.full_name)", false),
        ("profile.permissions.filter(p, p.size() > 4).map(p, lower(p)) == ['export data']", true),
        ("profile.permissions.exists(p, profile.permissions.exists(q, p != q && q == 'Edit'))", true),
        ("'Edit' in profile.permissions && !('edit' in profile.permissions)", true),
        ("user.profile_name in ['Sales', ''] && !(user.email in [])", true),
        ("size(profile.permissions) == 3 && profile.permissions[0] == 'View'", true),
        ("role.depth > 1.5 && role.depth == 2.0 && role.depth % 2 == 0", true),
        ("user.full_name.matches('^Ana .*üller$') && matches(user.email, '(?i)^ana@')", true),
        ("user.full_name.contains('Ⅷ') && size(user.full_name) == 12", true),
        ("timestamp('2026-10-01T00:00:00+02:00') < now", true),
        ("timestamp('2026-01-31T23:30:00Z').getDate('Europe/Berlin') == 1 && now.getHours() == 8", true),
        ("duration('48h') == days(2) && string(role.depth) == '2' && int('7') == 7", true),
        ("(user.active ? 'a' : 'b') == 'a'", true),
        ("1 / 0 == 1 || true", true),
        ("has(user.created) && user.created > timestamp('2026-01-01T00:00:00Z')", true),
        ("!has(roster.start) || roster.start > now", true),
        ("r'\\d' == '\\\\d' && \"\"\"it's\"\"\" == \"it's\"", true),
    ] {
        if expression.contains("has(now)") {
            assert!(result(expression).is_err(), "{expression}");
        } else {
            assert_eq!(result(expression), Ok(expected), "{expression}");
        }
    }
}

#[test]
fn what_is_not_known_is_a_failure_and_never_false() {
    for (expression, reason) in [
        ("roster.start > now", "roster.start is not known"),
        ("user.active && roster.start > now", "roster.start is not known"),
        ("profile.permissions[7] == 'View'", "a list has fewer entries"),
        ("role.depth / (role.depth - 2) == 1", "division by zero"),
        ("9223372036854775807 + role.depth == 1", "a result is out of range"),
        ("int(user.email) == 1", "`int` cannot convert its argument"),
        ("timestamp(user.email) < now", "`timestamp` cannot convert its argument"),
        ("profile.permissions.exists(p, p == 'Nothing' || roster.start > now)", "roster.start is not known"),
        ("profile.permissions.exists(p, profile.permissions[9] == p)", "a list has fewer entries"),
    ] {
        assert_eq!(result(expression), Err(reason.to_owned()), "{expression}");
    }
}

#[test]
fn mistakes_are_found_when_it_is_loaded_and_have_a_place() {
    for (expression, place, message) in [
        ("user.nosuch == 1 || true", "nosuch", "unknown name `user.nosuch`"),
        ("true || user.emial == ''", "emial", "unknown name `user.emial`"),
        ("has(user.role) || true", "", "unknown name `user.role`"),
        ("user['emial'] == ''", "", "unknown name `user.emial`"),
        ("usr.email == ''", "usr", "unknown name `usr`"),
        ("user == previous", "user", "`user` is not a value itself"),
        ("user.email", "user.email", "this expression is text; expected true or false"),
        ("role.depth", "role.depth", "this expression is a whole number; expected true or false"),
        ("user.id == 7", "==", "`==` does not take text and a whole number"),
        ("user.role_name == null", "null", "there is no null here"),
        ("true || lowerAscii(user.email) == ''", "(", "unknown function `lowerAscii`"),
        ("user.email.lowerAscii() == ''", "(", "unknown function `lowerAscii`"),
        ("user.email.format([]) == ''", "(", "unknown function `format`"),
        ("user.email.size == 1", "size", "text has no `size`"),
        ("user.created > '2026-10-01'", ">", "`>` does not take a timestamp and text"),
        ("user.created > 2026", ">", "`>` does not take a timestamp and a whole number"),
        ("now - user.created > 30", ">", "`>` does not take a duration and a whole number"),
        ("contains(user.email, 'x')", "(", "`contains` is not called in this way"),
        ("user.email.contains(1)", "(", "`contains` does not take text and a whole number"),
        ("user.active + 1 == 2", "+", "`+` does not take true or false and a whole number"),
        ("user.active && role.depth", "&&", "`&&` does not take true or false and a whole number"),
        ("user.email.exists(c, c == 'a')", "user.email", "this is text; expected a list"),
        ("profile.permissions.exists(p, p)", "p", "this is text; expected true or false"),
        ("profile.permissions.exists(user, true)", "(", "the variable `user` has the name of something else"),
        ("['a', 1].size() == 2", "1", "this list has a whole number beside text"),
        ("true ? 1 : 'a'", "?", "`?_:` does not take true or false and a whole number and text"),
        ("{'a': 1}['a'] == 1", "", "maps are not supported"),
        ("user.email.matches('(')", "'('", "invalid regular expression: unclosed group"),
        ("user.email.matches('(a{1000}){1000}')", "'(a{1000}){1000}'", "invalid regular expression: it is too large"),
        ("user.email.matches(user.id)", "user", "`matches` takes a regular expression that is written here"),
        (
            "profile.permissions.map(p, p + p).size() == 1",
            "+",
            "texts and lists cannot be added inside of exists, all, map and filter",
        ),
        ("profile.permissions.map(p, profile.permissions).size() == 1", "", "lists of lists are not supported"),
        ("'ü' == 'ü' && user.nosuch", "nosuch", "unknown name `user.nosuch`"),
    ] {
        let mistakes = Program::compile(expression, ForEach::User).unwrap_err();
        assert_eq!(mistakes[0].message, message, "{expression}");
        if !place.is_empty() {
            let shown = &expression[mistakes[0].span.clone()];
            assert!(shown.contains(place) || place.contains(shown), "{expression}: `{shown}`");
        }
    }
    for (each, expression) in [
        (ForEach::Role, "user.active"),
        (ForEach::Profile, "role.name == ''"),
        (ForEach::Workspace, "profile.custom"),
        (ForEach::Role, "previous.found"),
    ] {
        assert!(Program::compile(expression, each).unwrap_err()[0].message.contains("has no"), "{expression}");
    }
    assert!(Program::compile("role.depth == 0 && role.users > 3", ForEach::Role).is_ok());
    let syntax = Program::compile("user.active &&\n  user.", ForEach::User).unwrap_err();
    assert!(syntax[0].message.starts_with("invalid expression"), "{syntax:?}");
}

#[test]
fn everything_is_bounded() {
    let nested =
        |open: &str, close: &str, levels: usize| format!("{}true{}", open.repeat(levels), close.repeat(levels));
    for expression in [
        nested("(", ")", 500),
        nested("!", "", 900),
        nested("[", "][0]", 300),
        nested("user.active ? ", " : false", 200),
        nested("r'\\' == '' || (", ")", 200),
        format!("{}user.active", "user.active || ".repeat(300)),
        format!("{}0 > 1", "1 + ".repeat(900)),
        format!("{}0 > 1", "- ".repeat(900)),
        format!("user{} == 1", ".a".repeat(1900)),
        "x".repeat(5_000),
        String::new(),
        "profile.permissions.all(a, profile.permissions.all(b, profile.permissions.all(c, a == b)))".into(),
    ] {
        assert!(Program::compile(&expression, ForEach::User).is_err(), "{expression}");
    }
    let wide = (0..60).map(|number| format!("user.id == '{number}'")).collect::<Vec<_>>().join(" || ");
    assert_eq!(result(&wide), Ok(false));
}

#[test]
fn a_message_shows_values() {
    let about = |message: &str| {
        Message::compile(message, ForEach::User)
            .map(|message| message.about(&Case::of(&ana(), now())))
            .map_err(|all| all.into_iter().map(|one| (one.span, one.message)).collect::<Vec<_>>())
    };
    assert_eq!(about("{user.email} since { user.created } {{x}}").unwrap(), "Ana@Example.com since 2026-08-26 {x}");
    assert_eq!(about("{profile.permissions}, {user.role_name}.").unwrap(), "View, Export Data, Edit, .");
    let wrong = about("ü {user.nosuch}").unwrap_err();
    assert_eq!(wrong, [(3..16, "unknown name `user.nosuch` in the message of a rule for each user".to_owned())]);
    assert!(about("{user.email").is_err());
}

#[test]
fn the_documentation_has_every_name_and_function_and_its_examples_are_accepted() {
    let text = include_str!("../../docs/custom-rules.md");
    for key in Key::ALL {
        let row = format!("| `{}` | {} | {} |", key.path(), key.kind().word(), key.about());
        assert!(text.contains(&row), "{row}");
    }
    for function in FUNCTIONS {
        let row = format!("| `{}` | {} |", function.usage, function.about);
        assert!(text.contains(&row), "{row}");
    }
    let examples = text.split("## Examples").nth(1).unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let examples: Vec<String> = examples.map(|line| line.split('`').next().unwrap().replace("\\|", "|")).collect();
    assert_eq!(examples.len(), 5);
    for example in examples {
        assert!(Program::compile(&example, ForEach::User).is_ok(), "{example}");
    }
}
