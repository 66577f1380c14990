//! Decisions about fire times: runs, gaps and cursors.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{count, millis, write::Write};
use crate::{
    model::run::Gap,
    store::{
        facts::{self, Planned},
        queue::{Cursor, Decided},
        rows::{self, moment},
        run_id::run_id,
    },
};

pub(super) async fn cursor(connection: &mut PgConnection, job: &str) -> Result<Option<Cursor>, sqlx::Error> {
    let row =
        sqlx::query("SELECT schedule, at FROM cursor WHERE job = $1").bind(job).fetch_optional(connection).await?;
    row.as_ref().map(rows::cursor).transpose()
}

/// Begins a job that has no cursor.
pub(super) async fn begin(connection: &mut PgConnection, job: &str, at: &Cursor) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO cursor (job, schedule, at) VALUES ($1, $2, $3) ON CONFLICT (job) DO NOTHING")
        .bind(job)
        .bind(&at.schedule)
        .bind(millis(at.at))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Stores the decisions of one job.
pub(super) async fn store(write: &mut Write, decided: &Decided<'_>) -> Result<(), sqlx::Error> {
    let planned = plan_runs(write.on(), decided).await?;
    if let Some(gap) = decided.gap {
        store_gap(write.on(), gap, decided.now).await?;
    }
    if !planned.is_empty() {
        write.wake();
    }
    write.append(facts::decide(decided, &planned), decided.now).await?;
    sqlx::query(
        "INSERT INTO cursor (job, schedule, at) VALUES ($1, $2, $3)
         ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule, at = excluded.at",
    )
    .bind(decided.job)
    .bind(&decided.to.schedule)
    .bind(millis(decided.to.at))
    .execute(write.on())
    .await
    .map(|_| ())
}

/// Takes a cursor back that lies in the future, and the gaps that reach there. Returns from when to when; `None` if it does
/// not.
pub(super) async fn take_back(
    connection: &mut PgConnection,
    job: &str,
    now: DateTime<Utc>,
) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, sqlx::Error> {
    let Some(Cursor { at, .. }) = cursor(&mut *connection, job).await?.filter(|cursor| cursor.at > now) else {
        return Ok(None);
    };
    let first = sqlx::query_scalar::<_, Option<i64>>("SELECT MIN(first_at) FROM gap WHERE job = $1 AND last_at > $2")
        .bind(job)
        .bind(millis(now))
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM gap WHERE job = $1 AND last_at > $2")
        .bind(job)
        .bind(millis(now))
        .execute(&mut *connection)
        .await?;
    let before = first.map(|first| moment(first - 1));
    let to = before.map_or(now, |before| before.min(now));
    let query = sqlx::query("UPDATE cursor SET at = $1 WHERE job = $2").bind(millis(to)).bind(job);
    query.execute(connection).await?;
    Ok(Some((at, to)))
}

/// Creates the runs that do not exist yet, and returns them: one statement for each fire time, however many workspaces.
async fn plan_runs(connection: &mut PgConnection, decided: &Decided<'_>) -> Result<Vec<Planned>, sqlx::Error> {
    let mut planned = Vec::new();
    for fire_at in decided.due {
        let runs: Vec<(Uuid, &String)> =
            decided.workspaces.iter().map(|workspace| (run_id(decided.now), workspace)).collect();
        let ids: Vec<Vec<u8>> = runs.iter().map(|(id, _)| id.as_bytes().to_vec()).collect();
        let created = sqlx::query_scalar::<_, Vec<u8>>(
            "INSERT INTO run (id, job, workspace, fire_at, state, planned_at)
             SELECT n.id, $3, n.workspace, $4, 'due', $5 FROM unnest($1::bytea[], $2::text[]) AS n (id, workspace)
             ON CONFLICT (job, workspace, fire_at) DO NOTHING RETURNING id",
        )
        .bind(ids)
        .bind(decided.workspaces)
        .bind(decided.job)
        .bind(millis(*fire_at))
        .bind(millis(decided.now))
        .fetch_all(&mut *connection)
        .await?;
        let created: BTreeSet<Uuid> = created.iter().map(|id| rows::uuid(id)).collect::<Result<_, _>>()?;
        let new = runs.into_iter().filter(|(id, _)| created.contains(id));
        planned.extend(new.map(|(run, workspace)| Planned { fire_at: *fire_at, workspace: workspace.clone(), run }));
    }
    Ok(planned)
}

async fn store_gap(connection: &mut PgConnection, gap: &Gap, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO gap (job, first_at, last_at, count, reason, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&gap.job)
        .bind(millis(gap.first))
        .bind(millis(gap.last))
        .bind(count(gap.count))
        .bind(super::clean(&gap.reason))
        .bind(millis(now))
        .execute(connection)
        .await
        .map(|_| ())
}
