//! Queries for incidents: what should have happened and did not.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::millis;
use crate::{
    model::trigger::{Incident, IncidentKind, LATE},
    store::{history::MOST_INCIDENTS, rows},
};

/// Begins a statement with `pair`: each job and workspace that ever had a run. One step of an index for each, however many
/// runs there are.
macro_rules! for_each_pair {
    ($select:literal) => {
        concat!(
            "WITH RECURSIVE pair AS (
    (SELECT job, workspace FROM run ORDER BY job, workspace LIMIT 1)
    UNION ALL
    SELECT next.job, next.workspace FROM pair AS this CROSS JOIN LATERAL (
        SELECT r.job, r.workspace FROM run AS r WHERE (r.job, r.workspace) > (this.job, this.workspace)
        ORDER BY r.job, r.workspace LIMIT 1
    ) AS next
)
",
            $select
        )
    };
}

/// Runs that are overdue ($1 is now minus the grace period).
const OVERDUE_NOW: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state IN ('due', 'claimed', 'read', 'judged') AND fire_at <= $1
ORDER BY fire_at LIMIT $2";

/// Failed runs after which no run of their job and workspace recorded an audit.
const FAILED_NOW: &str = for_each_pair!(
    "SELECT f.run, p.job, p.workspace, f.at, f.detail FROM pair AS p CROSS JOIN LATERAL (
    SELECT r.id AS run, r.fire_at AS at, COALESCE(r.error, '') AS detail FROM run AS r
    WHERE r.state = 'failed' AND r.job = p.job AND r.workspace = p.workspace
    AND r.fire_at > COALESCE((
        SELECT d.fire_at FROM run AS d WHERE d.job = p.job AND d.workspace = p.workspace
        AND d.state IN ('recorded', 'delivered', 'closed') AND d.fire_at <= $3 ORDER BY d.fire_at DESC LIMIT 1
    ), -9000000000000000000)
    ORDER BY r.fire_at DESC LIMIT $2
) AS f
ORDER BY f.at DESC LIMIT $2"
);

/// Incomplete audits after which no audit of their job and workspace was complete.
const INCOMPLETE_NOW: &str = for_each_pair!(
    "SELECT i.run, p.job, p.workspace, i.at, '' AS detail FROM pair AS p CROSS JOIN LATERAL (
    SELECT a.id AS run, a.fire_at AS at FROM audit AS a
    WHERE a.job = p.job AND a.workspace = p.workspace AND a.complete = 0
    AND a.fire_at > COALESCE((
        SELECT w.fire_at FROM audit AS w WHERE w.job = p.job AND w.workspace = p.workspace AND w.complete = 1
        AND w.fire_at <= $3 ORDER BY w.fire_at DESC LIMIT 1
    ), -9000000000000000000)
    ORDER BY a.fire_at DESC LIMIT $2
) AS i
ORDER BY i.at DESC LIMIT $2"
);

/// Messages that have waited too long, and the latest messages of each job, workspace and address if they were rejected.
const UNDELIVERED_NOW: &str = "
WITH RECURSIVE to_whom AS (
    (SELECT job, workspace, address FROM notification WHERE run IS NOT NULL AND state <> 'waiting'
     ORDER BY job, workspace, address LIMIT 1)
    UNION ALL
    SELECT next.job, next.workspace, next.address FROM to_whom AS this CROSS JOIN LATERAL (
        SELECT n.job, n.workspace, n.address FROM notification AS n WHERE n.run IS NOT NULL AND n.state <> 'waiting'
        AND (n.job, n.workspace, n.address) > (this.job, this.workspace, this.address)
        ORDER BY n.job, n.workspace, n.address LIMIT 1
    ) AS next
)
SELECT run, job, workspace, fire_at AS at, kind || ' to ' || address || COALESCE(': ' || answer, '') AS detail
FROM notification WHERE state = 'waiting' AND run IS NOT NULL AND created_at <= $1
UNION ALL
SELECT m.run, m.job, m.workspace, m.at, m.detail FROM to_whom CROSS JOIN LATERAL (
    SELECT n.run, n.job, n.workspace, n.fire_at AS at, n.state, n.kind || ' to ' || n.address || COALESCE(': ' || n.answer, '') AS detail
    FROM notification AS n WHERE n.run IS NOT NULL AND n.state <> 'waiting'
    AND n.job = to_whom.job AND n.workspace = to_whom.workspace AND n.address = to_whom.address
    AND n.fire_at = (
        SELECT l.fire_at FROM notification AS l WHERE l.run IS NOT NULL AND l.state <> 'waiting'
        AND l.job = to_whom.job AND l.workspace = to_whom.workspace AND l.address = to_whom.address
        AND l.fire_at <= $3
        ORDER BY l.fire_at DESC LIMIT 1
    )
) AS m
WHERE m.state = 'rejected'
ORDER BY 4 DESC LIMIT $2";

/// Skipped fire times after which no run of their job recorded an audit.
const SKIPPED_NOW: &str = for_each_pair!(
    ", done AS (
    SELECT p.job, MAX(COALESCE((
        SELECT d.fire_at FROM run AS d WHERE d.job = p.job AND d.workspace = p.workspace
        AND d.state IN ('recorded', 'delivered', 'closed') AND d.fire_at <= $3 ORDER BY d.fire_at DESC LIMIT 1
    ), -9000000000000000000)) AS at FROM pair AS p GROUP BY p.job
)
SELECT NULL::bytea AS run, g.job, NULL::text AS workspace, g.first_at AS at, '' AS detail, g.count, g.last_at, g.reason
FROM cursor AS c CROSS JOIN LATERAL (
    SELECT * FROM gap AS x WHERE x.job = c.job
    AND x.last_at >= COALESCE((SELECT done.at FROM done WHERE done.job = c.job), -9000000000000000000)
    ORDER BY x.last_at DESC LIMIT $2
) AS g
ORDER BY g.first_at DESC LIMIT $2"
);

/// Jobs that are decided up to a moment in the future ($1 is now plus the grace period).
const AHEAD_NOW: &str = "
SELECT NULL::bytea AS run, job, NULL::text AS workspace, at, '' AS detail FROM cursor WHERE at > $1 ORDER BY at LIMIT $2";

/// The fire time of the last report of a job and workspace ($1, $2) before a fire time ($3) that was accepted for somebody.
const LAST_RECEIVED: &str = "
SELECT fire_at FROM notification WHERE kind = 'report' AND state = 'accepted'
AND job = $1 AND workspace = $2 AND fire_at < $3 ORDER BY fire_at DESC LIMIT 1";

const FAILED_BEFORE: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state = 'failed' AND job = $1 AND workspace = $2 AND fire_at < $3 AND fire_at >= $4
ORDER BY fire_at DESC LIMIT $5";

/// Runs of the job for its other workspaces that are not done yet.
const OVERDUE_BEFORE: &str = "
SELECT id AS run, job, workspace, fire_at AS at, COALESCE(error, '') AS detail FROM run
WHERE state IN ('due', 'claimed', 'read', 'judged') AND job = $1 AND workspace <> $2 AND fire_at < $3
ORDER BY fire_at DESC LIMIT $5";

const INCOMPLETE_BEFORE: &str = "
SELECT id AS run, job, workspace, fire_at AS at, '' AS detail FROM audit
WHERE complete = 0 AND job = $1 AND workspace = $2 AND fire_at < $3 AND fire_at >= $4
ORDER BY fire_at DESC LIMIT $5";

const UNDELIVERED_BEFORE: &str = "
SELECT run, job, workspace, fire_at AS at, kind || ' to ' || address || COALESCE(': ' || answer, '') AS detail
FROM notification
WHERE run IS NOT NULL AND state <> 'accepted' AND answer IS NOT NULL
AND job = $1 AND workspace = $2 AND fire_at < $3 AND fire_at >= $4
ORDER BY fire_at DESC LIMIT $5";

/// A gap that was recorded later ends later, so those that end before $4 are not read.
const SKIPPED_BEFORE: &str = "
SELECT NULL::bytea AS run, job, NULL::text AS workspace, first_at AS at, '' AS detail, count, last_at, reason FROM gap
WHERE job = $1 AND first_at < $3 AND last_at >= $4
ORDER BY last_at DESC LIMIT $5";

/// Reviews by people that were to be opened by $1.
const REVIEWS_NOT_OPENED: &str = "
SELECT NULL::bytea AS run, job, NULL::text AS workspace, due_at AS at, name || ': ' || COALESCE(reason, 'it is about to be opened') AS detail
FROM review_plan WHERE due_at <= $1 AND ($2::text IS NULL OR job = $2) ORDER BY due_at LIMIT $3";

/// Reviews by people that were due before $1 and are not closed.
const REVIEWS_OVERDUE: &str = "
SELECT NULL::bytea AS run, job, NULL::text AS workspace, due_at AS at,
       name || ', opened ' || to_char(to_timestamp(opened_at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ': '
       || CASE undecided WHEN 0 THEN 'every account is decided, and it is not closed'
          ELSE undecided || ' of ' || items || ' accounts not decided' END AS detail
FROM review WHERE (state IN ('open', 'decided') OR unproven > 0)
AND state IN ('open', 'decided') AND due_at < $1 AND ($2::text IS NULL OR job = $2) ORDER BY due_at LIMIT $3";

/// Reviews by people with a decision that had to be carried out before $1 and is not proven.
const NOT_CARRIED_OUT: &str = "
SELECT NULL::bytea AS run, job, NULL::text AS workspace, work_due AS at,
       name || ', opened ' || to_char(to_timestamp(opened_at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ': not proven: ' || unproven AS detail
FROM review WHERE (state IN ('open', 'decided') OR unproven > 0)
AND work_due < $1 AND ($2::text IS NULL OR job = $2) ORDER BY work_due LIMIT $3";

/// Messages about reviews by people that have waited since $1, and those that were given up in a review that is under way: until
/// a later one to the same person is accepted, or somebody else was told by a notice.
const REVIEW_MAIL: &str = "
SELECT NULL::bytea AS run, r.job, NULL::text AS workspace, m.created_at AS at,
       'review ' || r.name || ', ' || m.kind || ' to ' || m.address || COALESCE(': ' || m.answer, '') AS detail
FROM notification AS m JOIN review AS r ON r.id = CASE m.subject_kind WHEN 'review' THEN decode(m.subject_id, 'hex') END
WHERE m.state = 'waiting' AND m.subject_kind = 'review' AND m.created_at <= $1 AND ($2::text IS NULL OR r.job = $2)
UNION ALL
SELECT NULL::bytea AS run, r.job, NULL::text AS workspace, m.created_at AS at,
       'review ' || r.name || ', ' || m.kind || ' to ' || m.address || COALESCE(': ' || m.answer, '') AS detail
FROM review AS r JOIN notification AS m ON m.subject_kind = 'review' AND m.subject_id = encode(r.id, 'hex')
WHERE r.state IN ('open', 'decided') AND m.state = 'rejected' AND ($2::text IS NULL OR r.job = $2)
AND NOT EXISTS (
    SELECT 1 FROM notification AS l WHERE l.subject_kind = 'review' AND l.subject_id = m.subject_id AND l.state = 'accepted'
    AND ((l.address = m.address AND l.id > m.id) OR (l.kind = 'undelivered' AND l.about = m.kind || ' to ' || m.address))
)
ORDER BY 4 DESC LIMIT $3";

/// What is wrong with reviews by people at a time; with a job, only with those about its audits.
async fn of_reviews(
    pool: &PgPool,
    job: Option<&str>,
    now: DateTime<Utc>,
    incidents: &mut Vec<Incident>,
) -> Result<(), sqlx::Error> {
    for (kind, sql, at) in [
        (IncidentKind::ReviewNotOpened, REVIEWS_NOT_OPENED, now - LATE),
        (IncidentKind::ReviewOverdue, REVIEWS_OVERDUE, now),
        (IncidentKind::NotCarriedOut, NOT_CARRIED_OUT, now),
        (IncidentKind::Undelivered, REVIEW_MAIL, now - LATE),
    ] {
        let query = sqlx::query(sql).bind(millis(at)).bind(job).bind(i64::from(MOST_INCIDENTS));
        for row in &query.fetch_all(pool).await? {
            incidents.push(rows::incident(kind, row)?);
        }
    }
    Ok(())
}

pub(super) async fn now(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<Incident>, sqlx::Error> {
    let mut incidents = Vec::new();
    for (kind, sql, at) in [
        (IncidentKind::Overdue, OVERDUE_NOW, now - LATE),
        (IncidentKind::Failed, FAILED_NOW, now),
        (IncidentKind::Incomplete, INCOMPLETE_NOW, now),
        (IncidentKind::Undelivered, UNDELIVERED_NOW, now - LATE),
        (IncidentKind::Skipped, SKIPPED_NOW, now),
        (IncidentKind::ClockSetBack, AHEAD_NOW, now + LATE),
    ] {
        // What a clock that was ahead did does not make good what goes wrong now.
        let query = sqlx::query(sql).bind(millis(at)).bind(i64::from(MOST_INCIDENTS)).bind(millis(now + LATE));
        for row in &query.fetch_all(pool).await? {
            incidents.push(rows::incident(kind, row)?);
        }
    }
    of_reviews(pool, None, now, &mut incidents).await?;
    incidents.sort_by_key(|incident| incident.at);
    Ok(incidents)
}

pub(super) async fn before(
    pool: &PgPool,
    job: &str,
    workspace: &str,
    fire_at: DateTime<Utc>,
) -> Result<Vec<Incident>, sqlx::Error> {
    let query = sqlx::query_scalar::<_, i64>(LAST_RECEIVED).bind(job).bind(workspace).bind(millis(fire_at));
    let since = query.fetch_optional(pool).await?.unwrap_or(0);
    let mut incidents = Vec::new();
    for (kind, sql) in [
        (IncidentKind::Skipped, SKIPPED_BEFORE),
        (IncidentKind::Failed, FAILED_BEFORE),
        (IncidentKind::Overdue, OVERDUE_BEFORE),
        (IncidentKind::Incomplete, INCOMPLETE_BEFORE),
        (IncidentKind::Undelivered, UNDELIVERED_BEFORE),
    ] {
        let query = sqlx::query(sql)
            .bind(job)
            .bind(workspace)
            .bind(millis(fire_at))
            .bind(since)
            .bind(i64::from(MOST_INCIDENTS));
        for row in &query.fetch_all(pool).await? {
            incidents.push(rows::incident(kind, row)?);
        }
    }
    of_reviews(pool, Some(job), fire_at, &mut incidents).await?;
    incidents.sort_by_key(|incident| incident.at);
    Ok(incidents)
}
