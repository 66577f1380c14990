//! `rolecall review work`: what was decided and is not carried out.

use std::path::Path;

use serde::Serialize;
use uuid::Uuid;

use super::{Desk, print, rows::time};
use crate::{
    cli::{
        args::ReviewFormat,
        output::{self, Failure, plain},
    },
    report::review as files,
    review::{carrying_out::Work, event::Decision},
    words::count,
};

/// What is left to do about an account.
#[derive(Debug, Serialize)]
struct Row {
    item: String,
    workspace: String,
    user_id: String,
    full_name: Option<String>,
    email: Option<String>,
    decision: &'static str,
    change_to: Option<String>,
    reason: Option<String>,
    decided_by: String,
    decided_at: String,
    due: String,
    overdue: bool,
    not_by: Option<String>,
}

impl From<&Work<'_>> for Row {
    fn from(work: &Work<'_>) -> Self {
        let Work { item, made, due, is_overdue, not_by } = *work;
        Self {
            item: item.item.to_string(),
            workspace: item.workspace.clone(),
            user_id: item.user_id.clone(),
            full_name: item.full_name.clone(),
            email: item.email.clone(),
            decision: made.decision.word(),
            change_to: match &made.decision {
                Decision::Change { to } => Some(to.id().to_owned()),
                Decision::Keep | Decision::Remove => None,
            },
            reason: made.reason.clone(),
            decided_by: made.by.to_string(),
            decided_at: time(made.at),
            due: time(due),
            overdue: is_overdue,
            not_by: not_by.map(ToString::to_string),
        }
    }
}

pub(super) async fn run(desk: &Desk, id: Uuid, out: Option<&Path>, format: ReviewFormat) -> Result<(), Failure> {
    let review = desk.read(id).await?;
    let now = desk.clock.now();
    let list = review.work_list(now);
    let overdue = list.iter().filter(|work| work.is_overdue).count();
    if let Some(out) = out {
        let mut content = Vec::new();
        let written = files::work(&review, now, &mut content).and_then(|()| output::save(out, &content));
        written.map_err(|error| Failure::failed(format!("cannot write {}: {error}", out.display())))?;
        let left = count(list.len(), "account");
        output::line(&format!("{}: {left} to change or remove, {overdue} overdue", out.display()));
        return Ok(());
    }
    if format == ReviewFormat::Json {
        return print(&list.iter().map(Row::from).collect::<Vec<_>>());
    }
    if list.is_empty() {
        output::line("Nothing is left to carry out.");
    }
    for work in &list {
        let Work { item, made, due, is_overdue, not_by } = work;
        let what = match &made.decision {
            Decision::Change { to } => format!("change to {to}"),
            other => other.word().to_owned(),
        };
        let late = if *is_overdue { ", OVERDUE" } else { "" };
        let another = not_by.map(|by| format!("; by another person than {by}")).unwrap_or_default();
        let text = format!(
            "{}  {}  {}: {what}, decided by {}{late}{another}",
            due.format("%Y-%m-%d"),
            item.workspace,
            item.label(),
            made.by
        );
        output::line(&plain(&text, super::TEXT * 2));
    }
    Ok(())
}
