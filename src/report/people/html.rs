//! `people.html`: the view over the workspaces on one page. No script, nothing loaded; what it leaves out it counts.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use askama::Template;

use super::PeopleInput;
use crate::{
    people::{Account, Activity, People, Person, Standing},
    report::html::text::{Budget, LABEL, PROSE, moment, shown},
    words::number,
};

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;
/// People that a list shows.
const LISTED: usize = 60;
/// People that the matrix shows at once, and paper too.
const FIRST: usize = 40;
/// People that the matrix shows in all.
const ROWS: usize = 2_000;
/// Bytes that the matrix may take.
const MATRIX_BYTES: usize = 2_000_000;
/// The bytes of markup around an account, generously.
const MARKUP: usize = 300;

/// The page.
#[derive(Template)]
#[template(path = "report/people.html")]
struct Page {
    job: String,
    made: String,
    made_at: String,
    state: &'static str,
    class: &'static str,
    verdict: String,
    missing: Vec<String>,
    tiles: Vec<(String, &'static str, String)>,
    left_behind: Vec<Line>,
    more_left_behind: usize,
    conflicts: Vec<(&'static str, Line)>,
    more_conflicts: usize,
    administrators: Vec<Line>,
    more_administrators: usize,
    first: Vec<Row>,
    others: Vec<Row>,
    hidden: usize,
    workspaces: Vec<(String, String)>,
    version: &'static str,
}

/// A person in a list, and where.
struct Line {
    name: String,
    address: String,
    note: String,
}

/// A person in the matrix.
struct Row {
    name: String,
    address: String,
    notes: Vec<&'static str>,
    accounts: Vec<Cell>,
}

/// What a person has in one workspace.
struct Cell {
    workspace: String,
    /// Profile and role.
    access: String,
    /// Status and power, if they are not ordinary.
    notes: Vec<String>,
    power: bool,
}

impl Page {
    /// A count as the page writes it.
    fn n(count: impl Borrow<usize>) -> String {
        number(*count.borrow())
    }
}

pub(super) fn write(input: &PeopleInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    page(input).write_into(&mut out)?;
    out.flush()
}

fn page(input: &PeopleInput<'_>) -> Page {
    let people = input.people;
    let left_behind: Vec<&Person> = people.left_behind().collect();
    let administrators = people.administrators();
    let missing = people.missing();
    let (state, class) = match () {
        () if !missing.is_empty() => ("Incomplete", "incomplete"),
        () if people.open_conflicts().next().is_some() => ("Action needed", "act"),
        () if !left_behind.is_empty() => ("Review needed", "review"),
        () => ("No account left behind", "neutral"),
    };
    let line = |person: &&Person, note: String| Line {
        name: shown(&person.label, LABEL),
        address: person.address.as_deref().map(|address| shown(address, LABEL)).unwrap_or_default(),
        note: shown(&note, PROSE),
    };
    let (first, others, hidden) = rows(people);
    Page {
        job: shown(input.job.unwrap_or("Audit on demand"), LABEL),
        made: moment(input.at),
        made_at: input.at.to_rfc3339(),
        state,
        class,
        verdict: shown(&people.verdict(), PROSE * 3),
        tiles: tiles(people, left_behind.len(), administrators.len()),
        conflicts: (people.conflicts.iter().take(LISTED))
            .map(|one| (one.severity.word(), line(&&people.persons[one.person], one.sentence.clone())))
            .collect(),
        more_conflicts: people.conflicts.len().saturating_sub(LISTED),
        more_left_behind: left_behind.len().saturating_sub(LISTED),
        more_administrators: administrators.len().saturating_sub(LISTED),
        left_behind: left_behind.iter().take(LISTED).map(|one| line(one, people.left_behind_in(one))).collect(),
        administrators: administrators.iter().take(LISTED).map(|one| line(one, people.administers_in(one))).collect(),
        first,
        others,
        hidden,
        workspaces: people.workspaces.iter().map(workspace).collect(),
        missing: missing.iter().map(|sentence| shown(sentence, PROSE)).collect(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn tiles(people: &People, left_behind: usize, administrators: usize) -> Vec<(String, &'static str, String)> {
    let read = people.read().count();
    let accounts = people.persons.iter().flat_map(|person| &person.accounts).filter(|one| one.missed_at.is_none());
    let several = people.persons.iter().filter(|person| person.active_in().len() > 1).count();
    vec![
        (format!("{} of {}", number(read), number(people.workspaces.len())), "workspaces read", String::new()),
        (number(people.persons.len()), "people", format!("{} accounts", number(accounts.count()))),
        (number(several), "active in several", String::new()),
        (number(administrators), "can administer", "at least one workspace".to_owned()),
        (number(left_behind), "left behind", "active in one, disabled or removed in another".to_owned()),
    ]
}

fn workspace(workspace: &crate::people::Workspace) -> (String, String) {
    let read = workspace.read_at.map(moment).unwrap_or_default();
    let said = match &workspace.standing {
        Standing::Complete => format!("read {read}"),
        Standing::Incomplete => format!("read {read}, incompletely"),
        Standing::Missing(reason) => format!("not read: {reason}"),
    };
    (shown(&workspace.name, LABEL), shown(&said, PROSE))
}

/// The people who come first, those who are folded, and how many the page does not show.
fn rows(people: &People) -> (Vec<Row>, Vec<Row>, usize) {
    let mut ordered: Vec<&Person> = people.persons.iter().collect();
    // Stable: people of one kind stay in their order.
    ordered.sort_by_key(|person| {
        let administers = person.administers().len();
        (!person.is_left_behind(), std::cmp::Reverse(administers), std::cmp::Reverse(person.active_in().len()))
    });
    let mut budget = Budget::new(MATRIX_BYTES);
    let mut shown = Vec::new();
    for person in ordered.iter().take(ROWS) {
        let row = row(people, person);
        if !row.fits(&mut budget) {
            break;
        }
        shown.push(row);
    }
    let hidden = people.persons.len() - shown.len();
    let others = shown.split_off(shown.len().min(FIRST));
    (shown, others, hidden)
}

fn row(people: &People, person: &Person) -> Row {
    let mut notes = Vec::new();
    if person.is_left_behind() {
        notes.push("left behind");
    }
    if person.address.is_none() {
        notes.push("no address");
    }
    Row {
        name: shown(&person.label, LABEL),
        address: person.address.as_deref().map(|address| shown(address, LABEL)).unwrap_or_default(),
        notes,
        accounts: person.accounts.iter().map(|account| cell(people, account)).collect(),
    }
}

fn cell(people: &People, account: &Account) -> Cell {
    let held: Vec<&str> =
        [people.profile(account), people.role(account)].into_iter().filter(|text| !text.is_empty()).collect();
    let mut notes = Vec::new();
    if account.activity != Activity::Active {
        notes.push(shown(&account.status, LABEL));
    }
    if account.can_administer() {
        notes.push("can administer".to_owned());
    }
    Cell {
        workspace: shown(people.name(account.workspace), LABEL),
        access: shown(&held.join(", "), LABEL),
        notes,
        power: account.can_administer(),
    }
}

impl Row {
    fn fits(&self, budget: &mut Budget) -> bool {
        let cells =
            self.accounts.iter().flat_map(|cell| [&cell.workspace, &cell.access].into_iter().chain(&cell.notes));
        let texts: Vec<&str> = [&self.name, &self.address].into_iter().chain(cells).map(String::as_str).collect();
        budget.take_with(MARKUP * (1 + self.accounts.len()), &texts)
    }
}
