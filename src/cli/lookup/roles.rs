//! `rolecall roles`.

use super::{
    Read,
    table::{self, Column, text},
};
use crate::{
    cli::{
        args::{LookupFormat, RolesArgs},
        output::{self, Failure, plain},
    },
    lookup::roles::{self, RoleRow},
};

const COLUMNS: [Column<RoleRow>; 11] = [
    ("role_id", |row| row.role_id.clone()),
    ("role_name", |row| row.role_name.clone()),
    ("reports_to_role_id", |row| text(row.reports_to_role_id.as_ref())),
    ("reports_to_role_name", |row| text(row.reports_to_role_name.as_ref())),
    ("depth", |row| row.depth.to_string()),
    ("irregular", |row| text(row.irregular.as_ref())),
    ("shares_with_peers", |row| row.shares_with_peers.map_or_else(|| "unknown".to_owned(), |is| is.to_string())),
    ("active_users", |row| row.active_users.to_string()),
    ("active_users_with_below", |row| row.active_users_with_below.to_string()),
    ("all_users", |row| row.all_users.to_string()),
    ("description", |row| text(row.description.as_ref())),
];

const SHOWN: [Column<RoleRow>; 6] = [
    ("role id", |row| row.role_id.clone()),
    ("role", |row| row.role_name.clone()),
    ("reports to", |row| text(row.irregular.as_ref().or(row.reports_to_role_name.as_ref()))),
    ("active", |row| row.active_users.to_string()),
    ("with below", |row| row.active_users_with_below.to_string()),
    ("all", |row| row.all_users.to_string()),
];

pub(super) fn print(read: &Read, args: &RolesArgs) -> Result<(), Failure> {
    let rows = roles::roles(&read.matrix());
    if args.tree && args.of.format == LookupFormat::Table {
        draw(&rows);
        return Ok(());
    }
    table::print(&rows, args.of.format, &COLUMNS, &SHOWN)
}

/// Draws the hierarchy with the number of holders of each role, and with those of the roles below.
fn draw(rows: &[RoleRow]) {
    let mut names = Vec::with_capacity(rows.len());
    // For each depth on the path to the row: whether more siblings follow.
    let mut open: Vec<bool> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let later = rows[place + 1..].iter().take_while(|later| later.depth >= row.depth);
        let is_last = !later.clone().any(|later| later.depth == row.depth);
        open.truncate(row.depth);
        open.push(!is_last);
        let stem: String = open[..row.depth].iter().skip(1).map(|more| if *more { "│  " } else { "   " }).collect();
        let joint = match row.depth {
            0 => "",
            _ if is_last => "└─ ",
            _ => "├─ ",
        };
        names.push(format!("{stem}{joint}{}", plain(&row.role_name, 80)));
    }
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, row) in names.iter().zip(rows) {
        let below = match row.active_users_with_below {
            all if all == row.active_users => String::new(),
            all => format!(", {all} including roles below"),
        };
        let irregular = row.irregular.as_ref().map(|why| format!("  ! {}", plain(why, 120))).unwrap_or_default();
        let gap = " ".repeat(width - name.chars().count());
        output::line(&format!("{name}{gap}  {:>4}{below}{irregular}", row.active_users));
    }
}
