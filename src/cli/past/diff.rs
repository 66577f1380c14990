//! `rolecall diff BEFORE AFTER`.

use serde::Serialize;

use super::{Desk, TEXT, failed, source};
use crate::{
    audit::RuleSet,
    brief::change_sentence,
    cli::{
        args::{DiffArgs, LookupFormat},
        lookup::table::{self, Column},
        output::{self, Failure, plain},
        workspaces,
    },
    past::{
        answer::{ChangeRow, ReadRow},
        compare,
    },
    run::past::{Archive, side, workspace_of},
    words::count,
};

/// A change, as in `changes.csv`.
#[derive(Debug, Clone, Serialize)]
struct Row {
    workspace: String,
    #[serde(flatten)]
    change: ChangeRow,
}

const COLUMNS: [Column<Row>; 8] = [
    ("workspace", |row| row.workspace.clone()),
    ("change", |row| row.change.change.to_owned()),
    ("subject_type", |row| row.change.subject_type.to_owned()),
    ("subject_id", |row| row.change.subject_id.clone()),
    ("subject", |row| row.change.subject.clone()),
    ("field", |row| row.change.field.to_owned()),
    ("before", |row| row.change.before.clone()),
    ("after", |row| row.change.after.clone()),
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
        Some(name) => desk.known(name).await?,
        None => match workspace_of(&*desk.store, [args.before, args.after]).await.map_err(failed)? {
            Some(workspace) => workspace,
            None => workspaces::named(&desk.settings, None)?.0.to_owned(),
        },
    };
    let mut archive = Archive::new(&*desk.store, desk.vault.as_ref(), &workspace);
    let (before, old) = side(&mut archive, args.before).await.map_err(failed)?;
    let (after, new) = side(&mut archive, args.after).await.map_err(failed)?;
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
    let rows: Vec<Row> =
        changes.iter().map(|change| Row { workspace: workspace.clone(), change: change.into() }).collect();
    match args.format {
        LookupFormat::Json => {
            table::json(&Answer { workspace, before: (&before).into(), after: (&after).into(), changes: rows })
        }
        format => table::print(&rows, format, &COLUMNS, &[]),
    }
}
