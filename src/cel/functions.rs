//! The functions of rules: what they take, what they return, and those that CEL does not have.

use std::{borrow::Cow, sync::Arc};

use cel::{Context, ExecutionError};
use chrono::TimeDelta;
use regex::Regex;

use super::types::Type::{self, Bool, Double, Duration, Int, Text, Time};

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `lower(user.email)`
    Before,
    /// `user.email.contains("x")`
    After,
    /// In both ways.
    Both,
}

/// A function that a rule can call.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    pub(super) form: Form,
    /// What it takes, and what it then returns.
    pub(super) overloads: &'static [(&'static [Type], Type)],
    /// How it is called, for the documentation.
    pub usage: &'static str,
    /// What it returns, for the documentation.
    pub about: &'static str,
}

const OF_TIME: &[(&[Type], Type)] = &[(&[Time], Int), (&[Time, Text], Int)];
const OF_BOTH: &[(&[Type], Type)] = &[(&[Time], Int), (&[Time, Text], Int), (&[Duration], Int)];
const TEXT_IN_TEXT: &[(&[Type], Type)] = &[(&[Text, Text], Bool)];

const fn function(
    name: &'static str,
    form: Form,
    overloads: &'static [(&'static [Type], Type)],
    usage: &'static str,
    about: &'static str,
) -> Function {
    Function { name, form, overloads, usage, about }
}

/// All functions. `has`, `exists`, `all`, `exists_one`, `map` and `filter` are macros of CEL and are there too.
pub static FUNCTIONS: &[Function] = &[
    function("lower", Form::Both, &[(&[Text], Text)], "lower(user.email)", "The text in lower case."),
    function(
        "domain",
        Form::Both,
        &[(&[Text], Text)],
        "domain(user.email)",
        "What follows the last @, in lower case; empty if there is none.",
    ),
    function("days", Form::Before, &[(&[Int], Duration)], "days(30)", "A duration of so many days."),
    function(
        "contains",
        Form::After,
        TEXT_IN_TEXT,
        "user.email.contains(\"+\")",
        "Whether the text has another in it.",
    ),
    function("startsWith", Form::After, TEXT_IN_TEXT, "user.email.startsWith(\"svc-\")", "Whether the text begins so."),
    function(
        "endsWith",
        Form::After,
        TEXT_IN_TEXT,
        "user.email.endsWith(\"@example.com\")",
        "Whether the text ends so.",
    ),
    function(
        "matches",
        Form::Both,
        TEXT_IN_TEXT,
        "user.email.matches(\"^[a-z]+@\")",
        "Whether a regular expression, written in quotes, matches somewhere in the text.",
    ),
    function(
        "size",
        Form::Both,
        &[(&[Text], Int), (&[Type::AnyList], Int)],
        "size(profile.permissions)",
        "How many characters or entries there are.",
    ),
    function(
        "timestamp",
        Form::Before,
        &[(&[Text], Time), (&[Time], Time)],
        "timestamp(\"2026-01-31T00:00:00Z\")",
        "The point in time.",
    ),
    function(
        "duration",
        Form::Before,
        &[(&[Text], Duration), (&[Duration], Duration)],
        "duration(\"36h\")",
        "The duration, in h, m and s.",
    ),
    function(
        "string",
        Form::Before,
        &[(&[Text], Text), (&[Int], Text), (&[Double], Text), (&[Bool], Text), (&[Time], Text), (&[Duration], Text)],
        "string(role.depth)",
        "The value as a text.",
    ),
    function(
        "int",
        Form::Before,
        &[(&[Int], Int), (&[Double], Int), (&[Text], Int), (&[Time], Int)],
        "int(\"5\")",
        "The value as a whole number.",
    ),
    function(
        "double",
        Form::Before,
        &[(&[Int], Double), (&[Double], Double), (&[Text], Double)],
        "double(\"0.5\")",
        "The value as a number.",
    ),
    function("getFullYear", Form::After, OF_TIME, "user.created.getFullYear()", "The year."),
    function("getMonth", Form::After, OF_TIME, "user.created.getMonth()", "The month, from 0."),
    function("getDate", Form::After, OF_TIME, "user.created.getDate()", "The day of the month, from 1."),
    function("getDayOfMonth", Form::After, OF_TIME, "user.created.getDayOfMonth()", "The day of the month, from 0."),
    function(
        "getDayOfWeek",
        Form::After,
        OF_TIME,
        "now.getDayOfWeek(\"Europe/Berlin\")",
        "The day of the week, from 0 for Sunday.",
    ),
    function("getDayOfYear", Form::After, OF_TIME, "now.getDayOfYear()", "The day of the year, from 0."),
    function(
        "getHours",
        Form::After,
        OF_BOTH,
        "now.getHours(\"Europe/Berlin\")",
        "The hour in UTC or in a time zone; of a duration: all its hours.",
    ),
    function("getMinutes", Form::After, OF_BOTH, "now.getMinutes()", "The minute; of a duration: all its minutes."),
    function("getSeconds", Form::After, OF_BOTH, "now.getSeconds()", "The second; of a duration: all its seconds."),
    function(
        "getMilliseconds",
        Form::After,
        OF_BOTH,
        "now.getMilliseconds()",
        "The millisecond; of a duration: its milliseconds.",
    ),
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The largest regular expression after it was compiled, in bytes.
const LARGEST_REGEX: usize = 1 << 18;

/// Compiles a regular expression within a bound.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(pattern).size_limit(LARGEST_REGEX).nest_limit(32).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

/// The name under which a program calls its regular expression of a number.
pub(super) fn regex_name(number: usize) -> String {
    format!("matches_{number}")
}

/// The number of the regular expression that is called by this name.
pub(super) fn regex_number(name: &str) -> Option<usize> {
    name.strip_prefix("matches_")?.parse().ok()
}

/// The text in lower case.
pub(super) fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { text } else { Cow::Owned(text.to_lowercase()) }
}

/// What follows the last @, in lower case.
pub(super) fn domain(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => {
            text.trim().rsplit_once('@').map_or(Cow::Borrowed(""), |(_, domain)| lower(domain.into()))
        }
        Cow::Owned(text) => Cow::Owned(domain(Cow::Borrowed(&text)).into_owned()),
    }
}

/// A duration of so many days. `None` if they are too many.
pub(super) fn days(number: i64) -> Option<TimeDelta> {
    TimeDelta::try_days(number).filter(|days| days.num_days().abs() <= 1_000_000)
}

/// Adds the functions that CEL does not have, and the regular expressions of a program.
pub(super) fn register(context: &mut Context<'_, '_>, regexes: &[Regex]) {
    // The names are new: adding fails only for those that CEL declares itself.
    let _ = context.add_function("lower", |text: Arc<String>| lower(Cow::Borrowed(&text)).into_owned());
    let _ = context.add_function("domain", |text: Arc<String>| domain(Cow::Borrowed(&text)).into_owned());
    let _ = context.add_function("days", |number: i64| {
        days(number)
            .ok_or_else(|| ExecutionError::FunctionError { function: "days".into(), message: "too many days".into() })
    });
    for (number, regex) in regexes.iter().enumerate() {
        let regex = regex.clone();
        let _ = context.add_function(&regex_name(number), move |text: Arc<String>| regex.is_match(&text));
    }
}
