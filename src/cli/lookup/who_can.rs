//! `rolecall who-can`.

use serde::Serialize;

use super::{
    Read, not_found,
    people::{COLUMNS, SHOWN},
    table::{self, Column},
};
use crate::{
    cli::{
        args::{LookupFormat, WhoCanArgs},
        output::{self, Failure, plain},
    },
    lookup::{
        people::UserRow,
        permissions::{PermittingProfile, who_can},
    },
    words::{count, list},
};

/// The permissions, profiles and users as JSON.
#[derive(Serialize)]
struct Answer {
    permissions: Vec<String>,
    profiles: Vec<PermittingProfile>,
    unknown_profiles: Vec<PermittingProfile>,
    users: Vec<UserRow>,
}

const PROFILES: [Column<PermittingProfile>; 4] = [
    ("profile id", |row| row.profile_id.clone()),
    ("profile", |row| row.profile_name.clone()),
    ("active", |row| row.active_users.to_string()),
    ("permits", |row| row.permits.join("\n")),
];

pub(super) fn print(read: &Read, args: &WhoCanArgs) -> Result<(), Failure> {
    let matrix = read.matrix();
    let who = who_can(&matrix, &args.permission).map_err(|error| not_found(&error))?;
    let users: Vec<UserRow> = who.users(&matrix).map(|row| UserRow::from(&row)).collect();
    let (permissions, profiles, unknown_profiles) = (who.permissions, who.profiles, who.unknown_profiles);
    match args.of.format {
        LookupFormat::Json => {
            return table::json(&Answer { permissions, profiles, unknown_profiles, users });
        }
        LookupFormat::Csv => table::print(&users, LookupFormat::Csv, &COLUMNS, &SHOWN)?,
        LookupFormat::Table => {
            let granted =
                format!("{} granted by {}", count(permissions.len(), "permission"), count(profiles.len(), "profile"));
            output::line(&format!("“{}”: {granted}\n", plain(&args.permission, 80)));
            if !profiles.is_empty() {
                table::print(&profiles, LookupFormat::Table, &[], &PROFILES)?;
                output::line(&format!("\n{}\n", count(users.len(), "active user")));
                table::print(&users, LookupFormat::Table, &COLUMNS, &SHOWN)?;
            }
        }
    }
    if !unknown_profiles.is_empty() {
        let names: Vec<&str> = unknown_profiles.iter().map(|profile| profile.profile_name.as_str()).collect();
        output::note(&format!(
            "warning: the API does not return the permissions of {}, whose holders may have this one too",
            plain(&list(&names, names.len()), super::SENTENCE)
        ));
    }
    Ok(())
}
