//! Texts that nobody would write: reading and evaluating them ends, and never panics.

use proptest::prelude::*;

use super::*;

/// What conditions are made of, and what they are not.
const PARTS: [&str; 64] = [
    "user.email",
    "user.active",
    "user.created",
    "user",
    "role.depth",
    "role.path",
    "profile.permissions",
    "now",
    "workspace",
    "previous.found",
    "roster.start",
    "has(",
    "lower(",
    "days(",
    "size(",
    "timestamp(",
    "duration(",
    "matches(",
    ".matches('",
    ".exists(p, ",
    ".all(p, ",
    ".map(p, ",
    ".filter(p, ",
    ".contains(",
    ".getHours(",
    "p",
    "q",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "+",
    "-",
    "*",
    "/",
    "%",
    "?",
    ":",
    ",",
    ".",
    "'",
    "\"",
    "'''",
    "r'\\'",
    "'(a{9}){9}'",
    "'x'",
    "1",
    "9223372036854775807",
    "-9223372036854775808",
    "2.5",
    "true",
    "null",
    "\n",
    "ü",
];

fn is_harmless(text: &str) {
    for each in [ForEach::User, ForEach::Role, ForEach::Workspace] {
        let Ok(program) = Program::compile(text, each) else { continue };
        for subject in [Case::full(now()), Case::of(&RuleTest::default(), now()), Case::of(&ana(), now())] {
            let _ = program.evaluate(&subject);
        }
        assert!(!program.keys().iter().any(|key| !keys::roots(each).any(|root| root == key.root())), "{text}");
    }
    let _ = Message::compile(text, ForEach::User);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_parts_are_harmless(parts in proptest::collection::vec(proptest::sample::select(PARTS.to_vec()), 0..40)) {
        is_harmless(&parts.concat());
        is_harmless(&parts.join(" "));
    }

    #[test]
    fn any_text_is_harmless(text in "\\PC{0,60}") {
        is_harmless(&text);
    }

    /// A condition that is accepted is still harmless if something in it is repeated or missing.
    #[test]
    fn a_changed_condition_is_harmless(which in 0_usize..4, from in 0_usize..120, length in 0_usize..40, times in 0_usize..60) {
        const GOOD: [&str; 4] = [
            "user.active && (lower(user.email).endsWith('@example.com') || !has(user.created))",
            "profile.permissions.exists(p, profile.permissions.exists(q, p != q && q.matches('^[a-z]+$')))",
            "now - user.created > days(30) && user.role_name in ['Sales', 'Board'] && role.depth * 2 > 1",
            "profile.permissions.filter(p, p.size() > 4).map(p, lower(p)) == ['export data'] ? true : false",
        ];
        let good = GOOD[which];
        let (from, to) = (from.min(good.len()), (from + length).min(good.len()));
        is_harmless(&format!("{}{}{}", &good[..from], good[from..to].repeat(times), &good[to..]));
    }
}

#[test]
fn a_chain_of_comprehensions_is_bounded_by_the_stack_that_it_needs() {
    let chain = |links: usize| format!("profile.permissions{} == []", ".filter(p, p.size() > 4)".repeat(links));
    for links in [20, 52] {
        let mistakes = Program::compile(&chain(links), ForEach::User).unwrap_err();
        assert!(mistakes[0].message.contains("too large"), "{}", mistakes[0].message);
    }
    is_harmless(&chain(12));
    assert!(Program::compile(&chain(12), ForEach::User).is_ok());
}

#[test]
fn a_condition_cannot_make_texts_or_lists_that_grow() {
    for expression in [
        "[user.email].map(a, a + a).map(a, a + a).map(a, a + a) == []",
        "[user.email].map(a, [a, a]).size() == 1",
        "profile.permissions.map(a, profile.permissions + profile.permissions).size() == 1",
        "[[user.email], [user.email]].size() == 1",
    ] {
        assert!(Program::compile(expression, ForEach::User).is_err(), "{expression}");
    }
    let nested =
        Program::compile("profile.permissions.all(a, profile.permissions.all(b, a == b))", ForEach::User).unwrap();
    assert!(nested.steps(LONGEST_LIST) > 4_000_000);
    assert!(Program::compile("user.active", ForEach::User).unwrap().steps(LONGEST_LIST) < 10);
}
