//! `rolecall diff BEFORE AFTER`.

use serde::Serialize;

use super::{Desk, TEXT, failed, source, time};
use crate::{
    audit::RuleSet,
    brief::change_sentence,
    cli::{
        args::{DiffArgs, LookupFormat, Side},
        lookup::table::{self, Column},
        output::{self, Failure, plain},
        workspaces,
    },
    model::change::Change,
    past::{Kept, Read, answer::ReadRow, compare},
    run::past::Archive,
    words::count,
};

/// A change, as in `changes.csv`.
#[derive(Debug, Clone, Serialize)]
struct Row {
    workspace: String,
    change: &'static str,
    subject_type: &'static str,
    subject_id: String,
    subject: String,
    field: &'static str,
    before: String,
    after: String,
}

const COLUMNS: [Column<Row>; 8] = [
    ("workspace", |row| row.workspace.clone()),
    ("change", |row| row.change.to_owned()),
    ("subject_type", |row| row.subject_type.to_owned()),
    ("subject_id", |row| row.subject_id.clone()),
    ("subject", |row| row.subject.clone()),
    ("field", |row| row.field.to_owned()),
    ("before", |row| row.before.clone()),
    ("after", |row| row.after.clone()),
];

#[derive(Serialize)]
struct Answer {
    workspace: String,
    before: ReadRow,
    after: ReadRow,
    changes: Vec<Row>,
}

pub(super) async fn run(desk: &Desk, args: &DiffArgs) -> Result<(), Failure> {
    let workspace = match &args.workspace {
        Some(name) => name.clone(),
        None => of_audits(desk, args).await?,
    };
    let mut archive = Archive::new(&*desk.store, desk.vault.as_ref(), &workspace);
    let (before, old) = side(&mut archive, args.before, &workspace).await?;
    let (after, new) = side(&mut archive, args.after, &workspace).await?;
    let rules = RuleSet::for_policy(&new.policy());
    let changes = compare(&old, &new, rules.list(), &workspace).map_err(failed)?;
    if args.format == LookupFormat::Table {
        output::line(&format!("{}: {}", plain(&workspace, TEXT), count(changes.len(), "change")));
        output::line(&format!("  from {}", source(&(&before).into())));
        output::line(&format!("  to   {}\n", source(&(&after).into())));
        for change in &changes {
            output::line(&format!("• {}", plain(&change_sentence(change), 10 * TEXT)));
        }
        return Ok(());
    }
    let rows: Vec<Row> = changes.iter().map(|change| row(&workspace, change)).collect();
    match args.format {
        LookupFormat::Json => {
            table::json(&Answer { workspace, before: (&before).into(), after: (&after).into(), changes: rows })
        }
        format => table::print(&rows, format, &COLUMNS, &[]),
    }
}

fn row(workspace: &str, change: &Change) -> Row {
    Row {
        workspace: workspace.to_owned(),
        change: change.kind.word(),
        subject_type: change.subject_type,
        subject_id: change.subject_id.clone(),
        subject: change.subject.clone(),
        field: change.field,
        before: change.before.clone(),
        after: change.after.clone(),
    }
}

/// The workspace of the audits that are named, or the only one that is configured.
async fn of_audits(desk: &Desk, args: &DiffArgs) -> Result<String, Failure> {
    let mut workspaces = Vec::new();
    for side in [args.before, args.after] {
        if let Side::Audit(id) = side
            && let Some(record) = desk.store.audit(id).await.map_err(failed)?
        {
            workspaces.push(record.workspace);
        }
    }
    workspaces.dedup();
    match workspaces.as_slice() {
        [] => Ok(workspaces::named(&desk.settings, None)?.0.to_owned()),
        [one] => Ok(one.clone()),
        [..] => Err(Failure::usage(format!("the audits are of different workspaces: {}", workspaces.join(" and ")))),
    }
}

async fn side(archive: &mut Archive<'_>, side: Side, workspace: &str) -> Result<(Read, Kept), Failure> {
    let audit = match side {
        Side::Audit(audit) => audit,
        Side::At(moment) => {
            let look = archive.at(moment.0).await.map_err(failed)?;
            let look = look.ok_or_else(|| {
                failed(format!("{workspace} was not read by {}, so there is nothing to compare with", time(moment.0)))
            })?;
            look.read.audit
        }
    };
    archive.kept(audit).await.map_err(failed)
}
