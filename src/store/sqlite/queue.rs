//! Fire times become runs, and runs go through their steps.

use chrono::{DateTime, Duration, Utc};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, audits, count, decisions, ledger, millis, outbox};
use crate::{
    model::{
        notification::Notification,
        run::{Claim, Run, RunState},
    },
    store::{
        Kept, StoreError, facts,
        queue::{Cursor, Decided, LONGEST_WAIT, Outgoing, Queue, Sent},
        rows,
        run_id::run_id,
    },
};

/// Claims the oldest run that can be worked on (?1 is now, ?2 the end of the new lease, ?3 the furthest that any wait
/// reaches). Runs of one job and workspace follow one another. A workspace is read by one run at a time, whatever its job,
/// because the vendor limits calls per workspace.
const CLAIM: &str = "
UPDATE run
SET state = 'claimed', attempt = attempt + 1, fence = fence + 1, lease_until = ?2, not_before = NULL,
    started_at = COALESCE(started_at, ?1)
WHERE id = (
    SELECT r.id FROM run AS r INDEXED BY run_open
    WHERE r.state IN ('due', 'claimed', 'read', 'judged', 'recorded', 'delivered')
    AND (
        (r.state = 'due' AND (r.not_before IS NULL OR r.not_before NOT BETWEEN ?1 + 1 AND ?3))
        OR (r.state IN ('claimed', 'read', 'judged') AND (r.lease_until NOT BETWEEN ?1 + 1 AND ?3))
    )
    AND NOT EXISTS (
        SELECT 1 FROM run AS earlier INDEXED BY run_unfinished
        WHERE earlier.job = r.job AND earlier.workspace = r.workspace AND earlier.fire_at < r.fire_at
        AND earlier.state IN ('due', 'claimed', 'read', 'judged')
    )
    AND NOT EXISTS (
        SELECT 1 FROM run AS other INDEXED BY run_busy
        WHERE other.workspace = r.workspace AND other.id <> r.id
        AND other.state IN ('claimed', 'read', 'judged') AND other.lease_until BETWEEN ?1 + 1 AND ?3
    )
    ORDER BY r.fire_at, r.id LIMIT 1
)
RETURNING *";

/// Creates a claimed run (?1 its id, ?2 job, ?3 workspace, ?4 now, ?5 the end of the lease), unless a run of this job and
/// workspace is being worked on.
const BEGIN: &str = "
INSERT INTO run (id, job, workspace, fire_at, state, attempt, fence, lease_until, planned_at, started_at)
SELECT ?1, ?2, ?3, ?4, 'claimed', 1, 1, ?5, ?4, ?4
WHERE NOT EXISTS (
    SELECT 1 FROM run INDEXED BY run_busy
    WHERE job = ?2 AND workspace = ?3 AND state IN ('claimed', 'read', 'judged') AND lease_until > ?4
)
AND NOT EXISTS (SELECT 1 FROM run WHERE job = ?2 AND workspace = ?3 AND fire_at = ?4)
RETURNING *";

/// The condition of a worker's write: its claim is still valid.
const HELD: &str = "WHERE id = ? AND fence = ? AND state IN ('claimed', 'read', 'judged')";

#[async_trait::async_trait]
impl Queue for SqliteStore {
    async fn cursor(&self, job: &str) -> Result<Option<Cursor>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(self.explain("read the schedule"))?;
        decisions::cursor(&mut connection, job).await.map_err(self.explain("read the schedule"))
    }

    async fn decide(&self, decisions: &[Decided<'_>]) -> Result<Vec<bool>, StoreError> {
        let failed = self.explain("store what is due");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let mut stored = Vec::with_capacity(decisions.len());
        for decided in decisions {
            let cursor = decisions::cursor(&mut transaction, decided.job).await.map_err(&failed)?;
            let is_current = cursor.as_ref() == decided.from;
            if is_current {
                decisions::store(&mut transaction, decided).await.map_err(&failed)?;
            }
            stored.push(is_current);
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(stored)
    }

    async fn take_back(
        &self,
        job: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let failed = self.explain("take the schedule back");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let taken = decisions::take_back(&mut transaction, job, now).await.map_err(&failed)?;
        let Some((from, to)) = taken else { return Ok(None) };
        ledger::append(&mut transaction, facts::take_back(job, from, to, reason), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(Some(to))
    }

    async fn begin_all(
        &self,
        job: &str,
        workspaces: &[&str],
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let failed = self.explain("begin a run");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let mut claims = Vec::with_capacity(workspaces.len());
        for workspace in workspaces.iter().copied() {
            let row = sqlx::query(BEGIN)
                .bind(run_id(now).as_bytes().to_vec())
                .bind(job)
                .bind(workspace)
                .bind(millis(now))
                .bind(millis(now + lease))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&failed)?;
            let Some(row) = row else {
                return Err(StoreError::Busy { what: format!("the run of {job} for {workspace}") });
            };
            claims.push(taken_up(&mut transaction, &row, now).await.map_err(&failed)?);
        }
        ledger::append(&mut transaction, facts::begin(&claims), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(claims)
    }

    async fn claim(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, StoreError> {
        let failed = self.explain("claim a run");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let row = sqlx::query(CLAIM)
            .bind(millis(now))
            .bind(millis(now + lease))
            .bind(millis(now + LONGEST_WAIT))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let claim = taken_up(&mut transaction, &row, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(Some(claim))
    }

    async fn prolong(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        let sql = format!("UPDATE run SET lease_until = ? {HELD}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(millis(now + lease));
        let failed = self.explain("prolong a lease");
        held(claim, held_by(query, claim).execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn advance(&self, claim: &Claim, state: RunState) -> Result<(), StoreError> {
        let sql = format!("UPDATE run SET state = ? {HELD}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(state.word());
        let failed = self.explain("store a step");
        held(claim, held_by(query, claim).execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn record(
        &self,
        claim: &Claim,
        audit: &Kept,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("record the audit");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let state = if notifications.is_empty() { RunState::Delivered } else { RunState::Recorded };
        held(claim, recorded(&mut transaction, claim, audit, state, now).await.map_err(&failed)?)?;
        outbox::insert(&mut transaction, notifications, now).await.map_err(&failed)?;
        let facts = facts::record(&audit.record, &claim.run, notifications);
        ledger::append(&mut transaction, facts, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn release(
        &self,
        claim: &Claim,
        error: Option<&str>,
        not_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("release a run");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let sql = format!(
            "UPDATE run SET state = 'due', lease_until = NULL, error = COALESCE(?, error), not_before = ?,
                            attempt = attempt - ? {HELD}"
        );
        // An attempt that was interrupted on purpose is not counted.
        let uncounted = i64::from(error.is_none());
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(error).bind(millis(not_before)).bind(uncounted);
        held(claim, held_by(query, claim).execute(&mut *transaction).await.map_err(&failed)?.rows_affected())?;
        ended(&mut transaction, claim, error, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("give a run up");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        held(claim, given_up(&mut transaction, claim, error, now).await.map_err(&failed)?)?;
        outbox::insert(&mut transaction, notifications, now).await.map_err(&failed)?;
        ledger::append(&mut transaction, facts::give_up(&claim.run, error), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn take_message(
        &self,
        job: Option<&str>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Outgoing>, StoreError> {
        outbox::take(&self.pool, job, now, lease).await.map_err(self.explain("take a message out of the outbox"))
    }

    async fn sent(
        &self,
        outgoing: &Outgoing,
        outcome: &Sent,
        answer: &str,
        notices: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("store the result of a delivery");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        if !outbox::sent(&mut transaction, outgoing, outcome, answer, now).await.map_err(&failed)? {
            let Notification { channel, address, .. } = &outgoing.notification;
            return Err(StoreError::Lost { what: format!("the {channel} message to {address}") });
        }
        outbox::insert(&mut transaction, notices, now).await.map_err(&failed)?;
        let carried = outbox::carried(&mut transaction, outgoing.id).await.map_err(&failed)?;
        for run in outgoing.notification.subject.run().into_iter().chain(carried) {
            outbox::deliver(&mut transaction, run).await.map_err(&failed)?;
        }
        ledger::append(&mut transaction, facts::sent(outgoing, outcome, answer), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn delivered(&self) -> Result<Vec<Run>, StoreError> {
        let failed = self.explain("read the delivered runs");
        let sql = "SELECT * FROM run INDEXED BY run_delivered WHERE state = 'delivered' ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::run).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn close(&self, id: Uuid, notifications: &[Notification], now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("close a run");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let sql = "UPDATE run SET state = 'closed', finished_at = ? WHERE id = ? AND state = 'delivered'";
        let query = sqlx::query(sql).bind(millis(now)).bind(id.as_bytes().to_vec());
        if query.execute(&mut *transaction).await.map_err(&failed)?.rows_affected() == 0 {
            return Ok(false);
        }
        outbox::insert(&mut transaction, notifications, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    async fn retry(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("retry a run");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let due = sqlx::query(
            "UPDATE run SET state = 'due', attempt = 0, not_before = NULL, finished_at = NULL
             WHERE id = ? AND state = 'failed'",
        )
        .bind(id.as_bytes().to_vec())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        let again = outbox::retry(&mut transaction, id, now).await.map_err(&failed)?;
        let any = due.rows_affected() + again > 0;
        if any {
            let row = sqlx::query("SELECT * FROM run WHERE id = ?").bind(id.as_bytes().to_vec());
            let row = row.fetch_one(&mut *transaction).await.map_err(&failed)?;
            let retried = facts::retry(&rows::run(&row).map_err(&failed)?);
            ledger::append(&mut transaction, retried, now).await.map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)?;
        Ok(any)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn held_by<'q>(query: Query<'q>, claim: &Claim) -> Query<'q> {
    query.bind(claim.run.id.as_bytes().to_vec()).bind(count(claim.fence))
}

/// Stores the audit of a run. Returns how many runs are still held by the claim: if none, nothing may be committed.
pub(super) async fn recorded(
    connection: &mut SqliteConnection,
    claim: &Claim,
    audit: &Kept,
    state: RunState,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let sql = format!("UPDATE run SET state = ?, lease_until = NULL, error = NULL {HELD}");
    let query = held_by(sqlx::query(sqlx::AssertSqlSafe(sql)).bind(state.word()), claim);
    let rows = query.execute(&mut *connection).await?.rows_affected();
    if rows == 1 {
        audits::insert(&mut *connection, audit, Some(claim.run.fire_at)).await?;
        ended(connection, claim, None, now).await?;
    }
    Ok(rows)
}

/// Stores that a run was given up. Returns how many runs are still held by the claim, as [`recorded`] does.
pub(super) async fn given_up(
    connection: &mut SqliteConnection,
    claim: &Claim,
    error: &str,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let sql = format!("UPDATE run SET state = 'failed', lease_until = NULL, error = ?, finished_at = ? {HELD}");
    let query = held_by(sqlx::query(sqlx::AssertSqlSafe(sql)).bind(error).bind(millis(now)), claim);
    let rows = query.execute(&mut *connection).await?.rows_affected();
    if rows == 1 {
        ended(connection, claim, Some(error), now).await?;
    }
    Ok(rows)
}

pub(super) fn held(claim: &Claim, rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    let Run { job, workspace, fire_at, .. } = &claim.run;
    Err(StoreError::Lost { what: format!("the run of {job} for {workspace} at {fire_at}") })
}

/// The claim of a run that was just taken up, which is stored as an attempt.
async fn taken_up(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    now: DateTime<Utc>,
) -> Result<Claim, sqlx::Error> {
    let claim = rows::claim(row)?;
    sqlx::query("INSERT INTO attempt (run, fence, began_at) VALUES (?, ?, ?)")
        .bind(claim.run.id.as_bytes().to_vec())
        .bind(count(claim.fence))
        .bind(millis(now))
        .execute(connection)
        .await?;
    Ok(claim)
}

/// Stores the end of an attempt.
async fn ended(
    connection: &mut SqliteConnection,
    claim: &Claim,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("UPDATE attempt SET ended_at = ?, error = ? WHERE run = ? AND fence = ?");
    held_by(query.bind(millis(now)).bind(error), claim).execute(connection).await.map(|_| ())
}
