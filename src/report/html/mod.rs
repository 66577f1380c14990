//! `report.html`: the whole report for people, as one file.
//!
//! It opens with the answer and ends with how the data was obtained. No script, nothing loaded from
//! elsewhere. Each section has a budget of bytes ([`text::Budget`]), so that the file stays under 5 MB however
//! many users there are and whatever their names; what a section leaves out it counts, and names the file
//! that has it. The templates under `templates/report/` escape every value.

mod findings;
mod provenance;
mod structure;
mod text;
mod users;

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use askama::Template;

use super::{
    ReportInput,
    summary::{self, Action, Headline, State},
};
use crate::words::{count, number};
use findings::{ChangeRow, Group};
use provenance::{CheckRow, Fact};
use structure::{ProfileRow, RoleRow, RuleRow};
use text::{LABEL, PROSE, Part, Span, moment, shown, spans};
use users::UserTables;

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// The page.
#[derive(Template)]
#[template(path = "report/report.html")]
struct Page {
    workspace: String,
    company: Option<String>,
    judged: String,
    judged_at: String,
    state: &'static str,
    state_class: &'static str,
    problems: Vec<CheckRow>,
    incidents: Vec<String>,
    tiles: Vec<Tile>,
    headline: Headline,
    since: Option<String>,
    actions: Vec<Todo>,
    groups: Vec<Group>,
    findings: Part<()>,
    changes: Part<ChangeRow>,
    /// How many changes of each kind there are.
    change_counts: String,
    users: UserTables,
    approval_list: bool,
    roles: Part<RoleRow>,
    profiles: Part<ProfileRow>,
    rules: Vec<RuleRow>,
    rule_counts: String,
    facts: Vec<Fact>,
    checks: Vec<CheckRow>,
    checks_have_details: bool,
    policy: Vec<Fact>,
    audit_id: String,
    version: &'static str,
}

impl Page {
    /// A count as the page writes it.
    fn n(count: impl Borrow<usize>) -> String {
        number(*count.borrow())
    }
}

/// A number that the reader should see first.
struct Tile {
    value: String,
    label: String,
    note: String,
}

/// What to do about the findings of one rule.
struct Todo {
    title: String,
    action: Action,
    whom: String,
    advice: Vec<Span>,
}

pub(super) fn write(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    page(input).write_into(&mut out)?;
    out.flush()
}

fn page(input: &ReportInput<'_>) -> Page {
    let audit = input.audit;
    let headline = printable(input, summary::headline(audit, input.matrix));
    let (groups, findings) = findings::groups(input);
    let (rules, rule_counts) = structure::rules(input);
    let checks = provenance::checks(input);
    Page {
        workspace: shown(&audit.workspace, LABEL),
        company: audit.directory.organization.company_name.as_deref().map(|name| shown(name, LABEL)),
        judged: moment(audit.judged_at),
        judged_at: audit.judged_at.to_rfc3339(),
        state: headline.state.word(),
        state_class: state_class(headline.state),
        problems: if headline.state == State::Incomplete { provenance::problems(input) } else { Vec::new() },
        incidents: audit.incident_sentences().iter().map(|sentence| shown(sentence, PROSE)).collect(),
        tiles: tiles(&headline, &findings::ChangeCounts::of(audit)),
        since: audit.drift.previous.as_ref().map(|previous| moment(previous.finished_at)),
        actions: actions(input, &headline),
        groups,
        findings,
        changes: findings::changes(input),
        change_counts: findings::ChangeCounts::of(audit).words(),
        users: users::tables(input),
        approval_list: audit.policy.approved_administrators.is_some(),
        roles: structure::roles(input),
        profiles: structure::profiles(input),
        rules,
        rule_counts,
        facts: provenance::facts(input, &headline),
        checks_have_details: checks.iter().any(|check| !check.detail.is_empty()),
        checks,
        policy: provenance::policy(input),
        audit_id: audit.id.to_string(),
        version: audit.version,
        headline,
    }
}

/// The headline with texts cut for the page, and with what the page says elsewhere left out of them.
fn printable(input: &ReportInput<'_>, mut headline: Headline) -> Headline {
    for person in &mut headline.administrators {
        person.label = shown(&person.label, LABEL);
        person.email = person.email.as_deref().map(|address| shown(address, LABEL));
        person.profile = shown(&person.profile, LABEL);
    }
    // The badge above it says so already.
    let verdict = headline.verdict.strip_prefix(summary::INCOMPLETE).unwrap_or(&headline.verdict);
    headline.verdict = text::sentence(&shown(verdict, PROSE * 2));
    let changes = input.audit.drift.changes.iter().take(headline.changes.len());
    headline.changes = changes.map(|change| findings::sentence(input, change)).collect();
    headline
}

fn state_class(state: State) -> &'static str {
    match state {
        State::Incomplete => "incomplete",
        State::Act => "act",
        State::Review => "review",
        State::Clear => "clear",
    }
}

fn tiles(headline: &Headline, changes: &findings::ChangeCounts) -> Vec<Tile> {
    let counts = &headline.counts;
    let tile = |value: usize, one: &str, many: &str, note: String| Tile {
        value: number(value),
        label: if value == 1 { one } else { many }.to_owned(),
        note,
    };
    let gained = match counts.administrators_gained {
        Some(0) => "as many as last time".to_owned(),
        Some(gained) => format!("{gained:+} since last time"),
        None => format!("{:.1} % of active users", share(counts.administrators, counts.active)),
    };
    let grave: Vec<String> = counts
        .open
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{} {severity}", number(*count)))
        .collect();
    let incomplete = headline.state == State::Incomplete;
    let found = if incomplete { "so far: the read is incomplete".to_owned() } else { grave.join(", ") };
    let excepted =
        if counts.excepted == 0 { String::new() } else { format!("; {} accepted", Page::n(counts.excepted)) };
    let mut tiles = vec![
        tile(counts.administrators, "administrator", "administrators", gained),
        tile(counts.open_total, "open finding", "open findings", format!("{found}{excepted}")),
    ];
    if let Some(new) = counts.new {
        let resolved = match changes.resolved {
            0 => "none resolved".to_owned(),
            resolved => format!("{} resolved", Page::n(resolved)),
        };
        tiles.push(tile(new, "new finding", "new findings", resolved));
        let of = "of users, roles and profiles".to_owned();
        tiles.push(tile(changes.access, "change", "changes", of));
    }
    let others = format!("of {}, whatever their status", count(counts.users, "user"));
    tiles.push(tile(counts.active, "active user", "active users", others));
    tiles
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn actions(input: &ReportInput<'_>, headline: &Headline) -> Vec<Todo> {
    let todo = |action: &Action| Todo {
        title: input.rule_title(&action.rule).to_owned(),
        whom: shown(&action.whom(), PROSE),
        advice: input.advice(&action.rule).map_or_else(Vec::new, |advice| spans(&advice)),
        action: action.clone(),
    };
    headline.actions.iter().map(todo).collect()
}

#[cfg(test)]
mod tests;
