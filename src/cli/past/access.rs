//! `rolecall access --as-of DAY`.

use serde::Serialize;

use super::{Desk, TEXT, failed, source, time, warn_of_gaps};
use crate::{
    cli::{
        args::{AccessArgs, LookupFormat},
        lookup::table::{self, Column, text},
        output::{self, Failure, plain},
    },
    past::answer::{AccessRow, ReadRow, WorkspaceThen},
    run::past::{Archive, Wanted, access_then},
    words::count,
};

const COLUMNS: [Column<AccessRow>; 20] = [
    ("workspace", |row| row.workspace.clone()),
    ("user_id", |row| row.user_id.clone()),
    ("full_name", |row| text(row.state.full_name.as_ref())),
    ("email", |row| text(row.state.email.as_ref())),
    ("status", |row| row.state.status.clone()),
    ("role_id", |row| text(row.state.role_id.as_ref())),
    ("role_name", |row| text(row.state.role_name.as_ref())),
    ("profile_id", |row| text(row.state.profile_id.as_ref())),
    ("profile_name", |row| text(row.state.profile_name.as_ref())),
    ("power", |row| row.state.power.to_owned()),
    ("permissions", |row| row.state.permissions.as_ref().map_or_else(|| "unknown".to_owned(), |all| all.join("; "))),
    ("changed_after", |row| moment(row.changed_after.as_ref())),
    ("first_seen", |row| time(row.first_seen.at)),
    ("first_seen_audit", |row| row.first_seen.audit.to_string()),
    ("first_seen_bag", |row| text(row.first_seen.bag.as_ref())),
    ("last_seen", |row| time(row.last_seen.at)),
    ("last_seen_audit", |row| row.last_seen.audit.to_string()),
    ("last_seen_bag", |row| text(row.last_seen.bag.as_ref())),
    ("changed_before", |row| moment(row.changed_before.as_ref())),
    ("changed_before_audit", |row| row.changed_before.as_ref().map(|read| read.audit.to_string()).unwrap_or_default()),
];

const SHOWN: [Column<AccessRow>; 7] = [
    ("user id", |row| row.user_id.clone()),
    ("name", |row| text(row.state.full_name.as_ref().or(row.state.email.as_ref()))),
    ("status", |row| row.state.status.clone()),
    ("role", |row| text(row.state.role_name.as_ref().or(row.state.role_id.as_ref()))),
    ("profile", |row| {
        let profile = text(row.state.profile_name.as_ref().or(row.state.profile_id.as_ref()));
        if matches!(row.state.power, "administrator" | "equivalent") { format!("{profile} ★") } else { profile }
    }),
    ("since", |row| match &row.changed_after {
        Some(before) => format!("{}\nnot {}", time(row.first_seen.at), time(before.at)),
        None => format!("{}\nor before", time(row.first_seen.at)),
    }),
    ("until", |row| match &row.changed_before {
        Some(after) => format!("{}\nnot {}", time(row.last_seen.at), time(after.at)),
        None => "–".to_owned(),
    }),
];

fn moment(read: Option<&ReadRow>) -> String {
    read.map(|read| time(read.at)).unwrap_or_default()
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: String,
    workspaces: &'a [WorkspaceThen],
}

pub(super) async fn run(desk: &Desk, args: &AccessArgs) -> Result<(), Failure> {
    let wanted = Wanted { user: args.user.clone(), profile: args.profile.clone(), role: args.role.clone() };
    let mut all = Vec::new();
    for workspace in desk.workspaces(args.workspace.as_deref()).await? {
        let mut archive = Archive::new(&*desk.store, desk.vault.as_ref(), &workspace);
        all.push(access_then(&mut archive, args.as_of.0, &wanted).await.map_err(failed)?);
    }
    match args.format {
        LookupFormat::Json => table::json(&Answer { as_of: time(args.as_of.0), workspaces: &all })?,
        LookupFormat::Csv => {
            let rows: Vec<AccessRow> = all.iter().flat_map(|then| then.accounts.iter().cloned()).collect();
            table::print(&rows, LookupFormat::Csv, &COLUMNS, &SHOWN)?;
        }
        LookupFormat::Table => {
            for then in &all {
                show(then)?;
            }
        }
    }
    for then in &all {
        warn_of_gaps(&then.workspace, then.not_kept);
        if then.read.is_none() && args.format != LookupFormat::Table {
            output::note(&format!("warning: {}", unread(then)));
        }
    }
    if all.iter().all(|then| then.read.is_none()) {
        return Err(Failure::failed("nothing was read by then, so the question cannot be answered"));
    }
    Ok(())
}

/// Says that a workspace was not read by the day.
fn unread(then: &WorkspaceThen) -> String {
    let next = then.next_read.as_ref().map_or_else(
        || "no audit of it was kept".to_owned(),
        |next| format!("the first kept audit is of {}", time(next.at)),
    );
    format!("{} was not read by then; {next}", plain(&then.workspace, TEXT))
}

fn show(then: &WorkspaceThen) -> Result<(), Failure> {
    let Some(read) = &then.read else {
        output::line(&unread(then));
        return Ok(());
    };
    output::line(&format!("{}, {}", plain(&then.workspace, TEXT), count(then.accounts.len(), "account")));
    output::line(&format!("  as read    {}", source(read)));
    let next = then.next_read.as_ref().map_or_else(|| "none yet".to_owned(), source);
    output::line(&format!("  next read  {next}\n"));
    table::print(&then.accounts, LookupFormat::Table, &COLUMNS, &SHOWN)
}
