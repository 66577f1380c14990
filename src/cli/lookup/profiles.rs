//! `rolecall profiles`.

use super::{
    Read,
    table::{self, Column, text},
};
use crate::{
    cli::{args::ProfilesArgs, output::Failure},
    lookup::profiles::{self, ProfileRow},
};

/// Permissions shown per profile without `--permissions`.
const NAMED: usize = 3;

const COLUMNS: [Column<ProfileRow>; 10] = [
    ("profile_id", |row| row.profile_id.clone()),
    ("profile_name", |row| row.profile_name.clone()),
    ("custom", |row| row.custom.map_or_else(|| "unknown".to_owned(), |is| is.to_string())),
    ("administrator", |row| row.administrator.to_string()),
    ("active_users", |row| row.active_users.to_string()),
    ("all_users", |row| row.all_users.to_string()),
    ("permits", |row| row.permits.as_ref().map(|all| all.join("; ")).unwrap_or_default()),
    ("permits_unknown", |row| text(row.permits_unknown.as_ref())),
    ("modified", |row| row.modified.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()),
    ("description", |row| text(row.description.as_ref())),
];

const SHOWN: [Column<ProfileRow>; 5] = [
    ("profile id", |row| row.profile_id.clone()),
    ("profile", name),
    ("active", |row| row.active_users.to_string()),
    ("all", |row| row.all_users.to_string()),
    ("permits", |row| {
        let Some(permits) = &row.permits else {
            return format!("unknown: {}", row.permits_unknown.as_deref().unwrap_or_default());
        };
        let named = permits.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        match permits.len() {
            0 => "nothing".to_owned(),
            count if count > NAMED => format!("{count}: {named}, …"),
            _ => named,
        }
    }),
];

const WITH_PERMISSIONS: [Column<ProfileRow>; 3] = [
    ("profile", name),
    ("active", |row| row.active_users.to_string()),
    ("permits", |row| match &row.permits {
        Some(permits) if permits.is_empty() => "nothing".to_owned(),
        Some(permits) => permits.join("\n"),
        None => format!("unknown: {}", row.permits_unknown.as_deref().unwrap_or_default()),
    }),
];

fn name(row: &ProfileRow) -> String {
    let star = if row.administrator { " ★" } else { "" };
    let custom = if row.custom == Some(true) { " (custom)" } else { "" };
    format!("{}{star}{custom}", row.profile_name)
}

pub(super) fn print(read: &Read, args: &ProfilesArgs) -> Result<(), Failure> {
    let rows = profiles::profiles(&read.matrix(), &read.administrators);
    table::print(&rows, args.of.format, &COLUMNS, if args.permissions { &WITH_PERMISSIONS } else { &SHOWN })
}
