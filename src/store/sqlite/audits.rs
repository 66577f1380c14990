//! Completed audits: a record, and a snapshot in parts.

use chrono::{DateTime, Utc};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, count, ledger, millis, outbox};
use crate::{
    model::change::Past,
    store::{AuditRecord, Kept, Store, StoreError, facts, rows},
};

/// Marks the audits (ended before ?1) whose snapshots are to be deleted: all but the last complete audit of each job and
/// workspace. The last one is the one that was kept last, whatever the clock said then.
const FORGET: &str = "
UPDATE audit INDEXED BY audit_snapshot SET has_snapshot = 0 WHERE has_snapshot = 1 AND finished_at < ?1 AND id <> (
    SELECT l.id FROM audit AS l
    WHERE l.workspace = audit.workspace AND l.job IS audit.job AND l.complete = 1
    ORDER BY l.rowid DESC LIMIT 1
)
RETURNING id";

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn keep(&self, audit: &Kept, now: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("keep the audit");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        insert(&mut transaction, audit, None).await.map_err(&failed)?;
        ledger::append(&mut transaction, facts::keep(&audit.record), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    fn look(&self) -> Result<(), StoreError> {
        self.file.look(&self.place)
    }

    async fn close_connections(&self) {
        self.pool.close().await;
    }

    async fn probe(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.look()?;
        let sql = "INSERT INTO probe (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        let probed = sqlx::query(sql).bind(millis(now)).execute(&self.pool).await;
        probed.map(|_| ()).map_err(self.explain("be written"))
    }

    async fn audit(&self, id: Uuid) -> Result<Option<AuditRecord>, StoreError> {
        let failed = self.explain("read an audit");
        let query = sqlx::query("SELECT * FROM audit WHERE id = ?").bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(rows::record).transpose().map_err(&failed)
    }

    async fn kept(&self, id: Uuid) -> Result<Option<Kept>, StoreError> {
        let failed = self.explain("read an audit");
        let query = sqlx::query("SELECT * FROM audit WHERE id = ? AND has_snapshot = 1").bind(id.as_bytes().to_vec());
        let Some(row) = query.fetch_optional(&self.pool).await.map_err(&failed)? else { return Ok(None) };
        self.with_parts(&row).await.map(Some).map_err(failed)
    }

    async fn prune(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let failed = self.explain("prune old snapshots");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let query = sqlx::query_scalar::<_, Vec<u8>>(FORGET).bind(millis(before));
        let mut pruned = 0;
        for audit in query.fetch_all(&mut *transaction).await.map_err(&failed)? {
            let query = sqlx::query("DELETE FROM snapshot_part WHERE audit = ?").bind(audit);
            pruned += query.execute(&mut *transaction).await.map_err(&failed)?.rows_affected();
        }
        outbox::prune(&mut transaction, before).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(pruned)
    }

    async fn last_complete(&self, job: Option<&str>, workspace: &str) -> Result<Option<Kept>, StoreError> {
        let failed = self.explain("read the previous audit");
        let row = sqlx::query(
            "SELECT * FROM audit WHERE workspace = ? AND job IS ? AND complete = 1
             ORDER BY rowid DESC LIMIT 1",
        )
        .bind(workspace)
        .bind(job)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        self.with_parts(&row).await.map(Some).map_err(failed)
    }

    async fn completed(&self, job: Option<&str>, workspace: &str, most: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let failed = self.explain("read the past audits");
        let query = sqlx::query(
            "SELECT * FROM audit WHERE workspace = ? AND job IS ? AND complete = 1 ORDER BY rowid DESC LIMIT ?",
        );
        let rows = query.bind(workspace).bind(job).bind(most).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::record).collect::<Result<_, _>>().map_err(failed)
    }

    async fn past(&self, job: Option<&str>, workspace: &str, limit: u32) -> Result<Vec<Past>, StoreError> {
        let failed = self.explain("read the past audits");
        let rows = sqlx::query(
            "SELECT finished_at, administrators, open_findings FROM audit
             WHERE workspace = ? AND job IS ? AND complete = 1 ORDER BY rowid DESC LIMIT ?",
        )
        .bind(workspace)
        .bind(job)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter().rev().map(rows::past).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn complete_before(
        &self,
        job: Option<&str>,
        workspace: &str,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let failed = self.explain("read the past audits");
        let sql = "SELECT * FROM audit INDEXED BY audit_last_complete WHERE workspace = ? AND job IS ? AND complete = 1
                   AND rowid < IFNULL((SELECT b.rowid FROM audit AS b WHERE b.id = ?), 9223372036854775807)
                   ORDER BY rowid DESC LIMIT ?";
        let before = before.map(|id| id.as_bytes().to_vec());
        let query = sqlx::query(sql).bind(workspace).bind(job).bind(before).bind(limit);
        let rows = query.fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::record).collect::<Result<_, _>>().map_err(&failed)
    }
}

impl SqliteStore {
    /// The audit of a row, with its snapshot.
    async fn with_parts(&self, row: &SqliteRow) -> Result<Kept, sqlx::Error> {
        let record = rows::record(row)?;
        let parts = sqlx::query("SELECT body FROM snapshot_part WHERE audit = ? ORDER BY sequence")
            .bind(record.id.as_bytes().as_slice())
            .fetch_all(&self.pool)
            .await?;
        rows::kept(record, &parts)
    }
}

/// Writes an audit in the caller's transaction; `fire_at` is that of its run, `None` if it has no run.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    audit: &Kept,
    fire_at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    let Kept { record, parts } = audit;
    let severity = |at: usize| record.by_severity.map(|by_severity| count(by_severity[at]));
    sqlx::query(
        "INSERT INTO audit (id, job, workspace, started_at, finished_at, complete, users, administrators, open_findings,
                            critical, high, medium, low, info, bag_folder, bag_sha256, fire_at, has_snapshot)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.id.as_bytes().as_slice())
    .bind(record.job.as_deref())
    .bind(&record.workspace)
    .bind(millis(record.started_at))
    .bind(millis(record.finished_at))
    .bind(record.complete)
    .bind(count(record.users))
    .bind(count(record.administrators))
    .bind(count(record.open_findings))
    .bind(severity(0))
    .bind(severity(1))
    .bind(severity(2))
    .bind(severity(3))
    .bind(severity(4))
    .bind(record.bag.as_ref().map(|bag| bag.folder.as_str()))
    .bind(record.bag.as_ref().map(|bag| bag.sha256.as_str()))
    .bind(fire_at.map(millis))
    .bind(!parts.is_empty())
    .execute(&mut *connection)
    .await?;
    for (sequence, body) in (0_i64..).zip(parts) {
        sqlx::query("INSERT INTO snapshot_part (audit, sequence, body) VALUES (?, ?, ?)")
            .bind(record.id.as_bytes().as_slice())
            .bind(sequence)
            .bind(body.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
