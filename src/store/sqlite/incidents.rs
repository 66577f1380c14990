//! Queries for incidents: what should have happened and did not.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::{millis, moment};
use crate::{
    model::trigger::{Incident, IncidentKind, LATE},
    store::history::MOST_INCIDENTS,
};

/// Runs that are overdue (?1 is now minus the grace period).
const OVERDUE_NOW: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state IN ('due', 'claimed', 'read', 'judged', 'recorded', 'delivered')
AND state IN ('due', 'claimed', 'read', 'judged') AND fire_at <= ?1
ORDER BY fire_at LIMIT ?2";

/// Failed runs after which no run of their job and workspace recorded an audit.
const FAILED_NOW: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run AS r
WHERE state = 'failed' AND ?1 > 0 AND NOT EXISTS (
    SELECT 1 FROM run AS later WHERE later.job = r.job AND later.workspace = r.workspace
    AND later.fire_at > r.fire_at AND later.state IN ('recorded', 'delivered', 'closed')
)
ORDER BY fire_at DESC LIMIT ?2";

/// Incomplete audits after which no audit of their job and workspace was complete.
const INCOMPLETE_NOW: &str = "
SELECT r.id AS run, r.job, r.workspace, r.fire_at AS at, '' AS detail FROM audit AS a JOIN run AS r ON r.id = a.id
WHERE a.complete = 0 AND ?1 > 0 AND NOT EXISTS (
    SELECT 1 FROM run AS later JOIN audit AS whole ON whole.id = later.id
    WHERE later.job = r.job AND later.workspace = r.workspace AND later.fire_at > r.fire_at AND whole.complete = 1
)
ORDER BY r.fire_at DESC LIMIT ?2";

/// Messages that have waited too long, and the latest rejected ones of each job, workspace and address.
const UNDELIVERED_NOW: &str = "
SELECT r.id AS run, r.job, r.workspace, r.fire_at AS at, m.kind || ' to ' || m.address || COALESCE(': ' || m.answer, '') AS detail
FROM notification AS m JOIN run AS r ON r.id = m.run
WHERE m.state = 'waiting' AND m.created_at <= ?1
UNION ALL
SELECT r.id, r.job, r.workspace, r.fire_at, m.kind || ' to ' || m.address || COALESCE(': ' || m.answer, '')
FROM notification AS m JOIN run AS r ON r.id = m.run
WHERE m.state = 'rejected' AND NOT EXISTS (
    SELECT 1 FROM run AS later JOIN notification AS other ON other.run = later.id
    WHERE later.job = r.job AND later.workspace = r.workspace AND later.fire_at > r.fire_at
    AND other.address = m.address AND other.state <> 'waiting'
)
ORDER BY 4 DESC LIMIT ?2";

/// Skipped fire times after which no run of their job recorded an audit.
const SKIPPED_NOW: &str = "
SELECT NULL AS run, job, NULL AS workspace, first_at AS at, '' AS detail, count, last_at, reason
FROM gap AS g
WHERE ?1 > 0 AND NOT EXISTS (
    SELECT 1 FROM run AS later WHERE later.job = g.job AND later.fire_at > g.last_at
    AND later.state IN ('recorded', 'delivered', 'closed')
)
ORDER BY first_at DESC LIMIT ?2";

/// Jobs that are decided up to a moment in the future (?1 is now plus the grace period).
const AHEAD_NOW: &str = "
SELECT NULL AS run, job, NULL AS workspace, at, '' AS detail FROM cursor WHERE at > ?1 ORDER BY at LIMIT ?2";

/// The fire time of the last report of a job and workspace (?1, ?2) before a fire time (?3) that was accepted for somebody.
const LAST_RECEIVED: &str = "
SELECT MAX(r.fire_at) FROM run AS r WHERE r.job = ?1 AND r.workspace = ?2 AND r.fire_at < ?3
AND EXISTS (SELECT 1 FROM notification AS m WHERE m.run = r.id AND m.kind = 'report' AND m.state = 'accepted')";

const FAILED_BEFORE: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state = 'failed' AND job = ?1 AND workspace = ?2 AND fire_at < ?3 AND fire_at >= ?4
ORDER BY fire_at DESC LIMIT ?5";

/// Runs of the job for its other workspaces that are not done yet.
const OVERDUE_BEFORE: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state IN ('due', 'claimed', 'read', 'judged') AND job = ?1 AND workspace <> ?2 AND fire_at < ?3 AND ?4 IS NOT NULL
ORDER BY fire_at DESC LIMIT ?5";

const INCOMPLETE_BEFORE: &str = "
SELECT r.id AS run, r.job, r.workspace, r.fire_at AS at, '' AS detail FROM audit AS a JOIN run AS r ON r.id = a.id
WHERE a.complete = 0 AND r.job = ?1 AND r.workspace = ?2 AND r.fire_at < ?3 AND r.fire_at >= ?4
ORDER BY r.fire_at DESC LIMIT ?5";

const UNDELIVERED_BEFORE: &str = "
SELECT r.id AS run, r.job, r.workspace, r.fire_at AS at,
       m.kind || ' to ' || m.address || COALESCE(': ' || m.answer, '') AS detail
FROM run AS r JOIN notification AS m ON m.run = r.id
WHERE (m.state = 'rejected' OR (m.state = 'waiting' AND m.answer IS NOT NULL)) AND r.job = ?1 AND r.workspace = ?2 AND r.fire_at < ?3 AND r.fire_at >= ?4
ORDER BY r.fire_at DESC LIMIT ?5";

const SKIPPED_BEFORE: &str = "
SELECT NULL AS run, job, NULL AS workspace, first_at AS at, '' AS detail, count, last_at, reason FROM gap
WHERE job = ?1 AND ?2 IS NOT NULL AND first_at < ?3 AND last_at >= ?4
ORDER BY first_at DESC LIMIT ?5";

pub(super) async fn now(pool: &SqlitePool, now: DateTime<Utc>) -> Result<Vec<Incident>, sqlx::Error> {
    let mut incidents = Vec::new();
    for (kind, sql, at) in [
        (IncidentKind::Overdue, OVERDUE_NOW, now - LATE),
        (IncidentKind::Failed, FAILED_NOW, now),
        (IncidentKind::Incomplete, INCOMPLETE_NOW, now),
        (IncidentKind::Undelivered, UNDELIVERED_NOW, now - LATE),
        (IncidentKind::Skipped, SKIPPED_NOW, now),
        (IncidentKind::ClockSetBack, AHEAD_NOW, now + LATE),
    ] {
        let rows = sqlx::query(sql).bind(millis(at)).bind(MOST_INCIDENTS).fetch_all(pool).await?;
        for row in &rows {
            incidents.push(incident(kind, row)?);
        }
    }
    incidents.sort_by_key(|incident| incident.at);
    Ok(incidents)
}

pub(super) async fn before(
    pool: &SqlitePool,
    job: &str,
    workspace: &str,
    fire_at: DateTime<Utc>,
) -> Result<Vec<Incident>, sqlx::Error> {
    let query = sqlx::query_scalar::<_, Option<i64>>(LAST_RECEIVED).bind(job).bind(workspace).bind(millis(fire_at));
    let since = query.fetch_one(pool).await?.unwrap_or(0);
    let mut incidents = Vec::new();
    for (kind, sql) in [
        (IncidentKind::Skipped, SKIPPED_BEFORE),
        (IncidentKind::Failed, FAILED_BEFORE),
        (IncidentKind::Overdue, OVERDUE_BEFORE),
        (IncidentKind::Incomplete, INCOMPLETE_BEFORE),
        (IncidentKind::Undelivered, UNDELIVERED_BEFORE),
    ] {
        let query = sqlx::query(sql).bind(job).bind(workspace).bind(millis(fire_at)).bind(since).bind(MOST_INCIDENTS);
        for row in &query.fetch_all(pool).await? {
            incidents.push(incident(kind, row)?);
        }
    }
    incidents.sort_by_key(|incident| incident.at);
    Ok(incidents)
}

fn incident(kind: IncidentKind, row: &SqliteRow) -> Result<Incident, sqlx::Error> {
    let run: Option<Vec<u8>> = row.try_get("run")?;
    Ok(Incident {
        kind,
        job: row.try_get("job")?,
        workspace: row.try_get("workspace")?,
        run: run.map(|run| Uuid::from_slice(&run)).transpose().map_err(|error| sqlx::Error::Decode(error.into()))?,
        at: moment(row.try_get("at")?),
        detail: match kind {
            IncidentKind::Skipped => skipped(row)?,
            IncidentKind::ClockSetBack => {
                "the schedule is decided up to this time, so nothing is due before it".to_owned()
            }
            _ => row.try_get("detail")?,
        },
    })
}

fn skipped(row: &SqliteRow) -> Result<String, sqlx::Error> {
    let (count, reason): (i64, String) = (row.try_get("count")?, row.try_get("reason")?);
    if count == 1 {
        return Ok(reason);
    }
    let last = moment(row.try_get("last_at")?).format("%a %-d %b %Y, %H:%M UTC");
    Ok(format!("nor at {} more scheduled times up to {last}: {reason}", count - 1))
}
