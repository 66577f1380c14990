//! The access matrix on the page: users with a finding first, then users with power, then as many of the rest as there
//! is room for.

use std::collections::HashSet;

use super::text::{Budget, LABEL, Part, shown};
use crate::{
    access::{
        matrix::{Joined, MatrixRow},
        power::Power,
    },
    model::{email, finding::Subject, users::UserIndex},
    report::{ReportInput, cell::UNKNOWN},
    words::{count, number},
};

/// Users with a finding or power that the page shows at once, and paper too.
const FIRST: usize = 40;
/// Users with a finding that the page shows, the most severe findings first.
const FLAGGED: usize = 2000;
/// Users with power but no finding that the page shows.
const POWERFUL: usize = 1000;
/// Users with neither that the page shows.
const REST: usize = 500;
/// Users with neither that paper shows; if there are more, it shows none.
const PRINTED: usize = 40;
/// Bytes that the matrix may take.
const MATRIX_BYTES: usize = 2_000_000;

/// The access matrix.
pub(super) struct Users {
    /// The users to look at first: those with a finding, then those with power.
    pub(super) first: Vec<UserRow>,
    /// The others, folded.
    pub(super) others: Vec<UserRow>,
    /// Which users the page shows, in words; said if it does not show all.
    pub(super) which: String,
    /// Which users paper shows, in words; empty if it shows all.
    pub(super) on_paper: String,
    /// How many users there are and are shown.
    pub(super) count: Part<()>,
    /// Whether any user has a finding.
    pub(super) flagged: bool,
}

/// One user.
pub(super) struct UserRow {
    pub(super) name: String,
    /// The address, or the id if there is none.
    pub(super) address: String,
    /// What is special about the account: its status, power beyond the profile. Nothing for an ordinary active user.
    pub(super) notes: Vec<String>,
    pub(super) role: String,
    pub(super) profile: String,
    /// Whether the profile makes an administrator.
    pub(super) administrator: bool,
    pub(super) rules: Vec<String>,
}

impl UserRow {
    fn fits(&self, budget: &mut Budget) -> bool {
        let texts = [&self.name, &self.address, &self.role, &self.profile];
        // A rule stands in the text and in the link.
        let lists = self.notes.iter().chain(&self.rules).chain(&self.rules);
        budget.take_with(MARKUP, &texts.into_iter().chain(lists).map(String::as_str).collect::<Vec<_>>())
    }
}

/// The bytes of markup around a row, generously.
const MARKUP: usize = 400;

pub(super) fn users(input: &ReportInput<'_>) -> Users {
    let mut page =
        Page { input, rows: Vec::new(), met: HashSet::new(), budget: Budget::new(MATRIX_BYTES), full: false };
    let about_users = input.audit.findings.iter().filter_map(|finding| match finding.subject {
        Subject::User(index) => Some(index),
        _ => None,
    });
    let mut seen = HashSet::new();
    let flagged: Vec<UserIndex> = about_users.filter(|index| seen.insert(*index)).collect();
    let powerful = || {
        let rows = input.matrix.rows().filter(|row| !row.user.status().is_deleted() && is_powerful(input, row));
        rows.map(|row| row.user.index()).filter(|index| !seen.contains(index))
    };
    let shown_flagged = page.add(flagged.iter().copied(), FLAGGED);
    let shown_powerful = page.add(powerful(), POWERFUL);
    let important = page.rows.len();
    let shown_rest = page.add(input.matrix.rows().map(|row| row.user.index()), REST);
    let all = input.matrix.rows().len();
    let hidden = all - page.rows.len();
    let others = page.rows.split_off(important.min(FIRST));
    let all_powerful = powerful().count();
    let with_either = flagged.len() + all_powerful;
    let which = format!(
        "{} of {} users with a finding (the most severe first), {} of {} with power and no finding, and the first {} of \
         the others by id",
        number(shown_flagged),
        number(flagged.len()),
        number(shown_powerful),
        number(all_powerful),
        number(shown_rest)
    );
    Users {
        on_paper: if others.len() <= PRINTED && hidden == 0 {
            String::new()
        } else {
            on_paper(page.rows.len(), with_either, all)
        },
        first: page.rows,
        others,
        which,
        count: Part { rows: Vec::new(), all, hidden },
        flagged: !flagged.is_empty(),
    }
}

/// Which users paper shows: so many of those with a finding or known power.
fn on_paper(shown: usize, important: usize, all: usize) -> String {
    let all = count(all, "user");
    let which = match important {
        0 => format!("None of {all} has a finding or known power."),
        many if many > shown => {
            format!("{} of {all}: the first of {} with a finding or known power.", number(shown), number(many))
        }
        _ => format!("{} of {all}: those with a finding or known power.", number(shown)),
    };
    format!("{which} access-matrix.csv and report.xlsx have every user.")
}

/// The rows of the page, as they are gathered.
struct Page<'p, 'a> {
    input: &'p ReportInput<'a>,
    rows: Vec<UserRow>,
    met: HashSet<UserIndex>,
    budget: Budget,
    /// Whether a row did not fit: then no less important one takes its place.
    full: bool,
}

impl Page<'_, '_> {
    /// Adds users that are not on it yet, at most `limit`, and says how many it added.
    fn add(&mut self, users: impl Iterator<Item = UserIndex>, limit: usize) -> usize {
        let before = self.rows.len();
        for index in users {
            if self.full || self.rows.len() - before == limit {
                break;
            }
            if self.met.contains(&index) {
                continue;
            }
            let row = user_row(self.input, &self.input.matrix.row(index));
            self.full = !row.fits(&mut self.budget);
            if !self.full {
                self.met.insert(index);
                self.rows.push(row);
            }
        }
        self.rows.len() - before
    }
}

fn is_powerful(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> bool {
    row.power().is_full() || is_primary(input, row)
}

fn has_admin_role(row: &MatrixRow<'_>) -> bool {
    row.role.and_then(|role| role.master).is_some_and(|role| role.admin_user == Some(true))
}

fn is_primary(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> bool {
    let primary = input.audit.directory.organization.primary_zuid.as_ref();
    row.user.zuid().is_some_and(|zuid| primary.is_some_and(|primary| primary.as_str() == zuid))
}

fn user_row(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> UserRow {
    let user = row.user;
    let name = match user.full_name() {
        Some(text) if text.trim().is_empty() => "(no name)".to_owned(),
        Some(text) => shown(text, LABEL),
        None => UNKNOWN.to_owned(),
    };
    let address = user.email().filter(|address| !address.trim().is_empty());
    UserRow {
        name,
        address: address.map_or_else(|| format!("id {}", shown(user.id(), LABEL)), |address| shown(address, LABEL)),
        notes: notes(input, row),
        role: held(row.role, row.role_name()),
        profile: held(row.profile, row.profile_name()),
        administrator: row.profile_power.is_full(),
        rules: input.flagged.of(user.index()).map(str::to_owned).collect(),
    }
}

/// What is special about an account.
fn notes(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> Vec<String> {
    let status = row.user.status();
    let mut notes = Vec::new();
    if !status.is_active() {
        notes.push(shown(status.word(), LABEL));
    }
    let confirmed = match row.user.confirmed() {
        Some(true) => None,
        Some(false) => Some("invitation not accepted"),
        None => Some("confirmation unknown"),
    };
    let powers = [
        (row.profile_power == Power::Equivalent).then_some("profile equivalent to Administrator"),
        has_admin_role(row).then_some("administrative role"),
        is_primary(input, row).then_some("primary user"),
        approved(input, row),
    ];
    notes.extend(confirmed.into_iter().chain(powers.into_iter().flatten()).map(str::to_owned));
    notes
}

fn held<Id: std::fmt::Display, Master>(joined: Option<Joined<'_, Id, Master>>, name: Option<&str>) -> String {
    match (joined, name) {
        (None, _) => "none".to_owned(),
        (Some(_), Some(name)) => shown(name, LABEL),
        (Some(joined), None) => format!("not in the list: id {}", shown(&joined.stated.id.to_string(), LABEL)),
    }
}

/// Whether the policy approves an administrator, if it says whom it approves.
fn approved(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> Option<&'static str> {
    let list = input.audit.policy.approved_administrators.as_ref().filter(|_| row.power().is_full())?;
    let listed = row.user.email().map(|address| list.contains(&email::comparable(address)));
    Some(match listed {
        Some(true) => "approved",
        Some(false) => "not approved",
        None => "approval unknown",
    })
}
