//! The quick evaluation and the interpreter say the same of whatever condition and subject.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};

use super::*;

/// A subject of which some keys are not known.
#[derive(Debug)]
struct Partly {
    case: Case,
    unknown: BTreeSet<Key>,
}

impl View for Partly {
    fn value(&self, key: Key) -> Reading<'_> {
        if self.unknown.contains(&key) { Reading::Unknown } else { self.case.value(key) }
    }

    fn group(&self) -> u64 {
        0
    }
}

const TEXTS: [&str; 6] = ["", "Sales", "ana@example.com", "Ana@EXAMPLE.com", "Jörg Ⅷ", " a@b "];

fn keys_of(kind: Kind) -> impl Strategy<Value = String> {
    let keys: Vec<String> = Key::ALL.iter().filter(|key| key.kind() == kind).map(|key| key.path()).collect();
    select(keys)
}

fn literal() -> impl Strategy<Value = String> {
    select(TEXTS.to_vec()).prop_map(|text| format!("'{text}'"))
}

fn of_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => keys_of(Kind::Text), 1 => literal()].prop_recursive(2, 4, 1, |inner| {
        let function = select(vec!["lower", "domain"]);
        (function, inner).prop_map(|(function, inner)| format!("{function}({inner})"))
    })
}

fn of_number() -> impl Strategy<Value = String> {
    prop_oneof![
        keys_of(Kind::Int),
        (-2_i64..6).prop_map(|number| number.to_string()),
        keys_of(Kind::Texts).prop_map(|list| format!("size({list})")),
        of_text().prop_map(|text| format!("size({text})")),
    ]
}

fn of_order() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "!=", "<", "<=", ">", ">="])
}

/// A condition without `&&`, `||` and `!`.
fn simple() -> impl Strategy<Value = String> {
    let times = || keys_of(Kind::Time);
    let text_test = select(vec!["contains", "startsWith", "endsWith"]);
    prop_oneof![
        keys_of(Kind::Bool),
        select(vec!["true".to_owned(), "false".to_owned()]),
        // A value like `now` is always there.
        select(Key::ALL.to_vec())
            .prop_filter("a key", |key| !key.root().is_value())
            .prop_map(|key| format!("has({})", key.path())),
        (of_text(), select(vec!["==", "!="]), of_text())
            .prop_map(|(one, order, other)| format!("{one} {order} {other}")),
        (of_text(), proptest::collection::vec(literal(), 0..3))
            .prop_map(|(one, all)| format!("{one} in [{}]", all.join(", "))),
        (of_text(), text_test, of_text()).prop_map(|(one, test, other)| format!("{one}.{test}({other})")),
        of_text().prop_map(|text| format!("{text}.matches('^[a-z]+@')")),
        (of_number(), of_order(), of_number()).prop_map(|(one, order, other)| format!("{one} {order} {other}")),
        (times(), of_order(), times()).prop_map(|(one, order, other)| format!("{one} {order} {other}")),
        (times(), times(), of_order(), -3_i64..3)
            .prop_map(|(to, from, order, days)| format!("{to} - {from} {order} days({days})")),
        // Only the interpreter evaluates these; the first is the same for all who share a profile.
        (keys_of(Kind::Texts), literal()).prop_map(|(list, text)| format!("{list}.exists(p, p == {text})")),
        (keys_of(Kind::Texts), keys_of(Kind::Text)).prop_map(|(list, text)| format!("{text} in {list}")),
        (keys_of(Kind::Int), of_number()).prop_map(|(one, other)| format!("{one} / {other} == 1")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    simple().prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), select(vec!["&&", "||"]), inner.clone())
                .prop_map(|(one, operator, other)| format!("({one} {operator} {other})")),
            inner.clone().prop_map(|one| format!("!({one})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(one, two, three)| format!("({one} ? {two} : {three})")),
        ]
    })
}

fn subject() -> impl Strategy<Value = Partly> {
    let value = |key: Key| -> BoxedStrategy<Option<TestValue>> {
        let text = || select(TEXTS.to_vec()).prop_map(str::to_owned);
        let value = match key.kind() {
            Kind::Bool => any::<bool>().prop_map(TestValue::Bool).boxed(),
            Kind::Int => (-2_i64..6).prop_map(TestValue::Int).boxed(),
            Kind::Text => text().prop_map(TestValue::Text).boxed(),
            Kind::Time => (-3_i64..3).prop_map(|days| TestValue::Time(now() + chrono::TimeDelta::days(days))).boxed(),
            Kind::Texts => proptest::collection::vec(text(), 0..3).prop_map(TestValue::Texts).boxed(),
        };
        proptest::option::weighted(0.8, value).boxed()
    };
    let values: Vec<_> = Key::ALL.iter().map(|key| value(*key)).collect();
    (values, proptest::collection::btree_set(select(Key::ALL.to_vec()), 0..12)).prop_map(|(values, unknown)| {
        let given = Key::ALL.iter().zip(values).filter_map(|(key, value)| Some((key.path(), value?))).collect();
        Partly { case: Case::of(&RuleTest { expect: true, given }, now()), unknown }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn quick_and_interpreted_are_the_same(condition in condition(), subjects in proptest::collection::vec(subject(), 4)) {
        let program = Program::compile(&condition, ForEach::User);
        prop_assume!(program.is_ok());
        let program = program.unwrap();
        for subject in &subjects {
            prop_assert_eq!(program.evaluate(subject), program.interpret(subject), "{}", condition);
        }
    }
}

/// The usual conditions leave nothing to the interpreter.
#[test]
fn usual_conditions_need_no_interpreter() {
    for condition in [
        "user.active && !user.has_role",
        "user.administrator && user.email.matches('^(svc|bot)-')",
        "has(user.created) && now - user.created < days(7) && user.administrator",
        "domain(user.email) == 'contractor.example.com' && profile.permissions.exists(p, p.contains('Export'))",
        "user.email != lower(user.email) || role.path.all(r, r == 'Board')",
        "user.profile_name in ['Nobody', 'Guest'] || size(profile.permissions) > 500",
        "roster.found && roster.department == 'Sales' && roster.end <= now",
    ] {
        let program = Program::compile(condition, ForEach::User).unwrap();
        assert!(!format!("{:?}", program.rewritten.condition).contains("Other"), "{condition}");
    }
    let program = Program::compile("role.depth / 2 == 1", ForEach::User).unwrap();
    assert!(format!("{:?}", program.rewritten.condition).contains("Other"));
}
