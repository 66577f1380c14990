//! Decisions about fire times: runs, gaps and cursors.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{count, ledger, millis};
use crate::{
    model::run::Gap,
    store::{
        facts::{self, Planned},
        queue::{Cursor, Decided},
        rows::{self, moment},
        run_id::run_id,
    },
};

pub(super) async fn cursor(connection: &mut SqliteConnection, job: &str) -> Result<Option<Cursor>, sqlx::Error> {
    let row = sqlx::query("SELECT schedule, at FROM cursor WHERE job = ?").bind(job).fetch_optional(connection).await?;
    row.as_ref().map(rows::cursor).transpose()
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

/// Takes a cursor back that lies in the future, and the gaps that reach there. Returns from when to when; `None` if it does
/// not.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    job: &str,
    now: DateTime<Utc>,
) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, sqlx::Error> {
    let Some(Cursor { at, .. }) = cursor(&mut *connection, job).await?.filter(|cursor| cursor.at > now) else {
        return Ok(None);
    };
    let first = sqlx::query_scalar::<_, Option<i64>>("SELECT MIN(first_at) FROM gap WHERE job = ? AND last_at > ?")
        .bind(job)
        .bind(millis(now))
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM gap WHERE job = ? AND last_at > ?")
        .bind(job)
        .bind(millis(now))
        .execute(&mut *connection)
        .await?;
    let before = first.map(|first| moment(first - 1));
    let to = before.map_or(now, |before| before.min(now));
    let query = sqlx::query("UPDATE cursor SET at = ? WHERE job = ?").bind(millis(to)).bind(job);
    query.execute(connection).await?;
    Ok(Some((at, to)))
}

/// Creates the runs that do not exist yet, and returns them.
async fn plan_runs(connection: &mut SqliteConnection, decided: &Decided<'_>) -> Result<Vec<Planned>, sqlx::Error> {
    let mut planned = Vec::new();
    for fire_at in decided.due {
        for workspace in decided.workspaces {
            let run = run_id(decided.now);
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
