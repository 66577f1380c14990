//! Who had which access on an earlier day, what changed until another day, and how the access of one account changed. Every
//! answer names the audits that it rests on.

use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Area, Frame, Pager,
    text::{label, moment, path, prose, with_query},
    workspace::{Head, power},
};
use crate::{
    brief::change_sentence,
    console::{index::Indexed, viewer::Viewer},
    model::change::Change,
    past::{
        Held, Look, Moment, Read, State,
        answer::{PeriodRow, ReadRow},
    },
    words::{count, number},
};

/// Accounts of one page.
const ROWS: usize = 100;
/// Changes that are shown. The command line shows all.
const CHANGES: usize = 500;

/// What is asked for.
pub(in crate::console) struct Asked {
    /// The day, or a time. Empty for now.
    pub(in crate::console) on: String,
    /// The day to compare with. Empty if there is none.
    pub(in crate::console) until: String,
    /// A part of a name or of an address, or an id.
    pub(in crate::console) text: String,
    /// The page, from 1.
    pub(in crate::console) page: usize,
}

impl Asked {
    /// The moments that the days mean; or what is wrong with them.
    pub(in crate::console) fn moments(&self, now: DateTime<Utc>) -> Result<(Moment, Option<Moment>), String> {
        let moment = |text: &str| text.parse::<Moment>().map_err(|expected| format!("{}: {expected}", label(text)));
        let on = if self.on.is_empty() { Moment(now) } else { moment(&self.on)? };
        let until = if self.until.is_empty() { None } else { Some(moment(&self.until)?) };
        match until {
            Some(until) if until.0 < on.0 => Err("The day to compare with must not be before the other day".to_owned()),
            until => Ok((on, until)),
        }
    }
}

/// What was found.
pub(in crate::console) struct Seen {
    /// What the last audit up to the day saw.
    pub(in crate::console) look: Option<Look>,
    /// The first audit after the day, if there is none before.
    pub(in crate::console) next: Option<Read>,
    /// What changed until the other day.
    pub(in crate::console) compared: Option<Compared>,
}

/// Two audits, and what differs.
pub(in crate::console) struct Compared {
    pub(in crate::console) before: Read,
    pub(in crate::console) after: Read,
    pub(in crate::console) changes: Vec<Change>,
}

#[derive(Template)]
#[template(path = "console/past.html")]
pub(in crate::console) struct Day {
    frame: Frame,
    head: Head,
    address: String,
    on: String,
    until: String,
    text: String,
    problem: String,
    /// What the answer rests on.
    source: String,
    found: String,
    rows: Vec<Row>,
    pager: Pager,
    compared: Option<Changes>,
}

struct Row {
    name: String,
    address: String,
    email: String,
    status: String,
    role: String,
    profile: String,
    power: &'static str,
    is_full: bool,
}

struct Changes {
    source: String,
    found: String,
    sentences: Vec<String>,
}

/// The page of a day.
pub(in crate::console) fn day(viewer: &Viewer, audit: &Indexed, asked: &Asked, seen: Result<Seen, String>) -> Day {
    let workspace = &audit.record.workspace;
    let base = path(&["workspaces", workspace, "past"]);
    let address = |page: usize| {
        let page = if page > 1 { page.to_string() } else { String::new() };
        with_query(&base, &[("on", &asked.on), ("until", &asked.until), ("q", &asked.text), ("page", &page)])
    };
    let (seen, problem) = match seen {
        Ok(seen) => (seen, String::new()),
        Err(problem) => (Seen { look: None, next: None, compared: None }, problem),
    };
    let wanted = asked.text.to_lowercase();
    let has = |text: &Option<String>| text.as_ref().is_some_and(|text| text.to_lowercase().contains(&wanted));
    let is_found =
        |(id, state): &(&str, &State)| wanted.is_empty() || *id == wanted || has(&state.full_name) || has(&state.email);
    let accounts = seen.look.iter().flat_map(|look| look.accounts.iter());
    let found: Vec<_> = accounts.filter(is_found).collect();
    let pages = found.len().div_ceil(ROWS).max(1);
    let page = asked.page.min(pages);
    let shown = found.iter().skip((page - 1) * ROWS).take(ROWS);
    let source = match (&seen.look, &seen.next) {
        (Some(look), _) => format!("As read {}", read(&look.read)),
        (None, Some(next)) => format!("Not read by then. The first kept audit is of {}", moment(next.at)),
        (None, None) if problem.is_empty() => "Not read by then.".to_owned(),
        (None, None) => String::new(),
    };
    Day {
        frame: Frame::of(viewer, Area::Workspaces, format!("Earlier access, {}", label(workspace))),
        head: Head::of(audit, "past"),
        on: date(&asked.on),
        until: date(&asked.until),
        text: asked.text.clone(),
        problem,
        source,
        found: if seen.look.is_some() { count(found.len(), "account") } else { String::new() },
        rows: shown.map(|(id, state)| row(workspace, id, state)).collect(),
        pager: Pager::of(page, pages, address),
        compared: seen.compared.as_ref().map(changes),
        address: base.clone(),
    }
}

/// What a field for a date takes: empty if the text is something else, such as a time.
fn date(text: &str) -> String {
    text.parse::<NaiveDate>().map_or_else(|_| String::new(), |day| day.to_string())
}

fn row(workspace: &str, id: &str, state: &State) -> Row {
    let held = |held: &Option<Held>| held.as_ref().map(|held| label(held.name.as_ref().unwrap_or(&held.id)));
    let name = state.full_name.as_deref().or(state.email.as_deref()).unwrap_or(id);
    Row {
        name: label(name),
        address: path(&["workspaces", workspace, "users", id, "history"]),
        email: label(state.email.as_deref().filter(|email| *email != name).unwrap_or_default()),
        status: label(&state.status),
        role: held(&state.role).unwrap_or_default(),
        profile: held(&state.profile).unwrap_or_default(),
        power: power(state.power),
        is_full: state.power.is_full(),
    }
}

fn changes(compared: &Compared) -> Changes {
    let total = compared.changes.len();
    let found = if total > CHANGES {
        format!("{}; the first {} are shown, `rolecall diff` shows all", count(total, "change"), number(CHANGES))
    } else {
        count(total, "change")
    };
    Changes {
        source: format!("From what was read {} to what was read {}", read(&compared.before), read(&compared.after)),
        found,
        sentences: compared.changes.iter().take(CHANGES).map(|change| prose(&change_sentence(change))).collect(),
    }
}

/// A read as a person would look it up.
fn read(read: &Read) -> String {
    source(&ReadRow::from(read))
}

fn source(read: &ReadRow) -> String {
    let bag = read.bag.as_ref().map_or_else(|| "no evidence kept".to_owned(), |bag| format!("evidence {}", label(bag)));
    format!("on {}, audit {}, {bag}", moment(read.at), read.audit)
}

/// The page of the whole history of an account.
#[derive(Template)]
#[template(path = "console/history.html")]
pub(in crate::console) struct Account {
    frame: Frame,
    head: Head,
    name: String,
    address: String,
    gaps: String,
    periods: Vec<Period>,
}

/// A time in which every audit saw the same.
struct Period {
    when: String,
    said: String,
    is_full: bool,
    changes: Vec<String>,
    source: String,
}

/// The page of the whole history of an account, the latest first.
pub(in crate::console) fn account(viewer: &Viewer, audit: &Indexed, rows: &[PeriodRow], not_kept: usize) -> Account {
    let last = rows.iter().rev().find_map(|row| row.access.as_ref());
    let id = rows.last().map_or("", |row| row.user_id.as_str());
    let name = last.and_then(|access| access.full_name.as_deref().or(access.email.as_deref())).unwrap_or(id);
    let workspace = &audit.record.workspace;
    let gaps = match not_kept {
        0 => String::new(),
        _ => format!("{} passed over: neither a snapshot nor evidence is kept of them.", count(not_kept, "audit")),
    };
    Account {
        frame: Frame::of(viewer, Area::Workspaces, format!("History of {}, {}", label(name), label(workspace))),
        head: Head::of(audit, ""),
        name: label(name),
        // An account that is listed no more has no page of its own.
        address: audit.account(id).map(|_| path(&["workspaces", workspace, "users", id])).unwrap_or_default(),
        gaps,
        periods: rows.iter().rev().map(period).collect(),
    }
}

fn period(row: &PeriodRow) -> Period {
    let said = row.access.as_ref().map_or_else(
        || "not listed".to_owned(),
        |access| {
            let held = |name: &Option<String>, id: &Option<String>| {
                name.as_ref().or(id.as_ref()).map_or_else(|| "none".to_owned(), |name| label(name))
            };
            format!(
                "{}, profile {}, role {}",
                label(&access.status),
                held(&access.profile_name, &access.profile_id),
                held(&access.role_name, &access.role_id)
            )
        },
    );
    Period {
        when: match &row.changed_after {
            Some(before) => format!("between {} and {}", moment(before.at), moment(row.first_seen.at)),
            None => format!("on {} or before", moment(row.first_seen.at)),
        },
        said,
        is_full: row.access.as_ref().is_some_and(|access| matches!(access.power, "administrator" | "equivalent")),
        changes: row.changes.iter().map(|change| prose(change)).collect(),
        source: format!("First seen {}; last seen {}", source(&row.first_seen), source(&row.last_seen)),
    }
}
