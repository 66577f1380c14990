//! Decisions about fire times: runs, gaps and cursors.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{count, ledger, millis, moment};
use crate::{
    model::run::Gap,
    store::{
        facts::{self, Planned},
        queue::{Cursor, Decided},
    },
};

pub(super) async fn cursor(connection: &mut SqliteConnection, job: &str) -> Result<Option<Cursor>, sqlx::Error> {
    let row = sqlx::query("SELECT schedule, at FROM cursor WHERE job = ?").bind(job).fetch_optional(connection).await?;
    let cursor = |row: SqliteRow| Ok(Cursor { schedule: row.try_get("schedule")?, at: moment(row.try_get("at")?) });
    row.map(cursor).transpose()
}

/// Stores the decisions of one job in the caller's transaction.
pub(super) async fn store(connection: &mut SqliteConnection, decided: &Decided<'_>) -> Result<(), sqlx::Error> {
    let planned = plan_runs(&mut *connection, decided).await?;
    if let Some(gap) = decided.gap {
        store_gap(&mut *connection, gap, decided.now).await?;
    }
    ledger::append(&mut *connection, facts::decide(decided, &planned), decided.now).await?;
    sqlx::query(
        "INSERT INTO cursor (job, schedule, at) VALUES (?, ?, ?)
         ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule, at = excluded.at",
    )
    .bind(decided.job)
    .bind(&decided.to.schedule)
    .bind(millis(decided.to.at))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Creates the runs that do not exist yet, and returns them.
async fn plan_runs(connection: &mut SqliteConnection, decided: &Decided<'_>) -> Result<Vec<Planned>, sqlx::Error> {
    let mut planned = Vec::new();
    for fire_at in decided.due {
        for workspace in decided.workspaces {
            let run = Uuid::now_v7();
            let inserted = sqlx::query(
                "INSERT INTO run (id, job, workspace, fire_at, state, planned_at) VALUES (?, ?, ?, ?, 'due', ?)
                 ON CONFLICT (job, workspace, fire_at) DO NOTHING",
            )
            .bind(run.as_bytes().to_vec())
            .bind(decided.job)
            .bind(workspace)
            .bind(millis(*fire_at))
            .bind(millis(decided.now))
            .execute(&mut *connection)
            .await?;
            if inserted.rows_affected() > 0 {
                planned.push(Planned { fire_at: *fire_at, workspace: workspace.clone(), run });
            }
        }
    }
    Ok(planned)
}

async fn store_gap(connection: &mut SqliteConnection, gap: &Gap, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO gap (job, first_at, last_at, count, reason, recorded_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&gap.job)
        .bind(millis(gap.first))
        .bind(millis(gap.last))
        .bind(count(gap.count))
        .bind(&gap.reason)
        .bind(millis(now))
        .execute(connection)
        .await
        .map(|_| ())
}
