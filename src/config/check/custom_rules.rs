//! Rules of the company's own: they are compiled and their test cases are run.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, NaiveDate, Utc};
use toml::{Spanned, Value};

use super::Checker;
use crate::{
    cel::{Case, Key, Kind, Message, Mistake, Program, Root, keys},
    config::{file, in_string::place_in_string, names::is_blank, problem::Problem, shape::suggestion},
    model::policy::{CustomRule, ForEach, RuleTest, TestValue},
};

const FOR_EACH: [ForEach; 4] = [ForEach::User, ForEach::Role, ForEach::Profile, ForEach::Workspace];

impl Checker<'_> {
    pub(super) fn custom_rules(&mut self, written: &[file::CustomRule]) -> Vec<CustomRule> {
        self.custom_names = written.iter().map(|rule| rule.name.get_ref().clone()).collect();
        let mut rules: Vec<CustomRule> = Vec::with_capacity(written.len());
        for rule in written {
            let name = rule.name.get_ref();
            if rules.iter().any(|other| other.name == *name) {
                self.error(rule.name.span(), format!("there are two rules `{name}`"), "choose another name");
            }
            self.rule_name(&rule.name);
            rules.extend(self.custom_rule(rule));
        }
        rules
    }

    fn rule_name(&mut self, name: &Spanned<String>) {
        let text = name.get_ref();
        let is_kebab = text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if !is_kebab || text.len() > 64 || text.starts_with(|c: char| c.is_ascii_digit()) {
            let help = "expected up to 64 small letters, digits and -, such as contractor-export";
            self.error(name.span(), format!("invalid rule name `{text}`"), help);
        } else if self.context.rules.contains(&text.as_str()) {
            let help = "choose another name; the severity of a built-in rule is set in [policy.rules]";
            self.error(name.span(), format!("`{text}` is the name of a built-in rule"), help);
        }
    }

    fn custom_rule(&mut self, rule: &file::CustomRule) -> Option<CustomRule> {
        for (key, text) in [("title", &rule.title), ("message", &rule.message), ("fix", &rule.fix)] {
            if is_blank(text.get_ref()) {
                self.error(text.span(), format!("a rule's `{key}` must not be empty"), "every report shows it");
            }
        }
        if rule.title.get_ref().len() > 200 || rule.title.get_ref().contains(['\n', '\r']) {
            self.error(rule.title.span(), "a title is one line of at most 200 bytes", "");
        }
        let severity = self.severity(&rule.severity, rule.severity.get_ref());
        let for_each = self.for_each(rule.for_each.as_ref())?;
        let program = self.compiled(&rule.when, Program::compile(rule.when.get_ref(), for_each));
        self.compiled(&rule.message, Message::compile(rule.message.get_ref(), for_each));
        let tests: Vec<RuleTest> = rule.tests.iter().map(|test| self.test(test, for_each)).collect();
        if let Some(program) = &program {
            self.tried(&rule.when, program);
            self.run_tests(rule, program, &tests);
        }
        if rule.tests.is_empty() {
            self.problems.push(Problem::warning(
                rule.name.span(),
                format!("the rule `{}` has no test cases", rule.name.get_ref()),
                "add `tests` with one case that it finds and one that it does not",
            ));
        }
        program?;
        Some(CustomRule {
            name: rule.name.get_ref().clone(),
            title: rule.title.get_ref().clone(),
            severity: severity?,
            criteria: rule.criteria.clone(),
            for_each,
            when: rule.when.get_ref().clone(),
            message: rule.message.get_ref().clone(),
            fix: rule.fix.get_ref().clone(),
            tests,
        })
    }

    fn for_each(&mut self, word: Option<&Spanned<String>>) -> Option<ForEach> {
        let Some(word) = word else { return Some(ForEach::default()) };
        let found = FOR_EACH.into_iter().find(|each| each.word() == word.get_ref());
        if found.is_none() {
            let message = format!("invalid value `{}` for `for_each`", word.get_ref());
            self.error(word.span(), message, suggestion(word.get_ref(), &FOR_EACH.map(ForEach::word)));
        }
        found
    }

    /// What was compiled, or a problem for each mistake at its place in the file.
    fn compiled<T>(&mut self, text: &Spanned<String>, compiled: Result<T, Vec<Mistake>>) -> Option<T> {
        let mistakes = match compiled {
            Ok(compiled) => return Some(compiled),
            Err(mistakes) => mistakes,
        };
        for Mistake { span, message, help } in mistakes {
            let place = self.inside(text, &span);
            self.error(place, message, help);
        }
        None
    }

    fn inside(&self, text: &Spanned<String>, span: &Range<usize>) -> Range<usize> {
        let whole = text.span();
        let written = self.context.text.get(whole.clone()).unwrap_or_default();
        let place = |offset| whole.start + place_in_string(written, offset);
        place(span.start)..place(span.end).max(place(span.start) + 1).min(whole.end)
    }

    /// Evaluates a condition on a subject of which everything is there: only what it says of itself can then fail.
    fn tried(&mut self, when: &Spanned<String>, program: &Program) {
        if program.steps(0) > crate::cel::MOST_STEPS {
            self.error(when.span(), "this expression needs too many steps", "make two rules of it");
        }
        let full = program.evaluate(&Case::full(self.context.now));
        let empty = program.evaluate(&Case::of(&RuleTest::default(), self.context.now));
        if let (Err(failure), Err(_)) = (full, empty) {
            let help = "it fails for a user with every value and for one without any; try it with test cases";
            self.problems.push(Problem::warning(
                when.span(),
                format!("this expression may always fail: {failure}"),
                help,
            ));
        }
    }

    fn run_tests(&mut self, rule: &file::CustomRule, program: &Program, tests: &[RuleTest]) {
        for (number, (written, test)) in rule.tests.iter().zip(tests).enumerate() {
            let Err(reason) = program.test(test, self.context.now) else { continue };
            let message = format!("test {} of `{}` fails: {reason}", number + 1, rule.name.get_ref());
            self.problems.push(Problem {
                is_failed_test: true,
                ..Problem::error(written.expect.span(), message, "correct the condition or the test case")
            });
        }
    }

    fn test(&mut self, test: &file::RuleTest, each: ForEach) -> RuleTest {
        let mut given = BTreeMap::new();
        let roots = [
            (Root::User, &test.user),
            (Root::Role, &test.role),
            (Root::Profile, &test.profile),
            (Root::Organization, &test.organization),
            (Root::Roster, &test.roster),
            (Root::Previous, &test.previous),
        ];
        for (root, values) in roots {
            for (name, value) in values {
                let field = name.get_ref();
                if let Some(key) = Key::of(root, field).filter(|_| keys::roots(each).any(|one| one == root)) {
                    given.extend(self.test_value(key, value).map(|value| (key.path(), value)));
                } else {
                    let known: Vec<&str> = Key::of_root(root).map(Key::name).collect();
                    let (root, each) = (root.name(), each.word());
                    let message = format!("unknown name `{root}.{field}` in a test of a rule for each {each}");
                    self.error(name.span(), message, suggestion(field, &known));
                }
            }
        }
        for (key, value) in [(Key::Now, &test.now), (Key::Workspace, &test.workspace)] {
            let value = value.as_ref().and_then(|value| self.test_value(key, value));
            given.extend(value.map(|value| (key.path(), value)));
        }
        RuleTest { expect: *test.expect.get_ref(), given }
    }

    fn test_value(&mut self, key: Key, value: &Spanned<Value>) -> Option<TestValue> {
        let found = match (key.kind(), value.get_ref()) {
            (Kind::Bool, Value::Boolean(value)) => Some(TestValue::Bool(*value)),
            (Kind::Int, Value::Integer(value)) => Some(TestValue::Int(*value)),
            (Kind::Text, Value::String(text)) => Some(TestValue::Text(text.clone())),
            (Kind::Time, Value::String(text)) => time(text).map(TestValue::Time),
            (Kind::Time, Value::Datetime(written)) => time(&written.to_string()).map(TestValue::Time),
            (Kind::Texts, Value::Array(all)) => {
                let texts: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
                texts.map(TestValue::Texts)
            }
            _ => None,
        };
        if found.is_none() {
            let message = format!("invalid value for `{}`; expected a {}", key.path(), key.kind().word());
            let help = if key.kind() == Kind::Time { "such as 2026-01-31T08:00:00Z or 2026-01-31" } else { "" };
            self.error(value.span(), message.replace("a true", "true"), help);
        }
        found
    }
}

/// A point in time; a date is its midnight in UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let date = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(&text.replace(' ', "T")).ok().map(|time| time.to_utc()).or_else(date)
}
