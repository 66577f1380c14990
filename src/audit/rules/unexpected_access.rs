//! What a department or a job title needs, and what its people hold.

use super::prelude::*;
use crate::{
    access::{
        matrix::MatrixRow,
        roster::{Member, Standing},
    },
    model::{pattern::Pattern, roster::ExpectedAccess},
    words::any_of,
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unexpected-access",
    title: "Access that the department or job title does not need",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("unexpected-access.md"),
    judges_population: true,
    evaluate,
};

/// An entry of `expected_access`, ready to be compared.
struct Entry {
    department: Option<Pattern>,
    title: Option<Pattern>,
    profiles: Option<Vec<Pattern>>,
    roles: Option<Vec<Pattern>>,
}

impl Entry {
    /// `None` if a pattern is invalid, which the configuration does not allow.
    fn of(entry: &ExpectedAccess) -> Option<Self> {
        let one = |text: &Option<String>| text.as_deref().map(pattern).transpose();
        let list = |texts: &Option<Vec<String>>| {
            texts.as_ref().map(|texts| texts.iter().map(|text| pattern(text)).collect::<Result<_, _>>()).transpose()
        };
        let pattern = |_| ();
        Some(Self {
            department: one(&entry.department).map_err(pattern).ok()?,
            title: one(&entry.title).map_err(pattern).ok()?,
            profiles: list(&entry.profiles).map_err(pattern).ok()?,
            roles: list(&entry.roles).map_err(pattern).ok()?,
        })
    }

    fn is_about(&self, member: &Member<'_>) -> bool {
        let fits = |pattern: &Option<Pattern>, texts: std::collections::BTreeSet<&str>| {
            pattern.as_ref().is_none_or(|pattern| texts.iter().any(|text| matches(pattern, text)))
        };
        fits(&self.department, member.departments()) && fits(&self.title, member.titles())
    }
}

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let people = context.employment.people()?;
    if context.policy().expected_access.is_empty() {
        return Err(NotEvaluated::because("the policy does not say who may hold what (expected_access)"));
    }
    let entries: Vec<Entry> = context.policy().expected_access.iter().filter_map(Entry::of).collect();
    let mut unnamed = 0;
    for row in context.usable() {
        let Some(member) = context.member(people, &row) else { continue };
        if matches!(member.standing, Standing::Left(_)) || !context.is_person(row.user.index()) {
            continue;
        }
        let about: Vec<&Entry> = entries.iter().filter(|entry| entry.is_about(member)).collect();
        if about.is_empty() {
            unnamed += 1;
            continue;
        }
        let unexpected = unexpected(&row, &about);
        if !unexpected.is_empty() {
            let power = if row.power().is_full() { ", which gives full power" } else { "" };
            let message = format!(
                "Works {} and has {}{power}; change it, or add it to expected_access.",
                position(member),
                unexpected.join(", and ")
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
    if unnamed > 0 {
        let users = text::count(unnamed, "user has", "users have");
        sink.not_evaluated(format!("{users} a department and job title that no entry of expected_access names"));
    }
    Ok(())
}

/// What is not expected: `the profile “Administrator” (expected: “Standard”)`.
fn unexpected(row: &MatrixRow<'_>, about: &[&Entry]) -> Vec<String> {
    let profile = row.user.profile().map(|held| (held.id.as_str().to_owned(), row.profile_name().map(str::to_owned)));
    let role = row.user.role().map(|held| (held.id.as_str().to_owned(), row.role_name().map(str::to_owned)));
    let profiles = about.iter().filter_map(|entry| entry.profiles.as_deref()).collect::<Vec<_>>();
    let roles = about.iter().filter_map(|entry| entry.roles.as_deref()).collect::<Vec<_>>();
    [("profile", profile, profiles), ("role", role, roles)]
        .into_iter()
        .filter_map(|(what, held, lists)| {
            let (id, name) = held?;
            let expected: Vec<&Pattern> = lists.iter().copied().flatten().collect();
            let is_expected =
                |pattern: &&Pattern| pattern.matches(&id) || name.as_deref().is_some_and(|name| matches(pattern, name));
            if lists.is_empty() || expected.iter().any(is_expected) {
                return None;
            }
            let shown: Vec<String> = expected.iter().take(10).map(|pattern| format!("“{pattern}”")).collect();
            let shown = if shown.is_empty() { "none".to_owned() } else { any_of(&shown, expected.len()) };
            Some(format!("the {what} “{}” (expected: {shown})", name.unwrap_or(id)))
        })
        .collect()
}

/// `in “Sales” as “Rep”`.
fn position(member: &Member<'_>) -> String {
    let quoted = |texts: std::collections::BTreeSet<&str>| text::names(texts);
    match (member.departments(), member.titles()) {
        (departments, titles) if titles.is_empty() => format!("in {}", quoted(departments)),
        (departments, titles) if departments.is_empty() => format!("as {}", quoted(titles)),
        (departments, titles) => format!("in {} as {}", quoted(departments), quoted(titles)),
    }
}

fn pattern(text: &str) -> Result<Pattern, crate::model::pattern::PatternError> {
    Pattern::parse(&text.to_lowercase())
}

/// Departments, titles, profiles and roles are written in whatever case.
fn matches(pattern: &Pattern, text: &str) -> bool {
    pattern.matches(&text.to_lowercase())
}
