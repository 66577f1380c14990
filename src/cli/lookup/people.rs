//! `rolecall users`.

use super::{
    Read, not_found,
    table::{self, Column, NONE, text},
};
use crate::{
    cli::{
        args::{LookupFormat, UsersArgs, UsersCommand},
        output::{self, Failure, plain},
    },
    lookup::{
        people::{self, UserDetail, UserFilter, UserRow},
        profiles, roles,
    },
    words::{count, form},
};

/// The first columns of `access-matrix.csv`, with the same values, without the workspace and what an audit adds.
pub(super) const COLUMNS: [Column<UserRow>; 11] = [
    ("user_id", |row| row.user_id.clone()),
    ("full_name", |row| known(row.full_name.as_ref())),
    ("email", |row| known(row.email.as_ref())),
    ("status", |row| row.status.clone()),
    ("confirmed", |row| known(row.confirmed.as_ref())),
    ("role_id", |row| text(row.role_id.as_ref())),
    ("role_name", |row| text(row.role_name.as_ref())),
    ("profile_id", |row| text(row.profile_id.as_ref())),
    ("profile_name", |row| text(row.profile_name.as_ref())),
    ("administrator", |row| row.administrator.to_string()),
    ("power", |row| row.power.word().to_owned()),
];

pub(super) const SHOWN: [Column<UserRow>; 6] = [
    ("user id", |row| row.user_id.clone()),
    ("name", |row| text(row.full_name.as_ref())),
    ("email", |row| text(row.email.as_ref())),
    ("status", status),
    ("role", |row| named(row.role_name.as_ref(), row.role_id.as_ref())),
    ("profile", |row| {
        let profile = named(row.profile_name.as_ref(), row.profile_id.as_ref());
        if row.power.is_full() { format!("{profile} ★") } else { profile }
    }),
];

/// A value that the API returns, though perhaps not for this user.
fn known<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn status(row: &UserRow) -> String {
    if row.confirmed == Some(false) { format!("{}, invited", row.status) } else { row.status.clone() }
}

/// The name, or the id if the list does not have it.
fn named(name: Option<&String>, id: Option<&String>) -> String {
    name.cloned().or_else(|| id.map(|id| format!("unknown ({id})"))).unwrap_or_default()
}

/// The workspace argument.
pub(super) fn workspace(args: &UsersArgs) -> Option<&str> {
    match &args.command {
        None => args.of.workspace.as_deref(),
        // The last word is the user.
        Some(UsersCommand::Show { who, .. }) => (who.len() > 1).then(|| who[0].as_str()),
    }
}

pub(super) fn print(read: &Read, args: &UsersArgs) -> Result<(), Failure> {
    let matrix = read.matrix();
    if let Some(UsersCommand::Show { who, format }) = &args.command {
        let row = people::user(&matrix, who.last().map_or("", String::as_str)).map_err(|error| not_found(&error))?;
        return match format {
            LookupFormat::Table => {
                show(read, &UserDetail::of(&matrix, &row));
                Ok(())
            }
            LookupFormat::Json => table::json(&[UserDetail::of(&matrix, &row)]),
            LookupFormat::Csv => table::print(&[UserRow::from(&row)], LookupFormat::Csv, &COLUMNS, &SHOWN),
        };
    }
    let filter = UserFilter {
        permission: args.permission.clone(),
        status: args.status.clone(),
        role: args.role.clone(),
        profile: args.profile.clone(),
        administrators: args.administrators,
        search: args.search.clone(),
    };
    let rows = people::users(&matrix, &filter).map_err(|error| not_found(&error))?;
    let rows: Vec<UserRow> = rows.map(|row| UserRow::from(&row)).collect();
    table::print(&rows, args.of.format, &COLUMNS, &SHOWN)?;
    if args.of.format == LookupFormat::Table {
        let of = read.directory.users.len();
        let users = form(of, "user", "users");
        let of = if rows.len() == of { String::new() } else { format!(" of {of}") };
        let star = if rows.iter().any(|row| row.power.is_full()) { "; ★ can administer" } else { "" };
        output::line(&format!("{}{of} {users}{star}", rows.len()));
    }
    Ok(())
}

/// Everything about one user.
fn show(read: &Read, detail: &UserDetail) {
    let row = &detail.user;
    let matrix = read.matrix();
    let line = |label: &str, text: &str| output::line(&format!("  {label:<10} {}", plain(text, super::SENTENCE)));
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| NONE.to_owned());
    output::line(&plain(&or_none(row.full_name.as_ref()), super::SENTENCE));
    line("user id", &row.user_id);
    line("email", &or_none(row.email.as_ref()));
    line("status", &status(row));
    let id = |id: Option<&String>| id.map(|id| format!(" ({id})")).unwrap_or_default();
    line("role", &format!("{}{}", or_none(row.role_name.as_ref()), id(row.role_id.as_ref())));
    let role = roles::roles(&matrix).into_iter().find(|role| Some(&role.role_id) == row.role_id.as_ref());
    if let Some(role) = &role {
        let above = role.reports_to_role_name.as_ref().map(|name| format!("reports to {name}"));
        line("", &above.unwrap_or_else(|| "at the top of the hierarchy".to_owned()));
        let below = role.active_users_with_below - role.active_users;
        line("", &format!("{} active in this role, {below} in roles below it", role.active_users));
    }
    let star = if row.administrator { ", administrator profile" } else { "" };
    line("power", row.power.word());
    line("profile", &format!("{}{}{star}", or_none(row.profile_name.as_ref()), id(row.profile_id.as_ref())));
    let profiles = profiles::profiles(&matrix, &read.administrators);
    if let Some(profile) = profiles.into_iter().find(|profile| Some(&profile.profile_id) == row.profile_id.as_ref()) {
        match (profile.permits, profile.permits_unknown) {
            (Some(permits), _) if permits.is_empty() => line("permits", "nothing"),
            (Some(permits), _) => {
                for (number, permission) in permits.iter().enumerate() {
                    line(if number == 0 { "permits" } else { "" }, permission);
                }
            }
            (None, reason) => line("permits", &format!("unknown: {}", reason.unwrap_or_default())),
        }
    }
    match (&detail.only_in_role, &detail.only_in_role_unknown) {
        (Some(only), _) if only.is_empty() => line("unique", "others in the role may do all of this too"),
        (Some(only), _) => {
            let permissions = count(only.len(), "permission");
            line("unique", &format!("{permissions} that nobody else in the role has:"));
            for permission in only {
                line("", permission);
            }
        }
        (None, Some(why)) => line("unique", &format!("unknown: {why}")),
        (None, None) => {}
    }
}
