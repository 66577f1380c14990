//! The first screen: the brief, with its texts cut and cleaned for a page.

use super::text::{LABEL, PROSE, sentence, shown};
use crate::{
    brief::Brief,
    model::finding::Severity,
    words::{form, number},
};

/// The brief on the page.
pub(super) struct Answer {
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) verdict: String,
    pub(super) problems: Vec<String>,
    pub(super) incidents: Vec<String>,
    pub(super) tiles: Vec<Tile>,
    pub(super) people: Vec<Person>,
    /// Administrators who are not among [`people`](Self::people).
    pub(super) more_people: usize,
    pub(super) change_summary: String,
    pub(super) changes: Vec<String>,
    /// Changes that are not among [`changes`](Self::changes).
    pub(super) more_changes: usize,
    /// Who should resolve the points that name nobody else; empty if each names its own.
    pub(super) usual_who: String,
    pub(super) nothing_to_do: &'static str,
    /// Whether no open finding asks for action.
    pub(super) nothing: bool,
}

/// A number that the reader should see first.
pub(super) struct Tile {
    pub(super) value: String,
    pub(super) label: &'static str,
    pub(super) note: String,
}

/// Somebody who can administer.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) notes: String,
    pub(super) new: bool,
}

pub(super) fn answer(brief: &Brief) -> Answer {
    let people: Vec<Person> = brief.administrators.named.iter().map(person).collect();
    let lines = brief.changes.as_ref().map_or(&[][..], |changes| &changes.lines);
    let access = brief.changes.as_ref().map_or(0, |changes| changes.access);
    let problem = |(title, detail): &(&'static str, String)| format!("{}: {}", sentence(title), shown(detail, PROSE));
    Answer {
        state: brief.state.word(),
        class: brief.class(),
        verdict: shown(&brief.verdict, PROSE * 3),
        problems: brief.not_evaluated.problems.iter().map(problem).collect(),
        incidents: brief.incidents.iter().map(|sentence| shown(sentence, PROSE)).collect(),
        tiles: tiles(brief),
        more_people: brief.administrators.all - people.len(),
        people,
        change_summary: brief.change_summary(),
        changes: lines.iter().map(|line| shown(&line.sentence, PROSE)).collect(),
        more_changes: access - lines.len(),
        usual_who: brief.usual_who().map_or_else(String::new, |who| shown(&who.to_string(), PROSE)),
        nothing_to_do: brief.nothing_to_do(),
        nothing: brief.actions.is_empty(),
    }
}

fn person(person: &crate::brief::Person) -> Person {
    Person {
        name: shown(&person.label, LABEL),
        email: person.email.as_deref().map_or_else(|| "address unknown".to_owned(), |address| shown(address, LABEL)),
        notes: shown(&person.notes(), LABEL * 2),
        new: person.new,
    }
}

fn tiles(brief: &Brief) -> Vec<Tile> {
    let counts = &brief.counts;
    let tile = |value: usize, one, many, note| Tile { value: number(value), label: form(value, one, many), note };
    let changed = counts.administrators_changed.map_or_else(
        || format!("{:.1} % of active users", share(counts.administrators, counts.active)),
        |changed| format!("{} since the previous audit", changed.phrase()),
    );
    let (least, changed) = match counts.unknown() {
        unknown if unknown.is_empty() => ("", changed),
        unknown => ("at least ", format!("{unknown}; {changed}")),
    };
    let so_far = if brief.is_complete() { "" } else { "so far: " };
    let accepted = match counts.accepted {
        0 => String::new(),
        accepted => format!("; {} accepted (by exception)", number(accepted)),
    };
    let found = format!("{so_far}{}{accepted}", counts.severities(&Severity::ALL));
    let mut tiles = vec![
        Tile {
            value: format!("{least}{}", number(counts.administrators)),
            label: form(counts.administrators, "administrator", "administrators"),
            note: changed,
        },
        tile(counts.open_total, "open finding", "open findings", found),
    ];
    if let Some(changes) = &brief.changes {
        let resolved = match changes.resolved {
            0 => "none resolved".to_owned(),
            resolved => format!("{} resolved", number(resolved)),
        };
        let again = match changes.reopened {
            0 => String::new(),
            reopened => format!("; {} open again", number(reopened)),
        };
        tiles.push(tile(changes.new_findings, "new finding", "new findings", format!("{resolved}{again}")));
        let is_of_policy = !changes.loosened.is_empty() || !changes.tightened.is_empty();
        let of = if is_of_policy { "of access and of the policy" } else { "of users, roles and profiles" }.to_owned();
        tiles.push(tile(changes.access, "change", "changes", of));
    }
    tiles.push(tile(counts.active, "active user", "active users", shown(&counts.population, PROSE)));
    tiles
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}
