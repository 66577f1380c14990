//! `rolecall history USER`.

use super::{Desk, TEXT, failed, source, time, warn_of_gaps};
use crate::{
    cli::{
        args::{HistoryArgs, LookupFormat},
        lookup::table::{self, Column, text},
        output::{self, Failure, plain},
    },
    past::answer::{PeriodRow, StateRow, periods},
    run::past::{Archive, course},
    words::count,
};

const COLUMNS: [Column<PeriodRow>; 19] = [
    ("workspace", |row| row.workspace.clone()),
    ("user_id", |row| row.user_id.clone()),
    ("listed", |row| if row.listed { "yes" } else { "no" }.to_owned()),
    ("full_name", |row| of(row, |state| text(state.full_name.as_ref()))),
    ("email", |row| of(row, |state| text(state.email.as_ref()))),
    ("status", |row| of(row, |state| state.status.clone())),
    ("role_id", |row| of(row, |state| text(state.role_id.as_ref()))),
    ("role_name", |row| of(row, |state| text(state.role_name.as_ref()))),
    ("profile_id", |row| of(row, |state| text(state.profile_id.as_ref()))),
    ("profile_name", |row| of(row, |state| text(state.profile_name.as_ref()))),
    ("power", |row| of(row, |state| state.power.to_owned())),
    ("changed_after", |row| row.changed_after.as_ref().map(|read| time(read.at)).unwrap_or_default()),
    ("first_seen", |row| time(row.first_seen.at)),
    ("first_seen_audit", |row| row.first_seen.audit.to_string()),
    ("last_seen", |row| time(row.last_seen.at)),
    ("last_seen_audit", |row| row.last_seen.audit.to_string()),
    ("last_seen_bag", |row| text(row.last_seen.bag.as_ref())),
    ("reads", |row| row.reads.to_string()),
    ("changes", |row| row.changes.join("; ")),
];

fn of(row: &PeriodRow, value: fn(&StateRow) -> String) -> String {
    row.access.as_ref().map(value).unwrap_or_default()
}

pub(super) async fn run(desk: &Desk, args: &HistoryArgs) -> Result<(), Failure> {
    let user = args.who.last().map_or("", String::as_str);
    let named = (args.who.len() > 1).then(|| args.who[0].as_str());
    let mut all: Vec<Vec<PeriodRow>> = Vec::new();
    for workspace in desk.workspaces(named).await? {
        let mut archive = Archive::new(&*desk.store, desk.vault.as_ref(), &workspace);
        let found = course(&mut archive, user).await.map_err(failed)?;
        warn_of_gaps(&workspace, archive.missing().len() as u64);
        all.extend(found.map(|course| periods(&workspace, &course)));
    }
    if all.is_empty() {
        let user = plain(user, TEXT);
        return Err(Failure::failed(format!(
            "no kept audit listed the user {user}; expected an id or an exact address"
        )));
    }
    match args.format {
        LookupFormat::Table => {
            for rows in &all {
                show(rows);
            }
            Ok(())
        }
        format => table::print(&all.concat(), format, &COLUMNS, &[]),
    }
}

fn show(rows: &[PeriodRow]) {
    let Some(last) = rows.iter().rev().find_map(|row| row.access.as_ref().map(|access| (row, access))) else { return };
    let (row, access) = last;
    let name = access.full_name.as_deref().or(access.email.as_deref()).unwrap_or(&row.user_id);
    output::line(&format!(
        "{}, {}, user {} in {}",
        plain(name, TEXT),
        plain(access.email.as_deref().unwrap_or("no address"), TEXT),
        plain(&row.user_id, TEXT),
        plain(&row.workspace, TEXT)
    ));
    for row in rows {
        match &row.changed_after {
            Some(before) => output::line(&format!("\nbetween {} and {}:", time(before.at), time(row.first_seen.at))),
            None => output::line("\nat the first read:"),
        }
        for change in &row.changes {
            output::line(&format!("  {}", plain(change, TEXT)));
        }
        let state = row.access.as_ref().map_or_else(|| "not listed".to_owned(), described);
        output::line(&format!("{} reads until {}: {}", row.reads, time(row.last_seen.at), plain(&state, 4 * TEXT)));
        output::line(&format!("  first {}", source(&row.first_seen)));
        if row.reads > 1 {
            output::line(&format!("  last  {}", source(&row.last_seen)));
        }
    }
    output::line("");
}

fn described(access: &StateRow) -> String {
    let none = || "none".to_owned();
    let role = access.role_name.clone().or_else(|| access.role_id.clone()).unwrap_or_else(none);
    let profile = access.profile_name.clone().or_else(|| access.profile_id.clone()).unwrap_or_else(none);
    let permits = match &access.permissions {
        Some(all) => count(all.len(), "permission"),
        None => "permissions unknown".to_owned(),
    };
    format!("{}, role {role}, profile {profile} ({permits}), power {}", access.status, access.power)
}
