//! Users on the page: the privileged, the flagged, and as many of the rest as there is room for.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Budget, LABEL, Part, shown};
use crate::{
    access::matrix::{Joined, MatrixRow},
    model::{email, finding::Subject, users::UserIndex},
    report::{ReportInput, cell::UNKNOWN},
    words::number,
};

/// Privileged users that the page shows.
const PRIVILEGED: usize = 1000;
/// Bytes that they may take in their table.
const PRIVILEGED_BYTES: usize = 700_000;
/// Flagged users that the matrix on the page shows, the most severe findings first.
const FLAGGED: usize = 2000;
/// Users that are neither privileged nor flagged.
const REST: usize = 500;
/// Bytes that the matrix may take.
const MATRIX_BYTES: usize = 1_600_000;

/// The two tables of users.
pub(super) struct UserTables {
    /// Users with power, deleted ones apart.
    pub(super) privileged: Part<UserRow>,
    /// Rows of the access matrix, by user id.
    pub(super) matrix: Part<UserRow>,
    /// Which rows the matrix shows, in words; empty if it shows all.
    pub(super) which: String,
}

/// One user.
pub(super) struct UserRow {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) confirmed: &'static str,
    pub(super) role: String,
    pub(super) profile: String,
    pub(super) administrator: bool,
    pub(super) power: String,
    pub(super) approved: &'static str,
    pub(super) findings: String,
}

impl UserRow {
    fn texts(&self) -> Vec<&str> {
        [&self.name, &self.email, &self.id, &self.status, &self.role, &self.profile, &self.power, &self.findings]
            .map(String::as_str)
            .to_vec()
    }
}

pub(super) fn tables(input: &ReportInput<'_>) -> UserTables {
    let powerful: Vec<UserIndex> = input
        .matrix
        .rows()
        .filter(|row| !row.user.status().is_deleted() && is_powerful(input, row))
        .map(|row| row.user.index())
        .collect();
    let privileged = Part::of(
        powerful.iter(),
        PRIVILEGED,
        Budget::new(PRIVILEGED_BYTES),
        |index| user_row(input, &input.matrix.row(*index)),
        UserRow::texts,
    );
    let (matrix, which) = matrix(input, &powerful);
    UserTables { privileged, matrix, which }
}

fn matrix(input: &ReportInput<'_>, powerful: &[UserIndex]) -> (Part<UserRow>, String) {
    let mut budget = Budget::new(MATRIX_BYTES);
    let mut rows: BTreeMap<UserIndex, UserRow> = BTreeMap::new();
    let mut show = |index: UserIndex, rows: &mut BTreeMap<UserIndex, UserRow>| {
        let row = user_row(input, &input.matrix.row(index));
        let fits = budget.take(&row.texts());
        if fits {
            rows.insert(index, row);
        }
        fits
    };
    // Users with power come first, then flagged users by severity, then the rest.
    let with_power = powerful.iter().take(PRIVILEGED).take_while(|index| show(**index, &mut rows)).count();
    let mut met = BTreeSet::new();
    let mut flagged = 0;
    let mut shown_flagged = 0;
    let mut room = with_power == powerful.len().min(PRIVILEGED);
    for finding in &input.audit.findings {
        let Subject::User(index) = finding.subject else { continue };
        if !met.insert(index) {
            continue;
        }
        flagged += 1;
        if rows.contains_key(&index) {
            shown_flagged += 1;
        } else if room && shown_flagged < FLAGGED {
            room = show(index, &mut rows);
            shown_flagged += usize::from(room);
        }
    }
    let mut rest = 0;
    for row in input.matrix.rows() {
        let index = row.user.index();
        if !room || rest == REST {
            break;
        }
        if !rows.contains_key(&index) && !met.contains(&index) {
            room = show(index, &mut rows);
            rest += usize::from(room);
        }
    }
    let all = input.matrix.rows().len();
    let hidden = all - rows.len();
    let which = if hidden == 0 {
        String::new()
    } else {
        format!(
            "{} of {} users with power, {} of {} with a finding (the most severe first), and the first {} of the others \
             by id",
            number(with_power),
            number(powerful.len()),
            number(shown_flagged),
            number(flagged),
            number(rest)
        )
    };
    (Part { rows: rows.into_values().collect(), all, hidden }, which)
}

fn is_powerful(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> bool {
    row.administrator || has_admin_role(row) || is_primary(input, row)
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
    let known = |text: Option<&str>| match text {
        Some(text) if text.trim().is_empty() => "(empty)".to_owned(),
        Some(text) => shown(text, LABEL),
        None => UNKNOWN.to_owned(),
    };
    let mut power = Vec::new();
    for (has, what) in [
        (row.administrator, "Administrator profile"),
        (has_admin_role(row), "role with administrative power"),
        (is_primary(input, row), "primary user"),
    ] {
        if has {
            power.push(what);
        }
    }
    let findings: Vec<&str> = input.flagged.of(user.index()).collect();
    UserRow {
        name: known(user.full_name()),
        email: known(user.email()),
        id: shown(user.id(), LABEL),
        status: shown(user.status().word(), LABEL),
        confirmed: match user.confirmed() {
            Some(true) => "",
            Some(false) => "invitation not accepted",
            None => "confirmation unknown",
        },
        role: held(row.role, row.role_name()),
        profile: held(row.profile, row.profile_name()),
        administrator: row.administrator,
        power: power.join(", "),
        approved: approved(input, row),
        findings: findings.join(", "),
    }
}

fn held<Id: std::fmt::Display, Master>(joined: Option<Joined<'_, Id, Master>>, name: Option<&str>) -> String {
    match (joined, name) {
        (None, _) => "none".to_owned(),
        (Some(_), Some(name)) => shown(name, LABEL),
        (Some(joined), None) => format!("not on the master list: id {}", shown(&joined.stated.id.to_string(), LABEL)),
    }
}

fn approved(input: &ReportInput<'_>, row: &MatrixRow<'_>) -> &'static str {
    match (&input.audit.policy.approved_administrators, row.user.email()) {
        _ if !row.administrator => "not applicable",
        (None, _) => "no list",
        (Some(_), None) => UNKNOWN,
        (Some(list), Some(address)) if list.contains(&email::comparable(address)) => "yes",
        (Some(_), Some(_)) => "no",
    }
}
