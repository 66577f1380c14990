//! Fire times become runs, and runs go through their steps.

use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::{PostgresStore, audits, clean, count, decisions, lease_time::with_time, millis, outbox, write};
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

/// Claims the oldest run that can be worked on ($2 is the length of the lease, $3 the longest of any wait, $4 the caller's
/// time). Runs of one job and workspace follow one another. A workspace is read by one run at a time, whatever its job,
/// because the vendor limits calls per workspace. That holds only while one process at a time claims ([`CLAIMING`]); a row
/// that another write changes meanwhile is passed over.
const CLAIM: &str = with_time!(
    "UPDATE run
SET state = 'claimed', attempt = attempt + 1, fence = fence + 1, lease_until = (SELECT now FROM t) + $2, not_before = NULL,
    started_at = COALESCE(started_at, $4)
WHERE id = (
    SELECT r.id FROM t CROSS JOIN run AS r
    WHERE r.state IN ('due', 'claimed', 'read', 'judged')
    AND (
        (r.state = 'due' AND (r.not_before IS NULL OR r.not_before NOT BETWEEN t.now + 1 AND t.now + $3))
        OR (r.state IN ('claimed', 'read', 'judged') AND (r.lease_until NOT BETWEEN t.now + 1 AND t.now + $3))
    )
    AND NOT EXISTS (
        SELECT 1 FROM run AS earlier
        WHERE earlier.job = r.job AND earlier.workspace = r.workspace AND earlier.fire_at < r.fire_at
        AND earlier.state IN ('due', 'claimed', 'read', 'judged')
    )
    AND NOT EXISTS (
        SELECT 1 FROM run AS other
        WHERE other.workspace = r.workspace AND other.id <> r.id
        AND other.state IN ('claimed', 'read', 'judged') AND other.lease_until BETWEEN t.now + 1 AND t.now + $3
    )
    ORDER BY r.fire_at, r.id LIMIT 1
    FOR UPDATE OF r SKIP LOCKED
)
RETURNING *"
);

/// Creates a claimed run ($2 is its id, $3 job, $4 workspace, $5 the caller's time, $6 the length of the lease), unless a run
/// of this job and workspace is being worked on.
const BEGIN: &str = with_time!(
    "INSERT INTO run (id, job, workspace, fire_at, state, attempt, fence, lease_until, planned_at, started_at)
SELECT $2, $3, $4, $5, 'claimed', 1, 1, t.now + $6, $5, $5 FROM t
WHERE NOT EXISTS (
    SELECT 1 FROM run
    WHERE job = $3 AND workspace = $4 AND state IN ('claimed', 'read', 'judged') AND lease_until > t.now
)
AND NOT EXISTS (SELECT 1 FROM run WHERE job = $3 AND workspace = $4 AND fire_at = $5)
RETURNING *"
);

const PROLONG: &str = with_time!(
    "UPDATE run SET lease_until = (SELECT now FROM t) + $2
WHERE id = $3 AND fence = $4 AND state IN ('claimed', 'read', 'judged')"
);

/// Held until the end of the transaction by who claims a run: two at once would not see each other's.
const CLAIMING: i64 = 0x636c_6169_6d00_0001;

async fn take_turn(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(CLAIMING).execute(connection).await.map(|_| ())
}

#[async_trait::async_trait]
impl Queue for PostgresStore {
    async fn cursor(&self, job: &str) -> Result<Option<Cursor>, StoreError> {
        let failed = self.explain("read the schedule");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        decisions::cursor(&mut connection, job).await.map_err(failed)
    }

    async fn decide(&self, decisions: &[Decided<'_>]) -> Result<Vec<bool>, StoreError> {
        let failed = self.explain("store what is due");
        let mut write = self.write().await.map_err(&failed)?;
        let mut stored = Vec::with_capacity(decisions.len());
        for decided in decisions {
            let cursor = decisions::cursor(write.on(), decided.job).await.map_err(&failed)?;
            let is_current = cursor.as_ref() == decided.from;
            if is_current {
                decisions::store(&mut write, decided).await.map_err(&failed)?;
            }
            stored.push(is_current);
        }
        write.commit().await.map_err(&failed)?;
        Ok(stored)
    }

    async fn take_back(
        &self,
        job: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let failed = self.explain("take the schedule back");
        let mut write = self.write().await.map_err(&failed)?;
        let taken = decisions::take_back(write.on(), job, now).await.map_err(&failed)?;
        let Some((from, to)) = taken else { return Ok(None) };
        write.append(facts::take_back(job, from, to, reason), now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)?;
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
        let mut write = self.write().await.map_err(&failed)?;
        take_turn(write.on()).await.map_err(&failed)?;
        let mut claims = Vec::with_capacity(workspaces.len());
        for workspace in workspaces.iter().copied() {
            let row = sqlx::query(BEGIN)
                .bind(self.lease_time(now))
                .bind(run_id(now).as_bytes().to_vec())
                .bind(job)
                .bind(workspace)
                .bind(millis(now))
                .bind(lease.num_milliseconds())
                .fetch_optional(write.on())
                .await
                .map_err(&failed)?;
            let Some(row) = row else {
                return Err(StoreError::Busy { what: format!("the run of {job} for {workspace}") });
            };
            let claim = rows::claim(&row).map_err(&failed)?;
            taken_up(write.on(), &claim, now).await.map_err(&failed)?;
            claims.push(claim);
        }
        write.append(facts::begin(&claims), now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)?;
        Ok(claims)
    }

    async fn claim(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, StoreError> {
        let failed = self.explain("claim a run");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let Some(claim) = self.claim_in(&mut transaction, now, lease).await.map_err(&failed)? else { return Ok(None) };
        write::commit(transaction).await.map_err(&failed)?;
        Ok(Some(claim))
    }

    async fn prolong(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        let query = sqlx::query(PROLONG).bind(self.lease_time(now)).bind(lease.num_milliseconds());
        let query = query.bind(claim.run.id.as_bytes().to_vec()).bind(count(claim.fence));
        let failed = self.explain("prolong a lease");
        held(claim, query.execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn advance(&self, claim: &Claim, state: RunState) -> Result<(), StoreError> {
        let sql = "UPDATE run SET state = $3 WHERE id = $1 AND fence = $2 AND state IN ('claimed', 'read', 'judged')";
        let failed = self.explain("store a step");
        let query = held_by(sqlx::query(sql), claim).bind(state.word());
        held(claim, query.execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn record(
        &self,
        claim: &Claim,
        audit: &Kept,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("record the audit");
        let mut write = self.write().await.map_err(&failed)?;
        let state = if notifications.is_empty() { RunState::Delivered } else { RunState::Recorded };
        held(claim, recorded(write.on(), claim, audit, state, now).await.map_err(&failed)?)?;
        outbox::insert(&mut write, notifications, now).await.map_err(&failed)?;
        write.append(facts::record(&audit.record, &claim.run, notifications), now).await.map_err(&failed)?;
        write.wake();
        write.commit().await.map_err(&failed)
    }

    async fn release(
        &self,
        claim: &Claim,
        error: Option<&str>,
        not_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("release a run");
        let mut write = self.write().await.map_err(&failed)?;
        let sql = "UPDATE run SET state = 'due', lease_until = NULL, error = COALESCE($3, error), not_before = $4,
                                  attempt = attempt - $5
                   WHERE id = $1 AND fence = $2 AND state IN ('claimed', 'read', 'judged')";
        // An attempt that was interrupted on purpose is not counted.
        let uncounted = i64::from(error.is_none());
        let query = held_by(sqlx::query(sql), claim).bind(error.map(clean)).bind(millis(not_before)).bind(uncounted);
        held(claim, query.execute(write.on()).await.map_err(&failed)?.rows_affected())?;
        ended(write.on(), claim, error, now).await.map_err(&failed)?;
        write.wake();
        write.commit().await.map_err(&failed)
    }

    async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("give a run up");
        let mut write = self.write().await.map_err(&failed)?;
        held(claim, given_up(write.on(), claim, error, now).await.map_err(&failed)?)?;
        outbox::insert(&mut write, notifications, now).await.map_err(&failed)?;
        write.append(facts::give_up(&claim.run, error), now).await.map_err(&failed)?;
        write.wake();
        write.commit().await.map_err(&failed)
    }

    async fn take_message(
        &self,
        job: Option<&str>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Outgoing>, StoreError> {
        let failed = self.explain("take a message out of the outbox");
        outbox::take(&self.pool, job, self.lease_time(now), lease).await.map_err(failed)
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
        let mut write = self.write().await.map_err(&failed)?;
        if !outbox::sent(write.on(), outgoing, outcome, answer, now).await.map_err(&failed)? {
            let Notification { channel, address, .. } = &outgoing.notification;
            return Err(StoreError::Lost { what: format!("the {channel} message to {address}") });
        }
        outbox::insert(&mut write, notices, now).await.map_err(&failed)?;
        let carried = outbox::carried(write.on(), outgoing.id).await.map_err(&failed)?;
        for run in outgoing.notification.subject.run().into_iter().chain(carried) {
            outbox::deliver(write.on(), run).await.map_err(&failed)?;
        }
        write.append(facts::sent(outgoing, outcome, answer), now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)
    }

    async fn delivered(&self) -> Result<Vec<Run>, StoreError> {
        let failed = self.explain("read the delivered runs");
        let sql = "SELECT * FROM run WHERE state = 'delivered' ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::run).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn close(&self, id: Uuid, notifications: &[Notification], now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("close a run");
        let mut write = self.write().await.map_err(&failed)?;
        let sql = "UPDATE run SET state = 'closed', finished_at = $1 WHERE id = $2 AND state = 'delivered'";
        let query = sqlx::query(sql).bind(millis(now)).bind(id.as_bytes().to_vec());
        if query.execute(write.on()).await.map_err(&failed)?.rows_affected() == 0 {
            return Ok(false);
        }
        outbox::insert(&mut write, notifications, now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)?;
        Ok(true)
    }

    async fn retry(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("retry a run");
        let mut write = self.write().await.map_err(&failed)?;
        let due = sqlx::query(
            "UPDATE run SET state = 'due', attempt = 0, not_before = NULL, finished_at = NULL
             WHERE id = $1 AND state = 'failed'",
        )
        .bind(id.as_bytes().to_vec())
        .execute(write.on())
        .await
        .map_err(&failed)?;
        let again = outbox::retry(write.on(), id, now).await.map_err(&failed)?;
        let any = due.rows_affected() + again > 0;
        if any {
            let row = sqlx::query("SELECT * FROM run WHERE id = $1").bind(id.as_bytes().to_vec());
            let row = row.fetch_one(write.on()).await.map_err(&failed)?;
            let retried = facts::retry(&rows::run(&row).map_err(&failed)?);
            write.append(retried, now).await.map_err(&failed)?;
            write.wake();
        }
        write.commit().await.map_err(&failed)?;
        Ok(any)
    }
}

impl PostgresStore {
    async fn claim_in(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Claim>, sqlx::Error> {
        take_turn(transaction).await?;
        let row = sqlx::query(CLAIM)
            .bind(self.lease_time(now))
            .bind(lease.num_milliseconds())
            .bind(LONGEST_WAIT.num_milliseconds())
            .bind(millis(now))
            .fetch_optional(&mut **transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let claim = rows::claim(&row)?;
        taken_up(transaction, &claim, now).await?;
        Ok(Some(claim))
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// Binds the claim of a worker's write, which is valid only while nobody else has claimed the run: $1 and $2.
fn held_by<'q>(query: Query<'q>, claim: &Claim) -> Query<'q> {
    query.bind(claim.run.id.as_bytes().to_vec()).bind(count(claim.fence))
}

/// Stores the audit of a run. Returns how many runs are still held by the claim: if none, nothing may be committed.
pub(super) async fn recorded(
    connection: &mut PgConnection,
    claim: &Claim,
    audit: &Kept,
    state: RunState,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let sql = "UPDATE run SET state = $3, lease_until = NULL, error = NULL
               WHERE id = $1 AND fence = $2 AND state IN ('claimed', 'read', 'judged')";
    let query = held_by(sqlx::query(sql), claim).bind(state.word());
    let rows = query.execute(&mut *connection).await?.rows_affected();
    if rows == 1 {
        audits::insert(&mut *connection, audit, Some(claim.run.fire_at)).await?;
        ended(connection, claim, None, now).await?;
    }
    Ok(rows)
}

/// Stores that a run was given up. Returns how many runs are still held by the claim, as [`recorded`] does.
pub(super) async fn given_up(
    connection: &mut PgConnection,
    claim: &Claim,
    error: &str,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let sql = "UPDATE run SET state = 'failed', lease_until = NULL, error = $3, finished_at = $4
               WHERE id = $1 AND fence = $2 AND state IN ('claimed', 'read', 'judged')";
    let query = held_by(sqlx::query(sql), claim).bind(clean(error)).bind(millis(now));
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

/// Stores a claim as an attempt.
async fn taken_up(connection: &mut PgConnection, claim: &Claim, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let query = held_by(sqlx::query("INSERT INTO attempt (run, fence, began_at) VALUES ($1, $2, $3)"), claim);
    query.bind(millis(now)).execute(connection).await.map(|_| ())
}

/// Stores the end of an attempt.
async fn ended(
    connection: &mut PgConnection,
    claim: &Claim,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("UPDATE attempt SET ended_at = $3, error = $4 WHERE run = $1 AND fence = $2");
    held_by(query, claim).bind(millis(now)).bind(error.map(clean)).execute(connection).await.map(|_| ())
}
