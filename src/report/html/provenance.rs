//! How the data was collected: what an auditor asks first.

use chrono::{DateTime, Utc};

use super::text::{LABEL, PROSE, date, moment, precise, sentence, shown};
use crate::{
    brief::{NOT_EXPOSED, roster},
    model::reading::Check,
    report::{
        ReportInput,
        cell::{UNKNOWN, replaced},
    },
    words::{count, number},
};

/// A fact and its name.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

pub(super) fn fact(name: &'static str, value: String) -> Fact {
    Fact { name, value }
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

/// How many checks of the read agree, in a sentence or two.
pub(super) fn check_counts(input: &ReportInput<'_>) -> String {
    let checks = &input.audit.directory.reading.checks;
    let of = |class| checks.iter().filter(|check| check_row(check).class == class).count();
    let (failed, unevaluated) = (of("failed"), of("unevaluated"));
    let agreement = match failed {
        0 => format!("{} of the read agree.", count(checks.len() - unevaluated, "check")),
        failed => format!("{} of {} of the read disagree.", number(failed), count(checks.len(), "check")),
    };
    match unevaluated {
        0 => agreement,
        unevaluated => format!("{agreement} {} could not be evaluated.", number(unevaluated)),
    }
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| shown(value, LABEL))
}

/// From when to when; the day once if it is the same.
fn span(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    if start.date_naive() == end.date_naive() {
        format!("{}, {} to {} UTC", date(start), start.format("%H:%M:%S"), end.format("%H:%M:%S"))
    } else {
        format!("{} to {}", precise(start), precise(end))
    }
}

/// The facts of the read.
pub(super) fn facts(input: &ReportInput<'_>) -> Vec<Fact> {
    let due = input.audit.trigger.as_ref().map(|trigger| fact("Scheduled", trigger.sentence()));
    let last = [fact("Compared with", compared_with(input)), fact("Not evaluated", NOT_EXPOSED.to_owned())];
    let roster = roster(input.audit).map(|text| fact("Roster", shown(&text, PROSE)));
    let replaced = replaced(&input.audit.directory).map(|text| fact("Replaced in tables", text));
    let facts = due.into_iter().chain(source_facts(input)).chain(reading_facts(input));
    facts.chain(roster).chain(replaced).chain(last).collect()
}

/// What was read, where, and with which account.
fn source_facts(input: &ReportInput<'_>) -> [Fact; 5] {
    let directory = &input.audit.directory;
    let (source, organization, reader) = (&directory.source, &directory.organization, &directory.current_user);
    let profile = reader.profile.as_ref().map(|id| {
        let profile = directory.profiles.iter().find(|profile| profile.id == *id);
        profile.map_or(id.as_str(), |profile| &profile.name)
    });
    let scopes = source.scopes.as_ref().map(|scopes| shown(&scopes.join(", "), PROSE));
    [
        fact(
            "Organization",
            format!("{} (id {})", text(organization.company_name.as_deref()), text(organization.id.as_deref())),
        ),
        fact(
            "Read from",
            format!(
                "{}, connector {}, data center {}",
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
                text(profile)
            ),
        ),
        fact(
            "Scopes of its token",
            scopes.unwrap_or_else(|| "unknown: the token response did not name any".to_owned()),
        ),
        fact("Licensed seats", organization.users_license_purchased.map_or_else(|| UNKNOWN.to_owned(), number)),
    ]
}

/// When and how completely it was read.
fn reading_facts(input: &ReportInput<'_>) -> [Fact; 6] {
    let reading = &input.audit.directory.reading;
    let attempts = match reading.attempts {
        0 | 1 => "read once".to_owned(),
        more => format!("read {more} times, because a check disagreed"),
    };
    let repeated = match reading.rows.saturating_sub(reading.users) {
        0 => "none repeated".to_owned(),
        repeated => format!("{} repeated", number(repeated)),
    };
    let retries = match reading.retries {
        0 => "none repeated".to_owned(),
        retries => format!("{} repeated", number(retries)),
    };
    [
        fact("Read", span(reading.started_at, reading.finished_at)),
        fact("Query of the user list", format!("{}; no other filter", shown(&reading.query, PROSE))),
        fact(
            "Pages",
            format!("{} of up to {}, {attempts}", count(reading.pages, "page"), count(reading.per_page, "user")),
        ),
        fact(
            "Rows and users",
            format!("{}, {repeated}: {}", count(reading.rows, "row"), count(reading.users, "distinct user")),
        ),
        fact("Users", shown(&input.brief.counts.population, PROSE)),
        fact(
            "Calls",
            format!("{}, {retries}; {} received", count(reading.requests, "request"), count(reading.bytes, "byte")),
        ),
    ]
}

/// The audit that was compared with.
fn compared_with(input: &ReportInput<'_>) -> String {
    input.audit.drift.previous.as_ref().map_or_else(
        || "nothing: this is the first audit".to_owned(),
        |previous| {
            format!(
                "audit {} of {}: {}, {}",
                shown(&previous.id, LABEL),
                moment(previous.finished_at),
                count(previous.users, "user"),
                count(previous.administrators, "administrator"),
            )
        },
    )
}
