//! How the data was obtained: what an auditor asks first.

use chrono::{DateTime, Utc};

use super::{
    findings,
    text::{LABEL, PROSE, date, precise, sentence, shown},
};
use crate::{
    model::{policy::RuleSetting, reading::Check},
    report::{ReportInput, cell::UNKNOWN, summary::Headline},
    words::{count, number},
};

/// A fact and its name.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// One check of the read.
pub(super) struct CheckRow {
    pub(super) title: String,
    pub(super) outcome: &'static str,
    pub(super) class: &'static str,
    pub(super) detail: String,
}

fn check_row(check: &Check) -> CheckRow {
    use crate::model::reading::CheckOutcome::{Agreed, Disagreed, NotEvaluated, Repaired};
    CheckRow {
        title: sentence(check.kind.title()),
        outcome: check.outcome.word(),
        class: match check.outcome {
            Agreed | Repaired { .. } => "passed",
            Disagreed { .. } => "failed",
            NotEvaluated { .. } => "unevaluated",
        },
        detail: shown(check.outcome.detail(), PROSE),
    }
}

/// All checks.
pub(super) fn checks(input: &ReportInput<'_>) -> Vec<CheckRow> {
    input.audit.directory.reading.checks.iter().map(check_row).collect()
}

/// The checks that still disagree.
pub(super) fn problems(input: &ReportInput<'_>) -> Vec<CheckRow> {
    input.audit.directory.reading.problems().map(|(check, _)| check_row(check)).collect()
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| shown(value, LABEL))
}

/// From when to when; the day is told once where it is one.
fn span(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    if start.date_naive() == end.date_naive() {
        format!("{}, {} to {} UTC", date(start), start.format("%H:%M:%S"), end.format("%H:%M:%S"))
    } else {
        format!("{} to {}", precise(start), precise(end))
    }
}

/// The facts of the read.
pub(super) fn facts(input: &ReportInput<'_>, headline: &Headline) -> Vec<Fact> {
    let audit = input.audit;
    let directory = &audit.directory;
    let (source, organization, reader, reading) =
        (&directory.source, &directory.organization, &directory.current_user, &directory.reading);
    let fact = |name, value| Fact { name, value };
    let reader_profile = reader.profile.as_ref().map(|id| {
        let profile = directory.profiles.iter().find(|profile| profile.id == *id);
        profile.map_or(id.as_str(), |profile| &profile.name)
    });
    let by_status: Vec<String> = directory
        .users
        .by_status()
        .iter()
        .map(|(status, count)| format!("{} {}", number(*count), shown(status.word(), LABEL)))
        .collect();
    let attempts = match reading.attempts {
        0 | 1 => "read once".to_owned(),
        more => format!("read {more} times, because a check disagreed"),
    };
    let due = audit.trigger.as_ref().map(|trigger| fact("Due", trigger.sentence()));
    let facts = vec![
        fact(
            "Organization",
            format!("{} (id {})", text(organization.company_name.as_deref()), text(organization.id.as_deref())),
        ),
        fact(
            "Read from",
            format!(
                "{}, connector {}, data centre {}",
                shown(&source.api_url, LABEL),
                source.connector,
                source.data_center.as_deref().unwrap_or("not applicable")
            ),
        ),
        fact(
            "Read with the account",
            format!(
                "{} ({}), user {}, profile {}",
                text(reader.full_name.as_deref()),
                text(reader.email.as_deref()),
                shown(reader.id.as_str(), LABEL),
                text(reader_profile)
            ),
        ),
        fact(
            "Scopes of its token",
            source.scopes.as_ref().map_or_else(
                || "unknown: the token answer named none".to_owned(),
                |scopes| shown(&scopes.join(", "), PROSE),
            ),
        ),
        fact("Read", span(reading.started_at, reading.finished_at)),
        fact("Query of the user list", format!("{}; no other filter", shown(&reading.query, PROSE))),
        fact(
            "Pages",
            format!(
                "{} of up to {} users, {attempts}",
                count(reading.pages as usize, "page"),
                number(reading.per_page)
            ),
        ),
        fact(
            "Rows and users",
            match reading.rows.saturating_sub(reading.users) {
                0 => format!("{} rows, none repeated: {} distinct users", number(reading.rows), number(reading.users)),
                repeated => format!(
                    "{} rows, of which {} repeated: {} distinct users",
                    number(reading.rows),
                    number(repeated),
                    number(reading.users)
                ),
            },
        ),
        fact("Users by status", format!("{} = {} users", by_status.join(" + "), number(headline.counts.users))),
        fact(
            "Calls",
            format!(
                "{} requests, {} repeated; {} bytes received",
                number(reading.requests),
                if reading.retries == 0 { "none".to_owned() } else { number(reading.retries) },
                number(reading.bytes)
            ),
        ),
        fact("Licences bought", organization.users_license_purchased.map_or_else(|| UNKNOWN.to_owned(), number)),
        fact(
            "Compared with",
            findings::compared_with(input).unwrap_or_else(|| "nothing: this is the first audit".to_owned()),
        ),
        fact(
            "Not evaluated",
            "last login and second factor: the API gives neither, and nothing is inferred in their place".to_owned(),
        ),
    ];
    due.into_iter().chain(facts).collect()
}

/// The policy, as far as it decides what is a finding.
pub(super) fn policy(input: &ReportInput<'_>) -> Vec<Fact> {
    let policy = &input.audit.policy;
    let fact = |name, value| Fact { name, value };
    let off: Vec<&str> = policy
        .rules
        .iter()
        .filter(|(_, setting)| **setting == RuleSetting::Off)
        .map(|(rule, _)| rule.as_str())
        .collect();
    vec![
        fact("Administrator profiles", shown(&policy.administrator_profiles.join(", "), PROSE)),
        fact(
            "Approved administrators",
            policy
                .approved_administrators
                .as_ref()
                .map_or_else(|| "no list".to_owned(), |list| format!("a list of {}", number(list.len()))),
        ),
        fact(
            "Company domains",
            if policy.company_domains.is_empty() {
                "none written".to_owned()
            } else {
                shown(&policy.company_domains.join(", "), PROSE)
            },
        ),
        fact(
            "At most",
            format!(
                "{} and {} % of active users",
                count(policy.max_administrators, "administrator"),
                policy.max_administrator_percent
            ),
        ),
        fact("Rules switched off", if off.is_empty() { "none".to_owned() } else { shown(&off.join(", "), PROSE) }),
        fact("Exceptions written", number(policy.exceptions.len())),
    ]
}
